//! A batch, cut as its [`Plan`] says, run on a team of threads, summed in order.
//!
//! A sum has the same bits at any number of threads, because its order follows from the plan, and
//! its error does not grow with n: chunks are added pairwise in `runs`, or with compensation in
//! `blocks`.

mod blocks;
mod chunk;
pub(crate) mod fused_step;
mod groups;
mod slices;
mod small_batch;
mod trace;
mod tree;

use std::ops::Range;

use crate::base::alloc::{reserve, reserve_list};
use crate::base::cancel::{Pulse, Question, watch};
use crate::base::error::Result;
use crate::base::sum::sum;
use crate::data::{Inputs, Targets};
use crate::engine::dropout::Dropout;
use crate::engine::plan::{Plan, Sum};
use crate::engine::workspace::{Buffers, Keep, Workspace};
use crate::kernels::gemm;
use crate::kernels::real::Real;
use crate::model::architecture::Network;
use crate::pool::Team;

/// What calls leave behind for later ones: buffers that fit already are not allocated again.
#[derive(Debug, Default)]
pub struct Scratch<T: 'static> {
    workers: Vec<Worker<T>>,
    costs: Vec<f64>,
    /// The sums of all branches but the first, whose place is the result.
    branches: Vec<Vec<T>>,
    /// The chunks of a block.
    block: Workspace<T>,
    /// What the sum over the blocks lost.
    lost: Vec<T>,
    /// z^l of few examples, share by share.
    shares: Vec<T>,
}

/// The buffers of one thread.
#[derive(Debug, Default)]
struct Worker<T: 'static> {
    /// What a product needs.
    room: Vec<T>,
    workspace: Workspace<T>,
    /// Partial sums of the branch at work, all but the lowest, whose place is the branch's own.
    stack: Vec<Vec<T>>,
    /// A part of a block's gradient.
    part: Vec<T>,
}

