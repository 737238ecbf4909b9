//! Runs a batch, divided as its `Plan` says, on a team of threads, and sums in a fixed order.
//!
//! A sum has the same bits at any number of threads, because its order follows from the plan. Its error
//! does not grow with n: groups of chunks are added pairwise, and blocks with compensation (`gradient_sum`).

mod chunk;
pub(crate) mod example_squares;
pub(crate) mod fused_step;
mod gradient_sum;
pub(crate) mod measured_step;
mod moments;
pub(crate) mod pass;
mod run_chunks;
mod scratch;
mod small_batch_forward;
mod trace;

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{ShouldCancel, cancellable};
use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::{Inputs, Targets};
use crate::engine::batch::pass::{Backprop, Chunk, Pass};
use crate::engine::dropout::Dropout;
use crate::engine::plan::{Plan, SumOrder};
use crate::engine::workspace::BufferConfig;
use crate::kernels::real::Real;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::pool::Team;

pub use scratch::Scratch;

/// A call: a network with its parameters, a batch, and the threads that run it.
#[derive(Clone, Copy)]
pub struct Call<'a, T> {
    pub(crate) network: Network<'a, T>,
    pub(crate) inputs: Inputs<'a, T>,
    pub(crate) plan: Plan,
    team: &'a Team,
    pub(crate) should_cancel: ShouldCancel<'a>,
    dropout: Option<Dropout<'a>>,
}

impl<'a, T: Real> Call<'a, T> {
    /// `should_cancel` is called on the calling thread every 25 ms or so; true cancels the call.
    pub fn new(
        network: Network<'a, T>,
        inputs: Inputs<'a, T>,
        team: &'a Team,
        should_cancel: ShouldCancel<'a>,
    ) -> Self {
        let plan = Plan::of(network.architecture, &inputs, team.threads());
        Self::planned(network, inputs, plan, team, should_cancel)
    }

    /// Like `new`, with the plan that the team was assembled for; makes a new plan if the team is smaller.
    pub(crate) fn planned(
        network: Network<'a, T>,
        inputs: Inputs<'a, T>,
        plan: Plan,
        team: &'a Team,
        should_cancel: ShouldCancel<'a>,
    ) -> Self {
        let plan = if plan.threads == team.threads() {
            plan
        } else {
            plan.on(network.architecture, team.threads())
        };
        Self {
            network,
            inputs,
            plan,
            team,
            should_cancel,
            dropout: None,
        }
    }

    /// The same call with dropout of hidden neurons.
    #[must_use]
    pub(crate) fn with_dropout(self, dropout: Option<Dropout<'a>>) -> Self {
        Self { dropout, ..self }
    }

    /// Writes a^L to `out`, (n, n_L).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled. Then `out` is partially written.
    ///
    /// # Panics
    /// `out` has another length.
    pub fn forward(&self, scratch: &mut Scratch<T>, out: &mut [T]) -> Result<()> {
        let width = self.network.architecture.n_outputs();
        assert_eq!(out.len(), self.inputs.n * width, "the length of out");
        if self.splits_neurons() && self.dropout.is_none() {
            return self.forward_by_neurons(scratch, out);
        }
        let chunks = out.chunks_mut(self.plan.rows * width).enumerate();
        self.each_chunk(scratch, BufferConfig::FORWARD, chunks, |chunk, out| {
            self.forward_chunk(chunk, Some(out));
        })
    }

