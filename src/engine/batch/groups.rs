//! A gradient as the pairwise sum of the gradients of chunk groups: for small networks and large batches.

use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::base::sum::pairwise::{reserve_each, sum_pairwise};
use crate::data::{LayerInput, Targets};
use crate::engine::batch::tree::{SumTree, branches};
use crate::engine::batch::{Call, Scratch, ThreadBuffers};
use crate::engine::plan::SumOrder;
use crate::engine::workspace::BufferConfig;
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// Writes the gradient to `out`, and the costs of the cost groups to `scratch`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(super) fn sum_groups(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
        chunks_per_group: usize,
    ) -> Result<()> {
        let length = out.len();
        let threads = self.team.threads();
        let groups = self.plan.chunks.div_ceil(chunks_per_group);
        let branches = branches(groups, threads);
        let buffers = branches.clone().count() - 1;
        cancellable(self.should_cancel, |cancel| {
            self.prepare_workers(scratch)?;
            let longest = branches
                .clone()
                .next()
                .map(|branch| branch.groups(groups).len());
            // A pairwise sum of r groups needs ⌊log2 r⌋ buffers in addition to the branch's own.
            let pending = longest.unwrap_or(1).ilog2() as usize;
            self.prepare_chunks(scratch, BufferConfig::BACKPROP, cancel)?;
            for worker in &mut scratch.workers[..threads] {
                reserve_each(&mut worker.stack, pending, length, cancel)?;
            }
            reserve_each(&mut scratch.branches, buffers, length, cancel)
        })?;
        let buffers = scratch.branches[..buffers].iter_mut();
        let tree = SumTree::new(groups, out, buffers.map(|buffer| &mut buffer[..length]));
        let cost_groups = chunks_per_group * self.plan.cost_groups_per_chunk();
        let mut costs = &mut scratch.costs[..self.plan.cost_groups()];
        let tasks = branches.map(|branch| {
            let these = costs.len().min(branch.groups(groups).len() * cost_groups);
            let costs = costs.split_off_mut(..these).unwrap_or_default();
            (branch, costs)
        });
        let workers = &mut scratch.workers[..threads];
        self.team.run(
            workers,
            tasks,
            self.should_cancel,
            |worker, (branch, costs), cancel| {
                let Some(out) = tree.buffer_for(branch, cancel) else {
                    return;
                };
                let groups = branch.groups(groups).map(|group| group * chunks_per_group);
                let groups = groups.zip(costs.chunks_mut(cost_groups));
                self.branch(targets, groups, worker, out, cancel);
                tree.complete(branch, out, cancel);
            },
        )
    }

    /// Writes the pairwise sum of the gradients of the groups `groups`, each given by its first chunk, to
    /// `out`, and their costs to theirs.
    fn branch<'b>(
        &self,
        targets: &Targets<'_, T>,
        groups: impl Iterator<Item = (usize, &'b mut [f64])>,
        worker: &mut ThreadBuffers<T>,
        out: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let ThreadBuffers {
            workspace,
            stack,
            pack_buffer,
            ..
        } = worker;
        // The terms of a CSR x are added to the existing values one by one.
        let adds = self.plan.sum == SumOrder::SINGLE_CHUNKS
            && matches!(self.inputs.x, LayerInput::Dense(_));
        let add_group = |(first, costs): (usize, &mut [f64]), out: &mut [T], add| {
            let costs = costs.chunks_mut(self.plan.cost_groups_per_chunk());
            for (index, costs) in costs.enumerate() {
                let onto = match (add, index) {
                    (true, _) => Accumulate::Sum,
                    (false, 0) => Accumulate::Overwrite,
                    (false, _) => Accumulate::Terms,
                };
                if cancel.poll_after(0) {
                    return;
                }
                let rows = self.plan.rows_of(first + index);
                workspace.with_chunks(rows.len(), rows.len(), |buffers| {
                    let context = &mut Context::new(pack_buffer, cancel);
                    self.costs_chunk(targets, &rows, buffers, costs, context);
                    self.gradient_chunk(targets, &rows, buffers, (out, onto), context);
                });
            }
        };
        sum_pairwise(groups, out, stack, adds, cancel, add_group);
    }
}
