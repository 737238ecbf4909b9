//! Moments of the gradients of single examples, parameter by parameter: their mean and Σ_x (∂C_x − mean)², or
//! Σ_x (∂C_x)².
//!
//! As in `gradient_sum::blocks`, the chunks of a block compute δ^l and a^l, and slices of the parameters go through all
//! examples of the block. ∂C_x/∂w_jk = δ_j a_k is formed in registers only: see [`crate::kernels::moments`].
//! Elements of x that are 0 are added last, so that a CSR x gives the bits of the same dense one.

mod block;

use crate::base::alloc::grow_workspace;
use crate::base::cancel::cancellable;
use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::batch::gradient_sum::slices::GradientSlices;
use crate::engine::batch::moments::block::{MomentBlock, MomentSlice, most_stored};
use crate::engine::batch::pass::Pass;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::kernels::moments::{ListedElement, MAX_EXAMPLES, Moments, number};
use crate::kernels::real::Real;
use crate::kernels::tuning::moments::{MAX_INPUTS, MAX_OUTPUTS};

/// The moments, in the layout of the parameters.
#[derive(Debug, Default)]
pub(super) struct MomentBuffers {
    mean: Vec<f64>,
    squares: Vec<f64>,
    /// Of each column of x, how many elements have been added.
    added: Vec<f64>,
}

/// The factors of products that a thread is adding.
#[derive(Debug, Default)]
pub(super) struct FactorBuffers {
    /// δ_j and a_k in float64.
    numbers: Vec<f64>,
    /// The elements of x that are not 0.
    entries: Vec<ListedElement>,
}

impl<T: Real> Call<'_, T> {
    /// The means, and Σ (∂C_x − mean)², or no means and Σ (∂C_x)².
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(crate) fn moments<'s>(
        &self,
        pass: &dyn Pass<T>,
        scratch: &'s mut Scratch<T>,
        centered: bool,
    ) -> Result<(&'s [f64], &'s [f64])> {
        let (plan, architecture) = (&self.plan, self.network.architecture);
        let chunks_per_block = plan.chunks_per_block(architecture);
        let in_block = chunks_per_block.min(plan.chunks);
        let (length, neurons) = (architecture.n_params(), self.neurons_per_slice(in_block));
        let (means, columns) = (if centered { length } else { 0 }, architecture.n_inputs());
        self.prepare_moments(scratch, pass.config(), in_block, means)?;
        cancellable(self.should_cancel, |cancel| {
            for index in 0..plan.chunks.div_ceil(chunks_per_block) {
                // Each phase has its own timer, and may be shorter than its interval; so poll here too.
                if index > 0 && cancel.poll() {
                    break;
                }
                let chunks = plan.chunks_of(index, chunks_per_block);
                self.errors_of_block(pass, scratch, chunks.clone())?;
                let rows = plan.rows_in(&chunks);
                let Scratch {
                    workers,
                    block,
                    moments,
                    ..
                } = &mut *scratch;
                let block = MomentBlock {
                    layers: architecture.layers(),
                    x: self.inputs.row_range(&rows),
                    workspace: block,
                    first: rows.start,
                };
                let (mut mean, mut squares, mut added) = (
                    &mut moments.mean[..means],
                    &mut moments.squares[..length],
                    &mut moments.added[..columns],
                );
                let slices = GradientSlices::new(architecture, &neurons).map_while(|slice| {
                    let (length, row) =
                        (slice.length, architecture.layers()[slice.layer].row_stride);
                    let is_of_x = slice.layer == 0 && slice.neuron.is_some();
                    let inputs = if is_of_x { length / row } else { 0 };
                    let moments = MomentSlice {
                        squares: squares.split_off_mut(..length)?,
                        mean: mean.split_off_mut(..length).unwrap_or_default(),
                        added: added.split_off_mut(..inputs)?,
                    };
                    Some((slice, moments))
                });
                self.team.run(
                    &mut workers[..self.team.threads()],
                    slices,
                    self.should_cancel,
                    |worker, (slice, moments), cancel| {
                        block.add(&slice, moments, &mut worker.factors, cancel);
                    },
                )?;
            }
            Ok(())
        })?;
        let MomentBuffers {
            mean,
            squares,
            added,
        } = &mut scratch.moments;
        let (mean, squares) = (&mut mean[..means], &mut squares[..length]);
        if centered {
            self.add_zeros(&mut (mean, squares), &added[..columns])?;
        }
        Ok((mean, squares))
    }

    /// Allocates the buffers for blocks of `chunks`.
    fn prepare_moments(
        &self,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        chunks: usize,
        means: usize,
    ) -> Result<()> {
        let config = BufferConfig {
            row_major_layers: usize::MAX,
            ..config
        };
        let listed = match self.inputs.x {
            LayerInput::Dense(_) => MAX_EXAMPLES,
            LayerInput::Sparse(x) => most_stored(x),
        };
        let architecture = self.network.architecture;
        let (length, columns) = (architecture.n_params(), architecture.n_inputs());
        cancellable(self.should_cancel, |cancel| {
            self.prepare_block(scratch, chunks, config, cancel)?;
            let rows = self.plan.rows.min(self.inputs.len());
            let sums = architecture.n_neurons().saturating_mul(config.float64_sums);
            for worker in &mut scratch.workers[..self.team.threads()] {
                grow_workspace(&mut worker.float64_sums, rows, sums, cancel)?;
                let FactorBuffers { numbers, entries } = &mut worker.factors;
                grow_workspace(numbers, MAX_EXAMPLES, MAX_OUTPUTS + MAX_INPUTS, cancel)?;
                grow_workspace(entries, listed, 1, cancel)?;
            }
            grow_workspace(&mut scratch.costs, self.plan.cost_groups(), 1, cancel)?;
            let buffers = &mut scratch.moments;
            grow_workspace(&mut buffers.mean, means, 1, cancel)?;
            grow_workspace(&mut buffers.squares, length, 1, cancel)?;
            grow_workspace(&mut buffers.added, columns, 1, cancel)
        })
    }

    /// Adds the products of the elements of x that are 0.
    fn add_zeros(
        &self,
        (mean, squares): &mut (&mut [f64], &mut [f64]),
        added: &[f64],
    ) -> Result<()> {
        let layer = &self.network.architecture.layers()[0];
        let weights = layer.weights.clone();
        let mut moments = Moments {
            mean: &mut mean[weights.clone()],
            squares: &mut squares[weights],
            shape: (layer.n_in, layer.n_out),
            stride: layer.row_stride,
        };
        let n = number(self.inputs.len());
        cancellable(self.should_cancel, |cancel| {
            for (input, &added) in added.iter().enumerate() {
                if cancel.poll_after(layer.n_out) {
                    break;
                }
                if added < n {
                    moments.add_zeros(input, added, n - added);
                }
            }
            Ok(())
        })
    }
}
