//! The layers of a batch as users see them: z^l, a^l and δ^l, copied from the buffers of its chunks.

use crate::base::alloc::{try_collect, try_reserve};
use crate::base::cancel::{COPIED_PER_POLL, CancelToken, ELEMENT_WORK};
use crate::base::error::Result;
use crate::data::Targets;
use crate::engine::batch::pass::{Backprop, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::kernels::real::Real;
use crate::model::architecture::Layer;

impl<T: Real> Call<'_, T> {
    /// Writes z^l to `z[l − 2]` and a^l to `a[l − 2]`, each (n, n_l), for l = 2 … L.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn trace(
        &self,
        scratch: &mut Scratch<T>,
        z: &mut [&mut [T]],
        a: &mut [&mut [T]],
    ) -> Result<()> {
        self.copy_layers(BufferConfig::TRACE, scratch, z, a)
    }

    /// The same, with z^l only where BP1 or BP2 reads it; the other entries of `z` are empty.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn stored_forward(
        &self,
        scratch: &mut Scratch<T>,
        z: &mut [&mut [T]],
        a: &mut [&mut [T]],
    ) -> Result<()> {
        let config = BufferConfig {
            all_z: false,
            ..BufferConfig::TRACE
        };
        self.copy_layers(config, scratch, z, a)
    }

    fn copy_layers(
        &self,
        config: BufferConfig,
        scratch: &mut Scratch<T>,
        z: &mut [&mut [T]],
        a: &mut [&mut [T]],
    ) -> Result<()> {
        let (mut z, mut a) = (self.cut(z)?, self.cut(a)?);
        let layers = self.network.architecture.layers().len();
        let chunks = z.chunks_mut(layers).zip(a.chunks_mut(layers)).enumerate();
        self.each_chunk(scratch, config, chunks, |chunk, (z, a)| {
            self.forward_chunk(chunk, None);
            for ((z, a), layer) in z.iter_mut().zip(a).zip(&*chunk.layers) {
                copy(z, layer.z, chunk.context.cancel);
                copy(a, layer.a, chunk.context.cancel);
            }
        })
    }

    /// Writes δ^l to `delta[l − 2]`, each (n, n_l), for l = 2 … L.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn errors(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        delta: &mut [&mut [T]],
    ) -> Result<()> {
        self.errors_of(&Backprop::new(targets), scratch, delta)
    }

    /// The same for any pass.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub(crate) fn errors_of(
        &self,
        pass: &dyn Pass<T>,
        scratch: &mut Scratch<T>,
        delta: &mut [&mut [T]],
    ) -> Result<()> {
        let mut delta = self.cut(delta)?;
        let chunks = delta
            .chunks_mut(self.network.architecture.layers().len())
            .enumerate();
        self.each_chunk(
            scratch,
            BufferConfig::TRACE_ERRORS,
            chunks,
            |chunk, delta| {
                self.errors_chunk(pass, chunk, &mut []);
                for (delta, layer) in delta.iter_mut().zip(&*chunk.layers) {
                    copy(delta, layer.delta, chunk.context.cancel);
                }
            },
        )
    }

    /// Splits one array per layer into the rows of each chunk: layer by layer for the first chunk, then for
    /// the second, and so on.
    fn cut<'b>(&self, arrays: &'b mut [&mut [T]]) -> Result<Vec<&'b mut [T]>> {
        let (layers, chunks) = (self.network.architecture.layers(), self.plan.chunks);
        let rows = |layer: &Layer| self.plan.rows * layer.n_out;
        let mut slices = try_collect(
            "workspace",
            (arrays.iter_mut().zip(layers)).map(|(array, layer)| array.chunks_mut(rows(layer))),
        )?;
        let mut all = Vec::new();
        try_reserve("workspace", &mut all, layers.len().saturating_mul(chunks))?;
        for _ in 0..chunks {
            all.extend(
                slices
                    .iter_mut()
                    .map(|slices| slices.next().unwrap_or_default()),
            );
        }
        Ok(all)
    }
}

/// Copies `from` to `to` in pieces: page faults of fresh memory are slow, so poll for cancellation.
fn copy<T: Real>(to: &mut [T], from: &[T], cancel: &CancelToken<'_>) {
    for (to, from) in to
        .chunks_mut(COPIED_PER_POLL)
        .zip(from.chunks(COPIED_PER_POLL))
    {
        if cancel.poll_after(COPIED_PER_POLL * ELEMENT_WORK / 4) {
            return;
        }
        to.copy_from_slice(from);
    }
}
