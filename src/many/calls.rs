//! A forward pass or a gradient of one network, among those of others.

use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::engine::plan::Plan;
use crate::kernels::real::Real;
use crate::many::schedule::Job;
use crate::model::network::Network;
use crate::pool::Team;

/// A call of one network.
#[derive(Debug)]
pub struct NetworkCall<'a, T> {
    /// The network.
    pub network: Network<'a, T>,
    /// x.
    pub inputs: Inputs<'a, T>,
    /// What to compute.
    pub task: Task<'a, T>,
}

/// What a call computes.
#[derive(Debug)]
pub enum Task<'a, T> {
    /// a^L, (n, n_L).
    Forward(&'a mut [T]),
    /// C and its gradient.
    Backprop {
        /// The targets and weights.
        targets: Targets<'a, T>,
        /// Where the gradient goes.
        gradient: &'a mut [T],
        /// Where C goes.
        cost: &'a mut f64,
    },
}

impl<T: Real> NetworkCall<'_, T> {
    /// The work of the forward pass, in multiply-adds.
    pub fn work(&self) -> usize {
        self.inputs.work(self.network.architecture)
    }
}

impl<T: Real> Job for NetworkCall<'_, T> {
    type Scratch = Scratch<T>;

    fn threads(&self, allowed: usize) -> usize {
        Plan::of(self.network.architecture, &self.inputs, allowed).threads
    }

    fn run(
        &mut self,
        scratch: &mut Scratch<T>,
        team: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let alone = Team::alone();
        // The team was assembled for the network that can use most threads.
        let team = if self.threads(team.threads()) == 1 {
            &alone
        } else {
            team
        };
        let should_cancel = cancel.should_cancel();
        let call = Call::new(self.network, self.inputs, team, &should_cancel);
        match &mut self.task {
            Task::Forward(out) => call.forward(scratch, out),
            Task::Backprop {
                targets,
                gradient,
                cost,
            } => {
                **cost = call.backprop(targets, scratch, gradient)?;
                Ok(())
            }
        }
    }
}
