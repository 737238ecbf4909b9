//! A gradient divided into slices, each summed over all examples of a block in order. Used for large
//! networks, whose gradient is then written once, and for small batches, where slices keep every thread
//! busy.

use std::ops::Range;

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{COPIED_PER_POLL, CancelToken, cancellable};
use crate::base::error::Result;
use crate::base::sum::compensated::add_compensated;
use crate::engine::batch::gradient_sum::slices::{Block, GradientSlice, GradientSlices};
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::scratch::ThreadBuffers;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, Workspace};
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;
use crate::kernels::tuning::slices::{
    MIN_SLICE_NEURONS, MIN_SLICE_WORK, SLICES_PER_THREAD, SPARSE_SLICES_PER_THREAD,
};
use crate::model::architecture::Layer;
use crate::model::cost::Cost;

impl<T: Real> Call<'_, T> {
    /// Writes the gradient to `gradient`, and the costs of the cost groups to `scratch`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(in crate::engine::batch) fn sum_blocks(
        &self,
        pass: &dyn Pass<T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
        chunks_per_block: usize,
    ) -> Result<()> {
        let plan = &self.plan;
        let several = plan.chunks > chunks_per_block;
        let in_block = chunks_per_block.min(plan.chunks);
        let neurons = self.neurons_per_slice(in_block);
        cancellable(self.should_cancel, |cancel| {
            self.prepare_block(scratch, in_block, pass.config(), cancel)?;
            if several {
                let longest = self.network.architecture.layers().iter().enumerate();
                let longest =
                    longest.map(|(index, layer)| neurons(index, layer) * layer.row_stride);
                let longest = longest.max().unwrap_or(0);
                for worker in &mut scratch.workers[..self.team.threads()] {
                    grow_workspace(&mut worker.slice, longest, 1, cancel)?;
                }
                grow_workspace(&mut scratch.compensation, gradient.len(), 1, cancel)?;
            }
            Ok(())
        })?;
        cancellable(self.should_cancel, |cancel| {
            for index in 0..plan.chunks.div_ceil(chunks_per_block) {
                // Each phase has its own timer, and may be shorter than its interval; so poll here too.
                if index > 0 && cancel.poll() {
                    break;
                }
                let chunks = plan.chunks_of(index, chunks_per_block);
                self.errors_of_block(pass, scratch, chunks.clone())?;
                let Scratch {
                    workers,
                    block,
                    compensation,
                    ..
                } = &mut *scratch;
                let block = self.block(pass, block, &chunks);
                let compensation = if several {
                    &mut compensation[..gradient.len()]
                } else {
                    &mut []
                };
                let (mut sums, mut compensation) = (&mut *gradient, compensation);
                let slices =
                    GradientSlices::new(self.network.architecture, &neurons).map_while(|slice| {
                        let sum = sums.split_off_mut(..slice.length)?;
                        let compensation = compensation
                            .split_off_mut(..slice.length)
                            .unwrap_or_default();
                        Some((slice, sum, compensation))
                    });
                let workers = &mut workers[..self.team.threads()];
                self.team.run(
                    workers,
                    slices,
                    self.should_cancel,
                    |worker, (slice, sum, compensation), cancel| {
                        add_slice(
                            block,
                            &slice,
                            (sum, compensation),
                            index == 0,
                            worker,
                            cancel,
                        );
                    },
                )?;
            }
            Ok(())
        })
    }

    /// Allocates the buffers for the chunks of a block, and for the threads.
    ///
    /// # Errors
    /// Memory runs out.
    pub(in crate::engine::batch) fn prepare_block(
        &self,
        scratch: &mut Scratch<T>,
        chunks: usize,
        config: BufferConfig,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        self.prepare_workers(scratch)?;
        let n = self.plan.rows_in(&(0..chunks)).len();
        self.prepare(&mut scratch.block, n, config, cancel)
    }

    /// The forward pass and the errors of the chunks of a block, and the costs of their cost groups.
    ///
    /// # Errors
    /// The call is cancelled.
    pub(in crate::engine::batch) fn errors_of_block(
        &self,
        pass: &dyn Pass<T>,
        scratch: &mut Scratch<T>,
        chunks: Range<usize>,
    ) -> Result<()> {
        let plan = &self.plan;
        let (n, per_chunk) = (plan.rows_in(&chunks).len(), plan.cost_groups_per_chunk());
        let Scratch {
            workers,
            block,
            costs,
            ..
        } = scratch;
        let costs = costs[chunks.start * per_chunk..].chunks_mut(per_chunk);
        self.each_chunk_of_block(workers, (block, n), chunks.zip(costs), |chunk, costs| {
            self.errors_chunk(pass, chunk, costs);
        })
    }

    /// Calls `work` for some chunks, with their items and their buffers in `block`, which holds `n` examples.
    fn each_chunk_of_block<P: Send>(
        &self,
        workers: &mut [ThreadBuffers<T>],
        (block, n): (&mut Workspace<T>, usize),
        chunks: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(&mut Chunk<'_, '_, T>, P) + Sync,
    ) -> Result<()> {
        let plan = &self.plan;
        let (depth, layers) = (block.depth, block.layers.len());
        block.with_chunks(n, plan.rows, |buffers| {
            self.team.run(
                &mut workers[..self.team.threads()],
                chunks.zip(buffers.chunks_mut(layers)),
                self.should_cancel,
                |worker, ((chunk, items), layers), cancel| {
                    let (layers, derivatives) = layers.split_at_mut(depth);
                    let chunk = &mut Chunk {
                        rows: plan.rows_of(chunk),
                        layers,
                        derivatives,
                        float64_sums: &mut worker.float64_sums,
                        context: Context::new(&mut worker.pack_buffer, cancel),
                    };
                    work(chunk, items);
                },
            )
        })
    }

    /// The forward pass of the only block, into the block's buffers, and the outputs for a custom cost, (n,
    /// n_L), to `out`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(in crate::engine::batch) fn forward_block(
        &self,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let (plan, architecture) = (&self.plan, self.network.architecture);
        cancellable(self.should_cancel, |cancel| {
            self.prepare_block(scratch, plan.chunks, BufferConfig::BACKPROP, cancel)
        })?;
        let takes_z = architecture.cost() == Cost::CustomOfZ;
        let outputs = out.chunks_mut(plan.rows * architecture.n_outputs());
        let n = plan.rows_in(&(0..plan.chunks)).len();
        let Scratch { workers, block, .. } = scratch;
        self.each_chunk_of_block(workers, (block, n), outputs.enumerate(), |chunk, out| {
            self.forward_chunk(chunk, None);
            if let Some(output) = chunk.layers.last() {
                out.copy_from_slice(if takes_z { output.z } else { output.a });
            }
        })
    }

    /// The examples of `chunks`, with what [`Self::errors_of_block`] has computed into `workspace`.
    fn block<'b>(
        &'b self,
        pass: &'b dyn Pass<T>,
        workspace: &'b Workspace<T>,
        chunks: &Range<usize>,
    ) -> Block<'b, T> {
        let plan = &self.plan;
        let rows = plan.rows_in(chunks);
        let x = self.inputs.row_range(&rows);
        Block::new(self.network.architecture, x, workspace, plan.rows).of_pass(pass, rows.start)
    }

    /// How many neurons' outgoing weights a slice of a layer's gradient has.
    pub(in crate::engine::batch) fn neurons_per_slice(
        &self,
        chunks: usize,
    ) -> impl Fn(usize, &Layer) -> usize + Copy {
        let rows = self.inputs.n.min(chunks * self.plan.rows);
        let (threads, inputs) = (self.team.threads(), self.inputs.row_range(&(0..rows)));
        let work = if threads == 1 {
            usize::MAX
        } else {
            inputs.products(self.network.architecture) / (threads * SLICES_PER_THREAD)
        };
        let work = work.max(MIN_SLICE_WORK);
        let nnz = inputs.nnz();
        move |index, layer| {
            if let Some(nnz) = nnz
                && index == 0
            {
                let most = if threads == 1 {
                    1
                } else {
                    SPARSE_SLICES_PER_THREAD * threads
                };
                let work = (layer.n_in.saturating_add(nnz)).saturating_mul(layer.n_out);
                return layer.n_in.div_ceil((work / MIN_SLICE_WORK).clamp(1, most));
            }
            let least = MIN_SLICE_NEURONS.min(layer.n_in.div_ceil(2 * threads));
            (work / (rows * layer.n_out)).clamp(least, layer.n_in)
        }
    }
}

/// Computes a slice of the gradient of a block: overwrites the slice for the first block, else adds to it.
fn add_slice<T: Real>(
    block: Block<'_, T>,
    slice: &GradientSlice,
    (sum, compensation): (&mut [T], &mut [T]),
    first: bool,
    worker: &mut ThreadBuffers<T>,
    cancel: &CancelToken<'_>,
) {
    let ThreadBuffers {
        pack_buffer,
        slice: buffer,
        ..
    } = worker;
    let context = &mut Context::new(pack_buffer, cancel);
    if first {
        block.sum(slice, Accumulate::Overwrite, sum, context);
        for compensation in compensation.chunks_mut(COPIED_PER_POLL) {
            compensation.fill(T::ZERO);
            cancel.poll_after(compensation.len());
        }
    } else {
        let buffer = &mut buffer[..sum.len()];
        block.sum(slice, Accumulate::Overwrite, buffer, context);
        if !cancel.poll_after(0) {
            add_compensated(sum, compensation, buffer, cancel);
        }
    }
}
