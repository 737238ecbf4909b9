//! A batch, cut as its [`Plan`] says, run on a team of threads, summed in order.
//!
//! Each chunk's gradient is computed by itself. A lane adds its chunks pairwise in their order, and
//! the lanes are added pairwise at the end. So a sum has the same bits at any number of threads,
//! and its error grows with the logarithm of n.

use std::ops::Range;

use crate::backward::{backward, bp3, bp4, cost};
use crate::error::Result;
use crate::examples::{Inputs, Targets};
use crate::forward::forward;
use crate::interrupt::{ELEMENT_WORK, Pulse, Question, watch};
use crate::network::Network;
use crate::pairwise::{add_pairwise, reserve_each, sum_pairwise};
use crate::plan::Plan;
use crate::pool::Team;
use crate::scalar::Real;
use crate::workspace::{Keep, PACKED, Workspace, reserve, reserve_packing};

/// What calls leave behind for later ones: buffers that fit already are not allocated again.
#[derive(Debug, Default)]
pub struct Scratch<T> {
    workers: Vec<Worker<T>>,
    /// The gradients of all lanes but the first, whose place is the result.
    lanes: Vec<Vec<T>>,
    costs: Vec<f64>,
}

/// The buffers of one thread.
#[derive(Debug, Default)]
struct Worker<T> {
    workspace: Workspace<T>,
    /// Partial sums of the lane at work, all but the lowest, whose place is the lane's own.
    stack: Vec<Vec<T>>,
}

/// One call: a network with its parameters, a batch, and the threads to run it on.
pub struct Call<'a, T> {
    network: &'a Network,
    params: &'a [T],
    inputs: Inputs<'a, T>,
    plan: Plan,
    team: &'a Team,
    question: Question<'a>,
}

impl<'a, T: Real> Call<'a, T> {
    /// `params` is the flat vector of `network`; `question` is asked on the calling thread, every
    /// 25 ms or so, whether to stop.
    ///
    /// # Panics
    /// `params` has another length than the network's.
    pub fn new(
        network: &'a Network,
        params: &'a [T],
        inputs: Inputs<'a, T>,
        team: &'a Team,
        question: Question<'a>,
    ) -> Self {
        assert_eq!(params.len(), network.n_params(), "the length of params");
        Self {
            network,
            params,
            inputs,
            plan: Plan::new(network, inputs.n),
            team,
            question,
        }
    }

    /// a^L into `out`, (n, n_L).
    ///
    /// # Errors
    /// No memory, or interrupted: `out` is then half-written.
    pub fn forward(&self, scratch: &mut Scratch<T>, out: &mut [T]) -> Result<()> {
        let width = self.network.n_outputs();
        let chunks = out.chunks_mut(self.plan.rows * width).enumerate();
        self.each_chunk(scratch, Keep::NeededZ, chunks, |workspace, _, _, out| {
            out.copy_from_slice(&workspace.layers[self.last()].a[..out.len()]);
        })
    }

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
            Keep::EveryZ,
            chunks,
            |workspace, _, pulse, (z, a)| {
                for ((z, a), buffers) in z.into_iter().zip(a).zip(&workspace.layers) {
                    copy(z, &buffers.z, pulse);
                    copy(a, &buffers.a, pulse);
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
            Keep::NeededZ,
            chunks,
            |workspace, rows, pulse, mut out| {
                self.backward(targets, rows, workspace, pulse, |index, delta, _| {
                    copy(out[index], delta, pulse);
                });
            },
        )
    }

