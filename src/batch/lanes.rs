//! A gradient as the sum of its chunks' gradients: for small networks and large batches.

use std::ops::Range;

use super::{Call, Scratch, Worker};
use crate::backward::gradient;
use crate::error::Result;
use crate::examples::Targets;
use crate::interrupt::{Pulse, watch};
use crate::pairwise::{add, reserve_each, sum_pairwise};
use crate::scalar::Real;
use crate::workspace::Keep;

impl<T: Real> Call<'_, T> {
    /// The gradient into `place`, the costs of the chunks into `scratch`.
    ///
    /// # Errors
    /// No memory, or interrupted.
    pub(super) fn sum_lanes(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        place: &mut [T],
        (chunks_per_run, lanes, chunks_per_lane): (usize, usize, usize),
    ) -> Result<()> {
        let length = place.len();
        let threads = self.team.threads();
        watch(self.question, |pulse| {
            self.prepare_workers(scratch)?;
            for worker in &mut scratch.workers[..threads] {
                self.prepare(&mut worker.workspace, Keep::ERRORS, pulse)?;
                // As many sums as a lane has bits wait at once, the lowest in the lane's place.
                let waiting = (chunks_per_lane / chunks_per_run).ilog2() as usize;
                reserve_each(&mut worker.stack, waiting, length, pulse)?;
            }
            reserve_each(&mut scratch.lanes, lanes - 1, length, pulse)
        })?;
        let rest = &mut scratch.lanes[..lanes - 1];
        let places =
            std::iter::once(&mut *place).chain(rest.iter_mut().map(|lane| &mut lane[..length]));
        let costs = scratch.costs[..self.plan.grains()]
            .chunks_mut(chunks_per_lane * self.plan.grains_per_chunk());
        let tasks = (0..lanes).zip(places).zip(costs);
        let workers = &mut scratch.workers[..threads];
        self.team.run(
            workers,
            tasks,
            self.question,
            |worker, ((lane, place), costs), pulse| {
                let chunks = self.plan.chunks_of(lane, chunks_per_lane);
                let runs = chunks.step_by(chunks_per_run);
                let costs = costs.chunks_mut(chunks_per_run * self.plan.grains_per_chunk());
                self.lane(targets, runs.zip(costs), worker, place, pulse);
            },
        )?;
        // Neighbours, then neighbours of these sums, and so on; each round's sums by all threads.
        let mut distance = 1;
        while distance < rest.len() {
            let pairs = rest.chunks_mut(2 * distance);
            let pairs = pairs.filter(|pair| pair.len() > distance);
            self.team
                .run(workers, pairs, self.question, |_, pair, pulse| {
                    let (first, second) = pair.split_at_mut(distance);
                    add(&mut first[0][..length], &second[0][..length], pulse);
                })?;
            distance *= 2;
        }
        watch(self.question, |pulse| {
            if let Some(sum) = rest.first() {
                add(place, &sum[..length], pulse);
            }
            Ok(())
        })
    }

    /// The gradients of `runs`, each named by its first chunk, added pairwise, into `place`; the
    /// costs of each into their place.
    fn lane<'b>(
        &self,
        targets: &Targets<'_, T>,
        runs: impl Iterator<Item = (usize, &'b mut [f64])>,
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
        sum_pairwise(runs, place, stack, pulse, |(first, costs), place| {
            let costs = costs.chunks_mut(self.plan.grains_per_chunk());
            for (index, costs) in costs.enumerate() {
                let rows: Range<usize> = self.plan.rows_of(first + index);
                self.errors_chunk(targets, &rows, workspace, room, costs, pulse);
                if pulse.stopped_after(0) {
                    return;
                }
                let (x, add) = (self.inputs.part(&rows), index > 0);
                gradient(self.network, x, workspace, place, add, room, pulse);
            }
        });
    }
}
