//! What users see of the layers of a batch: z^l, a^l and δ^l, brought together from its chunks.

use super::{Call, Scratch};
use crate::error::Result;
use crate::examples::Targets;
use crate::interrupt::{ELEMENT_WORK, Pulse};
use crate::scalar::Real;
use crate::workspace::Keep;

impl<T: Real> Call<'_, T> {
    /// z^l into `z[l − 2]` and a^l into `a[l − 2]`, each (n, n_l), for l = 2 … L.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn trace(
        &self,
        scratch: &mut Scratch<T>,
        z: &mut [&mut [T]],
        a: &mut [&mut [T]],
    ) -> Result<()> {
        let chunks = self.cut(z).zip(self.cut(a)).enumerate();
        self.each_chunk(
            scratch,
            Keep::SHOWN_TRACE,
            chunks,
            |rows, buffers, (z, a), room, pulse| {
                self.forward_chunk(&rows, buffers, None, room, pulse);
                for ((z, a), buffers) in z.into_iter().zip(a).zip(buffers) {
                    copy(z, buffers.z, pulse);
                    copy(a, buffers.a, pulse);
                }
            },
        )
    }

    /// δ^l into `delta[l − 2]`, each (n, n_l), for l = 2 … L.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn errors(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        delta: &mut [&mut [T]],
    ) -> Result<()> {
        let chunks = self.cut(delta).enumerate();
        self.each_chunk(
            scratch,
            Keep::SHOWN_ERRORS,
            chunks,
            |rows, buffers, delta, room, pulse| {
                self.errors_chunk(targets, &rows, buffers, room, &mut [], pulse);
                for (delta, buffers) in delta.into_iter().zip(buffers) {
                    copy(delta, buffers.delta, pulse);
                }
            },
        )
    }

    /// Cuts one array per layer into the rows of each chunk.
    fn cut<'b>(&self, arrays: &'b mut [&mut [T]]) -> impl Iterator<Item = Vec<&'b mut [T]>> + Send {
        let rows = self.plan.rows;
        let layers = self.network.layers().iter();
        let mut parts: Vec<_> = (arrays.iter_mut().zip(layers))
            .map(|(array, layer)| array.chunks_mut(rows * layer.n_out))
            .collect();
        std::iter::from_fn(move || parts.iter_mut().map(Iterator::next).collect())
    }
}

/// Copies `from` into `to`, in pieces: fresh memory takes its time to be had.
fn copy<T: Real>(to: &mut [T], from: &[T], pulse: &Pulse<'_>) {
    const PIECE: usize = 1 << 16;
    for (to, from) in to.chunks_mut(PIECE).zip(from.chunks(PIECE)) {
        if pulse.stopped_after(PIECE * ELEMENT_WORK / 4) {
            return;
        }
        to.copy_from_slice(from);
    }
}