    /// What a custom cost takes, into `out`, (n, n_L): a^L, or z^L.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn outputs(&self, scratch: &mut Scratch<T>, out: &mut [T]) -> Result<()> {
        if self.network.architecture.cost() != Cost::CustomOfZ {
            return self.forward(scratch, out);
        }
        let width = self.network.architecture.n_outputs();
        let chunks = out.chunks_mut(self.plan.rows * width).enumerate();
        self.each_chunk(scratch, BufferConfig::FORWARD, chunks, |chunk, out| {
            self.forward_chunk(chunk, None);
            if let Some(output) = chunk.layers.last() {
                out.copy_from_slice(output.z);
            }
        })
    }

    /// The same, which also keeps the forward pass for [`Self::take_stored_forward`] if the batch is one block.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub(crate) fn outputs_and_forward(
        &self,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        scratch.stored_forward = None;
        if !self.plan.is_one_block() {
            return self.outputs(scratch, out);
        }
        self.forward_block(scratch, out)?;
        scratch.stored_forward = Some(self.plan);
        Ok(())
    }

    /// Whether `scratch` holds the forward pass of this very call, kept by [`Self::outputs_and_forward`] of the
    /// same batch and parameters. It is then no longer kept for another call.
    pub(crate) fn take_stored_forward(&self, scratch: &mut Scratch<T>) -> bool {
        scratch.stored_forward.take() == Some(self.plan)
    }

    /// C.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn cost(&self, targets: &Targets<'_, T>, scratch: &mut Scratch<T>) -> Result<f64> {
        self.cost_after(targets, scratch, BufferConfig::FORWARD, |chunk| {
            self.forward_chunk(chunk, None);
        })
    }

    /// C after `forward`, the forward pass of a chunk.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub(crate) fn cost_after(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        forward: impl Fn(&mut Chunk<'_, '_, T>) + Sync,
    ) -> Result<f64> {
        let mut costs = std::mem::take(&mut scratch.costs);
        cancellable(self.should_cancel, |cancel| {
            grow_workspace(&mut costs, self.plan.cost_groups(), 1, cancel)
        })?;
        let per_chunk =
            costs[..self.plan.cost_groups()].chunks_mut(self.plan.cost_groups_per_chunk());
        self.each_chunk(scratch, config, per_chunk.enumerate(), |chunk, costs| {
            forward(chunk);
            self.group_costs(targets, chunk, costs);
        })?;
        scratch.costs = costs;
        Ok(self.total(targets, scratch))
    }

    /// `C_x` of each example, without weights, into `out`, (n,).
    ///
    /// # Errors
    /// As [`Self::forward`].
    ///
    /// # Panics
    /// `out` has another length.
    pub fn costs(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        self.costs_after(targets, scratch, BufferConfig::FORWARD, out, |chunk| {
            self.forward_chunk(chunk, None);
        })
    }

    /// The same after `forward`, the forward pass of a chunk.
    ///
    /// # Errors
    /// As [`Self::forward`].
    ///
    /// # Panics
    /// `out` has another length.
    pub(crate) fn costs_after(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        out: &mut [f64],
        forward: impl Fn(&mut Chunk<'_, '_, T>) + Sync,
    ) -> Result<()> {
        assert_eq!(out.len(), self.inputs.n, "the length of out");
        let chunks = out.chunks_mut(self.plan.rows).enumerate();
        self.each_chunk(scratch, config, chunks, |chunk, costs| {
            forward(chunk);
            self.example_costs_of_chunk(targets, chunk, costs);
        })
    }

    /// ∂C/∂W^l and ∂C/∂b^l, l = 2 … L, into `gradient`, which has the layout of the parameters. Returns C.
    ///
    /// # Errors
    /// As [`Self::forward`].
    ///
    /// # Panics
    /// `gradient` and the parameters differ in length.
    pub fn backprop(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<f64> {
        self.backprop_from(&Backprop::new(targets), scratch, gradient)
    }

    /// The same from a forward pass that may be known.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub(crate) fn backprop_from(
        &self,
        backprop: &Backprop<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<f64> {
        self.gradient(backprop, scratch, gradient)?;
        Ok(self.total(backprop.targets, scratch))
    }

    /// The sum over the batch of the products of `pass`, into `gradient`, which has the layout of the
    /// parameters.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub(crate) fn gradient(
        &self,
        pass: &dyn Pass<T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<()> {
        assert_eq!(
            gradient.len(),
            self.network.params.len(),
            "the length of gradient"
        );
        cancellable(self.should_cancel, |cancel| {
            grow_workspace(&mut scratch.costs, self.plan.cost_groups(), 1, cancel)
        })?;
        match self.plan.sum {
            SumOrder::Groups { chunks_per_group } => {
                self.sum_groups(pass, scratch, gradient, chunks_per_group)
            }
            SumOrder::Blocks { chunks_per_block } => {
                self.sum_blocks(pass, scratch, gradient, chunks_per_block)
            }
        }
    }

    /// C from the costs of the cost groups.
    pub(crate) fn total(&self, targets: &Targets<'_, T>, scratch: &Scratch<T>) -> f64 {
        let costs = scratch.costs[..self.plan.cost_groups()].iter().copied();
        Extended::sum(costs).over(targets.divisor())
    }
}
