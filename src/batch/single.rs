//! The forward pass of one example alone: the neurons of a layer are shared out, and not the rows.

use super::{Call, Scratch};
use crate::error::Result;
use crate::interrupt::watch;
use crate::kernels::product;
use crate::scalar::Real;
use crate::workspace::Keep;

/// The weights of a share at least: some microseconds on their way from memory.
const SHARE: usize = 1 << 16;

impl<T: Real> Call<'_, T> {
    /// a^L of the one example into `out`, (n_L,).
    ///
    /// # Errors
    /// No memory, or interrupted.
    pub(super) fn forward_single(&self, scratch: &mut Scratch<T>, out: &mut [T]) -> Result<()> {
        let (network, threads) = (self.network, self.team.threads());
        watch(self.question, |pulse| {
            self.prepare_workers(scratch)?;
            let workspace = &mut scratch.workers[0].workspace;
            self.prepare(workspace, Keep::ACTIVATIONS, pulse)
        })?;
        let mut workspace = std::mem::take(&mut scratch.workers[0].workspace);
        let workers = &mut scratch.workers[..threads];
        for (index, layer) in network.layers().iter().enumerate() {
            let (before, these) = workspace.layers.split_at_mut(index);
            let a = before.last().map_or(self.inputs.x, |layer| &layer.a);
            let last = index + 1 == network.layers().len();
            let z = if last {
                &mut *out
            } else {
                &mut these[0].a[..layer.n_out]
            };
            let (a, weights) = (&a[..layer.n_in], &self.params[layer.weights.clone()]);
            let biases = &self.params[layer.biases.clone()];
            let share = layer
                .n_out
                .div_ceil(threads)
                .max(SHARE / layer.n_in)
                .next_multiple_of(64);
            let shares = z.chunks_mut(share).enumerate();
            self.team.run(
                workers,
                shares,
                self.question,
                |worker, (index, z), pulse| {
                    let neurons = index * share..index * share + z.len();
                    product::forward(a, weights, biases, neurons, z, &mut worker.room, pulse);
                },
            )?;
            watch(self.question, |pulse| {
                layer.activation.apply(z, layer.n_out, pulse);
                Ok(())
            })?;
        }
        scratch.workers[0].workspace = workspace;
        Ok(())
    }
}
