//! Training: step after step over mini-batches, without a return to the caller in between.
//!
//! A step takes some examples, computes the gradient of their cost, and changes the parameters. It
//! is whole or it is not done: what is asked to stop stops between two steps.
//!
//! The cost of a step of n examples is Σ `s_x` `C_x` / n, where Σ s is n or not: divided by the Σ s of its
//! own examples, weights would cancel out in small steps. With weights whose mean over all examples
//! is 1, the gradient of a step is an unbiased estimate of that of Σ `s_x` `C_x` / Σ `s_x` over all.

mod gather;
mod norms;
mod padded;
mod step;
#[cfg(test)]
mod tests;

use gather::GatherBuffers;
use norms::Norms;
use padded::PaddedParams;

use crate::base::alloc::reserve_for;
use crate::base::cancel::{CancelToken, ShouldCancel, cancellable};
use crate::base::error::Result;
use crate::base::sum::CompensatedSum;
use crate::data::{Inputs, Targets};
use crate::engine::batch;
use crate::engine::optimizer::{ParamsAndState, Rule};
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;
use crate::pool::Team;

/// How a network is trained.
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
    /// The longest gradient; a longer one is shortened to this norm.
    pub clip_norm: Option<f64>,
    /// The longest vector of weights into a neuron; a longer one is shortened after each step.
    pub max_norm: Option<f64>,
    /// p of each hidden layer: the probability that a neuron is dropped. Empty: none is.
    pub dropout: Vec<f64>,
    /// What decides which.
    pub seed: u64,
    /// The examples of a step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether a cost or a parameter that is not finite ends the training.
    pub check_finite: bool,
}

/// What the caller has computed from a^L of the examples of one step, where the cost is its own.
#[derive(Debug, Clone, Copy)]
pub struct Costs<'a, T> {
    /// C_x, (n,).
    pub of_examples: &'a [f64],
    /// ∇_a C_x, (n, n_L).
    pub nabla_a: &'a [T],
}

/// What a run of steps works on.
pub struct Run<'a, T> {
    /// The network.
    pub architecture: &'a Architecture,
    /// How it is trained.
    pub settings: &'a Settings,
    /// All examples.
    pub inputs: Inputs<'a, T>,
    /// What is wanted of them, and their weights. With a custom cost: anything of the right length.
    pub targets: Targets<'a, T>,
    /// The costs, where the caller computes them. The run is one step then.
    pub costs: Option<Costs<'a, T>>,
    /// The examples of this run, in their order.
    pub order: &'a [u32],
    /// The learning rate of each step.
    pub rates: &'a [f64],
    /// The steps that the optimizer has done before.
    pub steps_before: u64,
    /// The threads.
    pub team: &'a Team,
    /// Asked every 25 ms or so whether to stop.
    pub should_cancel: ShouldCancel<'a>,
}

/// What a run has done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Report {
    /// The steps.
    pub steps: usize,
    /// Σ s_x C_x over the examples of these steps, added to what it was: the sum of an epoch has the
    /// same bits however it is cut into runs.
    pub cost: CompensatedSum,
    /// Whether the next step was not done because its cost or its outcome is not finite.
    pub diverged: bool,
}

/// What runs leave behind for later ones.
#[derive(Debug, Default)]
pub struct TrainScratch<T: 'static> {
    gathered: GatherBuffers<T>,
    batch: batch::Scratch<T>,
    gradient: Vec<T>,
    norms: Norms<T>,
    /// Parameters and what the optimizer keeps, as they were before the run.
    before: Vec<T>,
    lines: PaddedParams<T>,
}

