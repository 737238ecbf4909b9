//! A gradient as the pairwise sum of the gradients of chunk groups: for small networks and large batches.

use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::base::sum::pairwise::{reserve_each, sum_pairwise};
use crate::data::LayerInput;
use crate::engine::batch::gradient_sum::tree::{SumTree, branches};
use crate::engine::batch::pass::Pass;
use crate::engine::batch::scratch::ThreadBuffers;
use crate::engine::batch::{Call, Scratch};
use crate::engine::plan::SumOrder;
use crate::kernels::gemm::Accumulate;
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// Writes the gradient to `out`, and the costs of the cost groups to `scratch`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(in crate::engine::batch) fn sum_groups(
        &self,
        pass: &dyn Pass<T>,
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
            self.prepare_chunks(scratch, pass.config(), cancel)?;
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
                self.branch(pass, groups, worker, out, cancel);
                tree.complete(branch, out, cancel);
            },
        )
    }

    /// Writes the pairwise sum of the gradients of the groups `groups`, each given by its first chunk, to
    /// `out`, and their costs to theirs.
    fn branch<'b>(
        &self,
        pass: &dyn Pass<T>,
        groups: impl Iterator<Item = (usize, &'b mut [Extended])>,
        worker: &mut ThreadBuffers<T>,
        out: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let mut stack = std::mem::take(&mut worker.stack);
        // The terms of a CSR x, and of a second product, are added to the existing values one by one.
        let adds = self.plan.sum == SumOrder::SINGLE_CHUNKS
            && matches!(self.inputs.x, LayerInput::Dense(_))
            && pass.products().len() == 1;
        let add_group = |(first, costs): (usize, &mut [Extended]), out: &mut [T], add| {
            let costs = costs.chunks_mut(self.plan.cost_groups_per_chunk());
            for (index, costs) in costs.enumerate() {
                let accumulate = match (add, index) {
                    (true, _) => Accumulate::Sum,
                    (false, 0) => Accumulate::Overwrite,
                    (false, _) => Accumulate::Terms,
                };
                if cancel.poll_after(0) {
                    return;
                }
                worker.with_chunk(self.plan.rows_of(first + index), cancel, |chunk| {
                    self.gradient_chunk(pass, chunk, costs, out, accumulate);
                });
            }
        };
        sum_pairwise(groups, out, &mut stack, adds, cancel, add_group);
        worker.stack = stack;
    }
}
