//! A gradient as the sum of the gradients of its runs, in pairs: for small networks and large batches.

use crate::base::cancel::{Pulse, watch};
use crate::base::error::Result;
use crate::base::sum::pairwise::{reserve_each, sum_pairwise};
use crate::data::{Incoming, Targets};
use crate::engine::batch::tree::{Tree, branches};
use crate::engine::batch::{Call, Scratch, Worker};
use crate::engine::workspace::Keep;
use crate::kernels::gemm::Onto;
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// The gradient into `place`, the costs of the chunks into `scratch`.
    ///
    /// # Errors
    /// No memory, or interrupted.
    pub(super) fn sum_runs(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        place: &mut [T],
        chunks_per_run: usize,
    ) -> Result<()> {
        let length = place.len();
        let threads = self.team.threads();
        let runs = self.plan.chunks.div_ceil(chunks_per_run);
        let branches = branches(runs, threads);
        let rooms = branches.clone().count() - 1;
        watch(self.question, |pulse| {
            self.prepare_workers(scratch)?;
            let longest = branches
                .clone()
                .next()
                .map(|branch| branch.runs(runs).len());
            // As many sums as the number of its runs has bits wait at once, the lowest in its room.
            let waiting = longest.unwrap_or(1).ilog2() as usize;
            self.prepare_chunks(scratch, Keep::ERRORS, pulse)?;
            for worker in &mut scratch.workers[..threads] {
                reserve_each(&mut worker.stack, waiting, length, pulse)?;
            }
            reserve_each(&mut scratch.branches, rooms, length, pulse)
        })?;
        let rooms = scratch.branches[..rooms].iter_mut();
        let tree = Tree::new(runs, place, rooms.map(|room| &mut room[..length]));
        let grains = chunks_per_run * self.plan.grains_per_chunk();
        let mut costs = &mut scratch.costs[..self.plan.grains()];
        let tasks = branches.map(|branch| {
            let these = costs.len().min(branch.runs(runs).len() * grains);
            let costs = costs.split_off_mut(..these).unwrap_or_default();
            (branch, costs)
        });
        let workers = &mut scratch.workers[..threads];
        self.team.run(
            workers,
            tasks,
            self.question,
            |worker, (branch, costs), pulse| {
                let Some(place) = tree.room(branch, pulse) else {
                    return;
                };
                let runs = branch.runs(runs).map(|run| run * chunks_per_run);
                let runs = runs.zip(costs.chunks_mut(grains));
                self.branch(targets, runs, chunks_per_run, worker, place, pulse);
                tree.join(branch, place, pulse);
            },
        )
    }

    /// The gradients of `runs`, each named by its first chunk, added pairwise, into `place`; the
    /// costs of each into their place.
    fn branch<'b>(
        &self,
        targets: &Targets<'_, T>,
        runs: impl Iterator<Item = (usize, &'b mut [f64])>,
        chunks_per_run: usize,
        worker: &mut Worker<T>,
        place: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        let Worker {
            workspace,
            stack,
            room,
            ..
        } = worker;
        // The terms of a sparse x are added to what is there one by one.
        let adds = chunks_per_run == 1 && matches!(self.inputs.x, Incoming::Dense(_));
        let run = |(first, costs): (usize, &mut [f64]), place: &mut [T], add| {
            let costs = costs.chunks_mut(self.plan.grains_per_chunk());
            for (index, costs) in costs.enumerate() {
                let onto = match (add, index) {
                    (true, _) => Onto::Sum,
                    (false, 0) => Onto::Nothing,
                    (false, _) => Onto::Terms,
                };
                if pulse.stopped_after(0) {
                    return;
                }
                let rows = self.plan.rows_of(first + index);
                workspace.with_chunks(rows.len(), rows.len(), |buffers| {
                    self.gradient_chunk(targets, &rows, buffers, costs, place, onto, room, pulse);
                });
            }
        };
        sum_pairwise(runs, place, stack, adds, pulse, run);
    }
}
