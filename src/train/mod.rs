//! Training: steps over mini-batches, without returning to the caller between them.
//!
//! A step takes some examples, computes the gradient of their cost, and updates the parameters. A step is
//! done completely or not at all: cancellation takes effect between two steps.
//!
//! The cost of a step of n examples is Σ `s_x` `C_x` / n, whether or not Σ s is n: divided by the Σ s of
//! the step's own examples, weights would cancel out in small steps. If the mean of the weights over all
//! examples is 1, the gradient of a step is an unbiased estimate of the gradient of Σ `s_x` `C_x` / Σ `s_x`
//! over all.

mod gather;
pub mod lockstep;
pub mod monitor;
pub mod norms;
mod padded;
mod rollback;
mod step;
#[cfg(test)]
mod tests;
mod update;

use gather::GatherBuffers;
use monitor::Monitors;
use norms::MaxNormBuffers;
use padded::PaddedParams;
use rollback::save_state;

use crate::base::alloc::try_grow;
use crate::base::cancel::{CancelToken, ShouldCancel, cancellable};
use crate::base::error::Result;
use crate::base::sum::extended::ExtendedSum;
use crate::data::{Inputs, Reduction, Targets};
use crate::engine::batch;
use crate::engine::optimizer::{ParamsAndState, Rule};
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;
use crate::pool::Team;

/// The settings of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The optimizer.
    pub rule: Rule,
    /// λ of λ/2 Σ p² over weights and biases.
    pub weight_decay: f64,
    /// λ of λ/2 Σ w².
    pub l2: f64,
    /// λ of λ Σ |w|.
    pub l1: f64,
    /// Whether `l2` and `l1` are those of a full batch and grow in a step of fewer examples, as the share of
    /// each example in a loss that divides the penalty by the examples of its step.
    pub penalty_per_example: bool,
    /// The largest norm of a gradient; a longer one is scaled to it.
    pub clip_norm: Option<f64>,
    /// The largest norm of a neuron's incoming weights; longer ones are scaled to it after each step.
    pub max_norm: Option<f64>,
    /// p of each hidden layer: the probability that a neuron is dropped. Empty without dropout.
    pub dropout: Vec<f64>,
    /// The seed of dropout.
    pub seed: u64,
    /// The examples of a step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether a cost or a parameter that is not finite stops the training.
    pub check_finite: bool,
}

impl Settings {
    /// Plain steps of `batch_size` examples: no penalty, no limit of a norm, no dropout.
    pub fn new(rule: Rule, batch_size: usize) -> Self {
        Self {
            rule,
            weight_decay: 0.0,
            l2: 0.0,
            l1: 0.0,
            penalty_per_example: false,
            clip_norm: None,
            max_norm: None,
            dropout: Vec::new(),
            seed: 0,
            batch_size,
            check_finite: true,
        }
    }
}

/// C_x and its gradient for one step, computed by the caller from a^L (a custom cost).
#[derive(Debug, Clone, Copy)]
pub struct Costs<'a, T> {
    /// C_x, (n,).
    pub of_examples: &'a [f64],
    /// ∇_a C_x, (n, n_L).
    pub nabla_a: &'a [T],
}

/// A number of consecutive steps.
pub struct StepSeries<'a, T> {
    /// The network.
    pub architecture: &'a Architecture,
    /// The settings of the training.
    pub settings: &'a Settings,
    /// All examples.
    pub inputs: Inputs<'a, T>,
    /// The targets and weights of all examples. With a custom cost: any targets of the right length.
    pub targets: Targets<'a, T>,
    /// The costs, if the caller computes them; then the series is a single step.
    pub costs: Option<Costs<'a, T>>,
    /// The indices of the series' examples, in their order.
    pub order: &'a [u32],
    /// The learning rate of each step.
    pub rates: &'a [f64],
    /// The number of steps that the optimizer has done before.
    pub steps_before: u64,
    /// The threads that do the work.
    pub team: &'a Team,
    /// Called every 25 ms or so; true cancels the series.
    pub should_cancel: ShouldCancel<'a>,
}

/// The result of a series of steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Report {
    /// The number of steps done.
    pub steps: usize,
    /// Σ s_x C_x over the examples of these steps, added to the previous value: the sum of an epoch has the
    /// same bits however it is divided into series.
    pub cost: ExtendedSum,
    /// Whether the series stopped because the next step's cost or parameters are not finite; that step was not
    /// done.
    pub diverged: bool,
}

/// Buffers that are reused by later series.
#[derive(Debug, Default)]
pub struct TrainScratch<T: 'static> {
    gathered: GatherBuffers<T>,
    batch: batch::Scratch<T>,
    gradient: Vec<T>,
    norms: MaxNormBuffers<T>,
    /// The parameters and the optimizer's state from before the series.
    before: Vec<T>,
    padded: PaddedParams<T>,
}