/// One call: a network with its parameters, a batch, and the threads to run it on.
pub struct Call<'a, T> {
    network: &'a Network,
    params: &'a [T],
    inputs: Inputs<'a, T>,
    plan: Plan,
    team: &'a Team,
    question: Question<'a>,
    dropout: Option<Dropout<'a>>,
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
        let plan = Plan::of(network, &inputs, team.threads());
        Self::planned(network, params, inputs, plan, team, question)
    }

    /// The same with the plan that the team was assembled for, made anew if the team is smaller.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub(crate) fn planned(
        network: &'a Network,
        params: &'a [T],
        inputs: Inputs<'a, T>,
        plan: Plan,
        team: &'a Team,
        question: Question<'a>,
    ) -> Self {
        assert_eq!(params.len(), network.length(), "the length of params");
        let plan = if plan.threads == team.threads() {
            plan
        } else {
            Plan::of(network, &inputs, team.threads())
        };
        Self {
            network,
            params,
            inputs,
            plan,
            team,
            question,
            dropout: None,
        }
    }

    /// The same with hidden neurons dropped.
    pub(crate) fn with_dropout(self, dropout: Option<Dropout<'a>>) -> Self {
        Self { dropout, ..self }
    }

    /// a^L into `out`, (n, n_L).
    ///
    /// # Errors
    /// No memory, or interrupted: `out` is then half-written.
    ///
    /// # Panics
    /// `out` has another length.
    pub fn forward(&self, scratch: &mut Scratch<T>, out: &mut [T]) -> Result<()> {
        let width = self.network.n_outputs();
        assert_eq!(out.len(), self.inputs.n * width, "the length of out");
        if self.has_few() && self.dropout.is_none() {
            return self.forward_few(scratch, out);
        }
        let chunks = out.chunks_mut(self.plan.rows * width).enumerate();
        self.each_chunk(
            scratch,
            Keep::ACTIVATIONS,
            chunks,
            |rows, buffers, out, room, pulse| {
                self.forward_chunk(&rows, buffers, Some(out), room, pulse);
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
            reserve(&mut costs, self.plan.grains(), 1, pulse)
        })?;
        let per_chunk = costs[..self.plan.grains()].chunks_mut(self.plan.grains_per_chunk());
        let chunks = per_chunk.enumerate();
        self.each_chunk(
            scratch,
            Keep::ACTIVATIONS,
            chunks,
            |rows, buffers, costs, room, pulse| {
                self.costs_chunk(targets, &rows, buffers, room, costs, pulse);
            },
        )?;
        scratch.costs = costs;
        Ok(self.total(targets, scratch))
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
        assert_eq!(gradient.len(), self.params.len(), "the length of gradient");
        watch(self.question, |pulse| {
            reserve(&mut scratch.costs, self.plan.grains(), 1, pulse)
        })?;
        match self.plan.sum {
            Sum::Runs { chunks_per_run } => {
                self.sum_runs(targets, scratch, gradient, chunks_per_run)?;
            }
            Sum::Blocks { chunks_per_block } => {
                self.sum_blocks(targets, scratch, gradient, chunks_per_block)?;
            }
        }
        Ok(self.total(targets, scratch))
    }

    /// C from the costs of the grains.
    fn total(&self, targets: &Targets<'_, T>, scratch: &Scratch<T>) -> f64 {
        let costs = scratch.costs[..self.plan.grains()].iter().copied();
        sum(costs) / targets.divisor()
    }

    /// Does `work` for every chunk: its rows, buffers for them, what it is given, what a product needs.
    fn each_chunk<P: Send>(
        &self,
        scratch: &mut Scratch<T>,
        keep: Keep,
        chunks: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(Range<usize>, &mut [Buffers<&mut [T]>], P, &mut [T], &Pulse<'_>) + Sync,
    ) -> Result<()> {
        watch(self.question, |pulse| {
            self.prepare_workers(scratch)?;
            self.prepare_chunks(scratch, keep, pulse)
        })?;
        let workers = &mut scratch.workers[..self.team.threads()];
        self.team.run(
            workers,
            chunks,
            self.question,
            |worker, (chunk, part), pulse| {
                let Worker {
                    workspace, room, ..
                } = worker;
                let rows = self.plan.rows_of(chunk);
                workspace.with_chunks(rows.len(), rows.len(), |buffers| {
                    work(rows, buffers, part, room, pulse);
                });
            },
        )
    }

    /// Makes a worker for every thread, with the room for its products.
    fn prepare_workers(&self, scratch: &mut Scratch<T>) -> Result<()> {
        let threads = self.team.threads();
        if let Some(missing) = threads.checked_sub(scratch.workers.len()) {
            reserve_list("workspace", &mut scratch.workers, missing)?;
            scratch.workers.resize_with(threads, Worker::default);
        }
        let weights = self
            .network
            .layers()
            .iter()
            .map(|layer| layer.weights.len());
        let room = gemm::room::<T>(weights.max().unwrap_or(0));
        let mut workers = scratch.workers[..threads].iter_mut();
        workers.try_for_each(|worker| reserve(&mut worker.room, room, 1, &Pulse::none()))
    }

    /// Makes room for a chunk in each worker.
    fn prepare_chunks(
        &self,
        scratch: &mut Scratch<T>,
        keep: Keep,
        pulse: &Pulse<'_>,
    ) -> Result<()> {
        let rows = self.plan.rows.min(self.inputs.n);
        let mut workers = scratch.workers[..self.team.threads()].iter_mut();
        workers.try_for_each(|worker| self.prepare(&mut worker.workspace, rows, keep, pulse))
    }

    /// Makes room for the chunks of `n` examples.
    fn prepare(
        &self,
        workspace: &mut Workspace<T>,
        n: usize,
        keep: Keep,
        pulse: &Pulse<'_>,
    ) -> Result<()> {
        let rows = self.plan.rows.min(self.inputs.n);
        let keep = Keep {
            by_example: keep.by_example.max(usize::from(self.inputs.by_example())),
            ..keep
        };
        let dropout = self.dropout.as_ref();
        workspace.prepare(self.network, (n, rows), keep, dropout, pulse)
    }
}