impl<T: Real> Run<'_, T> {
    /// Does the steps: changes the parameters and what the optimizer keeps. `report` says how far it
    /// came, also where it ends with an error; the steps it counts are done, others are not.
    ///
    /// # Errors
    /// No memory, or interrupted.
    ///
    /// # Panics
    /// The lengths do not fit each other.
    pub fn run(
        &self,
        scratch: &mut TrainScratch<T>,
        mut changed: ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        let changed = &mut changed;
        assert!(
            self.rates.len() >= self.steps() && changed.count() == self.settings.rule.state(),
            "a rate for each step, and what the optimizer keeps"
        );
        assert_eq!(
            changed.params.len(),
            self.architecture.length(),
            "the length of params"
        );
        assert!(
            self.costs.is_none() || self.steps() <= 1,
            "costs of the examples of one step"
        );
        (report.steps, report.diverged) = (0, false);
        let Some(wide) = padded::architecture(self, changed.params)? else {
            return self.run_here(scratch, changed, report);
        };
        let mut lines = std::mem::take(&mut scratch.lines);
        let outcome = match lines.copy(self.architecture, &wide, changed) {
            Ok(mut copy) => {
                let run = Run {
                    architecture: &wide,
                    ..*self
                };
                let outcome = run.run_here(scratch, &mut copy, report);
                padded::copy_back(self.architecture, &wide, &copy, changed);
                outcome
            }
            // Without the memory it is only slower.
            Err(_) => self.run_here(scratch, changed, report),
        };
        scratch.lines = lines;
        outcome
    }

    /// The same on parameters that lie as `architecture` says.
    fn run_here(
        &self,
        scratch: &mut TrainScratch<T>,
        changed: &mut ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        self.prepare(scratch, changed)?;
        let (steps, start) = (self.steps(), *report);
        let all = cancellable(self.should_cancel, |cancel| {
            self.do_steps(steps, cancel, scratch, changed, report)
        });
        if self.settings.check_finite && !all_finite(changed) {
            self.go_back(scratch, changed, start, report)?;
        }
        all
    }

    /// The steps of the run.
    fn steps(&self) -> usize {
        self.order.len().div_ceil(self.settings.batch_size)
    }

    fn do_steps(
        &self,
        steps: usize,
        cancel: &CancelToken<'_>,
        scratch: &mut TrainScratch<T>,
        changed: &mut ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        while report.steps < steps && !cancel.poll() {
            let Some(cost) = self.step(report.steps, scratch, changed)? else {
                report.diverged = true;
                break;
            };
            report.steps += 1;
            report.cost.add(cost);
        }
        Ok(())
    }

    /// The run again from its start, to the last step that leaves all parameters finite: a run has
    /// the same bits each time. If it is interrupted, to a step before.
    fn go_back(
        &self,
        scratch: &mut TrainScratch<T>,
        changed: &mut ParamsAndState<'_, T>,
        start: Report,
        report: &mut Report,
    ) -> Result<()> {
        let before = std::mem::take(&mut scratch.before);
        restore(&before, changed);
        let steps = report.steps;
        *report = start;
        let mut last = before;
        cancellable(self.should_cancel, |cancel| {
            while report.steps < steps && !cancel.poll() {
                keep(&mut last, changed);
                let so_far = *report;
                let next = report.steps + 1;
                self.do_steps(next, cancel, scratch, changed, report)?;
                if report.diverged || !all_finite(changed) {
                    restore(&last, changed);
                    *report = so_far;
                    break;
                }
            }
            Ok(())
        })?;
        report.diverged = true;
        scratch.before = last;
        Ok(())
    }

    /// Makes room for all that the run needs.
    fn prepare(
        &self,
        scratch: &mut TrainScratch<T>,
        changed: &ParamsAndState<'_, T>,
    ) -> Result<()> {
        cancellable(self.should_cancel, |cancel| {
            if self.settings.max_norm.is_some() {
                scratch.norms.reserve(self.architecture)?;
            }
            if self.settings.check_finite {
                let before = &mut scratch.before;
                let (rows, columns) = (1 + changed.count(), changed.params.len());
                reserve_for("params before the steps", before, rows, columns, cancel)?;
                before.truncate(rows * columns);
                if before.len() == rows * columns {
                    keep(before, changed);
                }
            }
            Ok(())
        })
    }
}

/// Copies parameters, and what is kept for them, to `place`.
fn keep<T: Real>(place: &mut [T], changed: &ParamsAndState<'_, T>) {
    let places = place.chunks_exact_mut(changed.params.len());
    for (place, part) in places.zip(changed.parts()) {
        place.copy_from_slice(part);
    }
}

/// Copies them back.
fn restore<T: Real>(place: &[T], changed: &mut ParamsAndState<'_, T>) {
    let places = place.chunks_exact(changed.params.len());
    for (place, part) in places.zip(changed.parts_mut()) {
        part.copy_from_slice(place);
    }
}

/// Whether neither a parameter nor what is kept for one is NaN or infinite.
fn all_finite<T: Real>(changed: &ParamsAndState<'_, T>) -> bool {
    changed.parts().all(are_finite)
}

/// Whether no number is NaN or infinite.
fn are_finite<T: Real>(numbers: &[T]) -> bool {
    // A sum of x · 0 in several parts: the compiler makes registers of it.
    let mut sums = [T::ZERO; 16];
    let chunks = numbers.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += x * T::ZERO;
        }
    }
    let all = sums.iter().chain(rest).map(|&x| x * T::ZERO);
    all.fold(T::ZERO, |sum, x| sum + x) == T::ZERO
}