impl<T: Real> TrainScratch<T> {
    /// Some examples, for the mean of their costs, Σ `s_x` `C_x` / Σ `s_x`.
    ///
    /// # Errors
    /// Memory runs out, or the weights have no mean.
    pub fn rows<'a>(
        &'a mut self,
        architecture: &Architecture,
        inputs: Inputs<'a, T>,
        targets: Targets<'a, T>,
        rows: &'a [u32],
    ) -> Result<(Inputs<'a, T>, Targets<'a, T>)> {
        let source = gather::Source {
            architecture,
            inputs,
            targets,
            team: &Team::alone(),
            should_cancel: &|| false,
        };
        let (inputs, targets) = self.gathered.gather(&source, rows)?;
        let weights = targets.sample_weight;
        Ok((
            inputs,
            targets.weighted(rows.len(), Reduction::Mean, weights)?,
        ))
    }
}

impl<T: Real> StepSeries<'_, T> {
    /// Does the steps: updates the parameters and the optimizer's state. `report` has the number of
    /// completed steps, also after an error; a step that it does not count has changed nothing. `monitors` get
    /// the records of completed steps, which change no bit of the parameters.
    ///
    /// # Errors
    /// Memory runs out, or the series is cancelled.
    ///
    /// # Panics
    /// The lengths do not match.
    pub fn run(
        &self,
        scratch: &mut TrainScratch<T>,
        monitors: &mut Monitors<T>,
        mut params_and_state: ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        let params_and_state = &mut params_and_state;
        assert!(
            self.rates.len() >= self.steps()
                && params_and_state.count() == self.settings.rule.n_states(),
            "a rate for each step, and the state of the optimizer"
        );
        assert_eq!(
            params_and_state.params.len(),
            self.architecture.params_len(),
            "the length of params"
        );
        assert!(
            self.costs.is_none() || self.steps() <= 1,
            "costs of the examples of one step"
        );
        (report.steps, report.diverged) = (0, false);
        // The order of the sums of a record depends on the layout of the gradient.
        let padded_architecture = if monitors.all.is_empty() {
            padded::architecture(self, params_and_state.params)?
        } else {
            None
        };
        let Some(padded_architecture) = padded_architecture else {
            return self.run_with_rollback(scratch, monitors, params_and_state, report);
        };
        let mut padded = std::mem::take(&mut scratch.padded);
        let outcome = match padded.copy(self.architecture, &padded_architecture, params_and_state) {
            Ok(mut copy) => {
                let padded_series = StepSeries {
                    architecture: &padded_architecture,
                    ..*self
                };
                let outcome = padded_series.run_with_rollback(scratch, monitors, &mut copy, report);
                padded::copy_back(
                    self.architecture,
                    &padded_architecture,
                    &copy,
                    params_and_state,
                );
                outcome
            }
            // The padded copy only saves time, so a failed allocation is not an error.
            Err(_) => self.run_with_rollback(scratch, monitors, params_and_state, report),
        };
        scratch.padded = padded;
        outcome
    }

    /// The number of steps of the series.
    fn steps(&self) -> usize {
        self.order.len().div_ceil(self.settings.batch_size)
    }

    fn do_steps(
        &self,
        (steps, cancel): (usize, &CancelToken<'_>),
        scratch: &mut TrainScratch<T>,
        monitors: &mut Monitors<T>,
        params_and_state: &mut ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        while report.steps < steps && !cancel.poll() {
            let Some(cost) = self.step(report.steps, scratch, monitors, params_and_state)? else {
                report.diverged = true;
                break;
            };
            report.steps += 1;
            report.cost.add(cost);
        }
        Ok(())
    }

    /// Allocates all buffers of the series.
    fn prepare(
        &self,
        scratch: &mut TrainScratch<T>,
        monitors: &mut Monitors<T>,
        params_and_state: &ParamsAndState<'_, T>,
    ) -> Result<()> {
        let steps = self.step_number(0)..self.step_number(self.steps());
        let batch_size = self.settings.batch_size.min(self.order.len());
        monitors.prepare(self.architecture, batch_size, steps)?;
        cancellable(self.should_cancel, |cancel| {
            if self.settings.max_norm.is_some() {
                scratch.norms.reserve(self.architecture)?;
            }
            if self.settings.check_finite {
                let before = &mut scratch.before;
                let (rows, columns) = (1 + params_and_state.count(), params_and_state.params.len());
                try_grow("params before the steps", before, rows, columns, cancel)?;
                before.truncate(rows * columns);
                if before.len() == rows * columns {
                    save_state(before, params_and_state);
                }
            }
            Ok(())
        })
    }
}