    /// C.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn cost(&self, targets: &Targets<'_, T>, scratch: &mut Scratch<T>) -> Result<f64> {
        let mut costs = std::mem::take(&mut scratch.costs);
        watch(self.question, |pulse| {
            reserve(&mut costs, self.plan.chunks, 1, pulse)
        })?;
        let chunks = costs[..self.plan.chunks].iter_mut().enumerate();
        self.each_chunk(
            scratch,
            Keep::NeededZ,
            chunks,
            |workspace, rows, pulse, cost| {
                *cost = self.cost_of(targets, rows, workspace, pulse);
            },
        )?;
        let sum: f64 = costs[..self.plan.chunks].iter().sum();
        scratch.costs = costs;
        Ok(sum / targets.divisor())
    }

    /// ∂C/∂W^l and ∂C/∂b^l, l = 2 … L, into `gradient`, which lies as the parameters do.
    /// Returns C.
    ///
    /// # Errors
    /// As [`Self::forward`].
    ///
    /// # Panics
    /// `gradient` has another length than the parameters.
    pub fn backprop(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<f64> {
        let plan = &self.plan;
        assert_eq!(gradient.len(), self.params.len(), "the length of gradient");
        watch(self.question, |pulse| {
            self.prepare(scratch, Keep::NeededZ, pulse)?;
            for worker in &mut scratch.workers[..self.team.threads()] {
                reserve_each(&mut worker.stack, plan.depth() - 1, gradient.len(), pulse)?;
            }
            reserve_each(&mut scratch.lanes, plan.lanes - 1, gradient.len(), pulse)?;
            reserve(&mut scratch.costs, plan.chunks, 1, pulse)?;
            self.reserve_packing()
        })?;
        let Scratch {
            workers,
            lanes,
            costs,
        } = scratch;
        let workers = &mut workers[..self.team.threads()];
        let costs = &mut costs[..plan.chunks];
        let length = gradient.len();
        let rest = lanes.iter_mut().map(|lane| &mut lane[..length]);
        let places = std::iter::once(&mut *gradient).chain(rest);
        let costs_of_lanes = costs.chunks_mut(plan.chunks_per_lane);
        let tasks = (0..plan.lanes).zip(places).zip(costs_of_lanes);
        self.team.run(
            workers,
            tasks,
            self.question,
            |worker, ((lane, place), costs), pulse| {
                let chunks = plan.chunks_of(lane).zip(costs);
                self.lane(targets, chunks, worker, place, pulse);
            },
        )?;
        watch(self.question, |pulse| {
            add_pairwise(gradient, &mut lanes[..plan.lanes - 1], pulse);
            Ok(())
        })?;
        let sum: f64 = costs.iter().sum();
        Ok(sum / targets.divisor())
    }

    /// The gradients of `chunks`, added pairwise, into `place`; the cost of each into its place.
    fn lane<'b>(
        &self,
        targets: &Targets<'_, T>,
        chunks: impl Iterator<Item = (usize, &'b mut f64)>,
        worker: &mut Worker<T>,
        place: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        let Worker { workspace, stack } = worker;
        sum_pairwise(chunks, place, stack, pulse, |(chunk, cost), place| {
            if !pulse.stopped() {
                let rows = self.plan.rows_of(chunk);
                *cost = self.chunk(targets, rows, workspace, place, pulse);
            }
        });
    }

    /// The gradient of one chunk into `gradient`; returns its cost.
    fn chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: Range<usize>,
        workspace: &mut Workspace<T>,
        gradient: &mut [T],
        pulse: &Pulse<'_>,
    ) -> f64 {
        let n = rows.len();
        forward(self.network, self.params, self.x(&rows), workspace, pulse);
        let cost = self.cost_of(targets, rows.clone(), workspace, pulse);
        self.backward(targets, rows, workspace, pulse, |index, delta, a| {
            let layer = &self.network.layers()[index];
            bp3(delta, &mut gradient[layer.biases.clone()]);
            bp4(delta, a, &mut gradient[layer.weights.clone()], n, pulse);
        });
        cost
    }

    fn backward(
        &self,
        targets: &Targets<'_, T>,
        rows: Range<usize>,
        workspace: &mut Workspace<T>,
        pulse: &Pulse<'_>,
        visit: impl FnMut(usize, &[T], &[T]),
    ) {
        let x = self.x(&rows);
        backward(
            self.network,
            self.params,
            x,
            targets,
            rows,
            workspace,
            pulse,
            visit,
        );
    }

    fn cost_of(
        &self,
        targets: &Targets<'_, T>,
        rows: Range<usize>,
        ws: &Workspace<T>,
        pulse: &Pulse<'_>,
    ) -> f64 {
        let buffers = &ws.layers[self.last()];
        let length = rows.len() * self.network.n_outputs();
        let z = &buffers.z[..length.min(buffers.z.len())];
        let (kind, output) = (self.network.cost(), self.network.output());
        let a = &buffers.a[..length];
        cost(kind, output, z, a, targets, rows, pulse)
    }

    /// Runs the forward pass of every chunk, then `work` on what it left in the workspace.
    fn each_chunk<P: Send>(
        &self,
        scratch: &mut Scratch<T>,
        keep: Keep,
        chunks: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(&mut Workspace<T>, Range<usize>, &Pulse<'_>, P) + Sync,
    ) -> Result<()> {
        watch(self.question, |pulse| self.prepare(scratch, keep, pulse))?;
        let workers = &mut scratch.workers[..self.team.threads()];
        self.team.run(
            workers,
            chunks,
            self.question,
            |worker, (chunk, part), pulse| {
                let rows = self.plan.rows_of(chunk);
                let workspace = &mut worker.workspace;
                forward(self.network, self.params, self.x(&rows), workspace, pulse);
                if !pulse.stopped_after(0) {
                    work(workspace, rows, pulse, part);
                }
            },
        )
    }

    fn prepare(&self, scratch: &mut Scratch<T>, keep: Keep, pulse: &Pulse<'_>) -> Result<()> {
        let threads = self.team.threads();
        if scratch.workers.len() < threads {
            scratch.workers.resize_with(threads, Worker::default);
        }
        let rows = self.plan.rows.min(self.inputs.n);
        scratch.workers[..threads]
            .iter_mut()
            .try_for_each(|worker| worker.workspace.prepare(self.network, rows, keep, pulse))?;
        self.reserve_packing()
    }

    fn reserve_packing(&self) -> Result<()> {
        if self.network.n_weights() < PACKED {
            return Ok(());
        }
        reserve_packing(self.team.threads())
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

    fn x(&self, rows: &Range<usize>) -> &'a [T] {
        let width = self.network.n_inputs();
        &self.inputs.x[rows.start * width..rows.end * width]
    }

    fn last(&self) -> usize {
        self.network.layers().len() - 1
    }
}

/// Copies the first numbers of `from` into `to`, in pieces: fresh memory takes its time to be had.
fn copy<T: Real>(to: &mut [T], from: &[T], pulse: &Pulse<'_>) {
    const PIECE: usize = 1 << 16;
    for (to, from) in to.chunks_mut(PIECE).zip(from.chunks(PIECE)) {
        if pulse.stopped_after(PIECE * ELEMENT_WORK / 4) {
            return;
        }
        to.copy_from_slice(&from[..to.len()]);
    }
}
