//! A forward pass, or the errors, that the caller has stored.

use crate::base::error::Result;
use crate::data::Targets;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::kernels::real::Real;

/// z^l and a^l of a batch, each (n, n_l), l = 2 … L; z^l may be missing where no derivative reads it.
#[derive(Clone, Copy)]
pub struct StoredForward<'a, T> {
    /// z^l.
    pub z: &'a [&'a [T]],
    /// a^l.
    pub a: &'a [&'a [T]],
}

impl<T: Real> StoredForward<'_, T> {
    /// Copies the rows of a chunk into its buffers, which are row-major.
    fn load(&self, chunk: &mut Chunk<'_, '_, T>) {
        let rows = &chunk.rows;
        for ((layer, z), a) in chunk.layers.iter_mut().zip(self.z).zip(self.a) {
            let numbers = rows.start * layer.width..rows.end * layer.width;
            layer.a.copy_from_slice(&a[numbers.clone()]);
            if !layer.z.is_empty() && !z.is_empty() {
                layer.z.copy_from_slice(&z[numbers]);
            }
        }
    }
}

impl<T: Real> Call<'_, T> {
    /// C from a forward pass that is known.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn cost_stored(
        &self,
        targets: &Targets<'_, T>,
        stored: StoredForward<'_, T>,
        scratch: &mut Scratch<T>,
    ) -> Result<f64> {
        let config = BufferConfig::STORED;
        self.cost_after(targets, scratch, config, |chunk| stored.load(chunk))
    }

    /// `C_x` of each example likewise, without weights, into `out`, (n,).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn costs_stored(
        &self,
        targets: &Targets<'_, T>,
        stored: StoredForward<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        let config = BufferConfig::STORED;
        self.costs_after(targets, scratch, config, out, |chunk| stored.load(chunk))
    }
}

/// The forward pass of a chunk: computed, or loaded if it is stored.
pub(crate) fn forward<T: Real>(
    call: &Call<'_, T>,
    stored: Option<StoredForward<'_, T>>,
    chunk: &mut Chunk<'_, '_, T>,
) {
    match stored {
        Some(stored) => stored.load(chunk),
        None => call.forward_chunk(chunk, None),
    }
}
