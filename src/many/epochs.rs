//! Whole epochs of a training, without returning to the caller between them.

use std::time::Instant;

use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::base::random::permutation;
use crate::base::sum::extended::ExtendedSum;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::engine::optimizer::ParamsAndState;
use crate::kernels::real::Real;
use crate::kernels::tuning::many::MAX_SERIES_WORK;
use crate::many::stopping::Stopping;
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::pool::Team;
use crate::train::lockstep;
use crate::train::monitor::Monitors;
use crate::train::{Report, Settings, StepSeries, TrainScratch};

/// What is evaluated after each epoch.
#[derive(Debug, Clone, Copy)]
pub enum Validation<'a, T> {
    /// Examples of their own, with the targets of a mean.
    Examples(Inputs<'a, T>, Targets<'a, T>),
    /// Some of the training's examples, which it does not train with, and weights of all of them.
    Rows(&'a [u32], Option<&'a [f64]>),
}

/// What an epoch gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Σ `s_x` `C_x` over the examples of the epoch, divided by their number.
    pub cost: f64,
    /// C of the validation examples after the epoch, if there are any.
    pub validation_cost: Option<f64>,
    /// The time that the epoch took.
    pub seconds: f64,
}

/// Buffers of a thread, reused for one network after another.
#[derive(Debug, Default)]
pub struct EpochsScratch<T: 'static> {
    steps: TrainScratch<T>,
    validation: Scratch<T>,
}

/// Some epochs of the training of one network.
pub struct Epochs<'a, T> {
    /// The network.
    pub architecture: &'a Architecture,
    /// The settings of the training.
    pub settings: &'a Settings,
    /// All examples.
    pub inputs: Inputs<'a, T>,
    /// Their targets and weights.
    pub targets: Targets<'a, T>,
    /// The rows of the examples that this network trains with, in their own order; None: all.
    pub rows: Option<&'a [u32]>,
    /// As long as `rows`: the order of an epoch.
    pub order: &'a mut [u32],
    /// The seed of the order of each epoch; None keeps their own order.
    pub order_seed: Option<u64>,
    /// The number of the first of these epochs, counted from 1.
    pub first_epoch: u64,
    /// The learning rate of each step of each epoch.
    pub rates: &'a [f64],
    /// The number of steps that the optimizer has done before.
    pub steps_before: u64,
    /// What is evaluated after each epoch.
    pub validation: Option<Validation<'a, T>>,
    /// When to stop early.
    pub stopping: Option<Stopping<'a, T>>,
    /// The parameters and the optimizer's state.
    pub params_and_state: ParamsAndState<'a, T>,
    /// The epochs that are done, of which there are at most as many as the capacity.
    pub reports: Vec<EpochReport>,
    /// The steps that are done.
    pub steps: u64,
    /// Σ `s_x` `C_x` / n of the first step.
    pub first_cost: Option<f64>,
    /// The epoch, and its step counted from 0, that was not done because a number is not finite.
    pub diverged: Option<(u64, usize)>,
}

/// The steps of an epoch that are done.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub done: usize,
    pub report: Report,
}

static ALONE: Team = Team::alone();

impl<T: Real> Epochs<'_, T> {
    /// The steps of an epoch.
    pub(super) fn steps_per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.settings.batch_size)
    }

    /// Whether the steps can be done together with those of networks of the same architecture.
    pub(super) fn fits_a_lane(&self) -> bool {
        lockstep::fits_a_lane(
            self.architecture,
            self.settings,
            &self.inputs,
            self.order.len(),
        )
    }

    /// Whether no epoch follows.
    pub(super) fn is_done(&self) -> bool {
        self.reports.len() * self.steps_per_epoch() >= self.rates.len()
            || self.diverged.is_some()
            || self.stopping.as_ref().is_some_and(|stop| stop.is_over)
    }

    /// The number of the epoch that follows.
    fn epoch(&self) -> u64 {
        self.first_epoch + self.reports.len() as u64
    }

    /// Puts the examples into the order of the epoch that follows.
    pub(super) fn begin(&mut self, cancel: &CancelToken<'_>) {
        match self.order_seed {
            Some(seed) => permutation(seed, self.epoch(), self.order, cancel),
            None => (self.order.iter_mut().zip(0..)).for_each(|(place, row)| *place = row),
        }
        if let Some(rows) = self.rows {
            for place in self.order.iter_mut() {
                *place = rows[*place as usize];
            }
        }
    }

    /// The steps of a series that is not interrupted, from a step of the epoch on, if `networks` do them
    /// together.
    pub(super) fn steps_at_once(&self, done: usize, networks: usize) -> usize {
        let examples = self.settings.batch_size.min(self.order.len());
        let work = 3 * self.architecture.params_len() * examples * networks;
        let most = (MAX_SERIES_WORK / work.max(1)).max(1);
        // The cost of the first step is wanted by itself.
        let most = if self.first_cost.is_none() { 1 } else { most };
        most.min(self.steps_per_epoch() - done)
    }

    /// `count` steps of the epoch from its step `done` on, and what they change.
    pub(super) fn series(
        &mut self,
        done: usize,
        count: usize,
    ) -> (StepSeries<'_, T>, ParamsAndState<'_, T>) {
        let size = self.settings.batch_size;
        let first = self.reports.len() * self.steps_per_epoch() + done;
        let order = &self.order[done * size..];
        let series = StepSeries {
            architecture: self.architecture,
            settings: self.settings,
            inputs: self.inputs,
            targets: self.targets,
            costs: None,
            order: &order[..order.len().min(count * size)],
            rates: &self.rates[first..first + count],
            steps_before: self.steps_before + self.steps,
            team: &ALONE,
            should_cancel: &|| false,
        };
        (series, self.params_and_state.reborrow())
    }

    /// Counts the steps of a series.
    pub(super) fn count(&mut self, progress: &mut Progress) {
        let Report { steps, cost, .. } = progress.report;
        progress.done += steps;
        self.steps += steps as u64;
        if steps > 0 {
            let examples = self.settings.batch_size.min(self.order.len());
            (self.first_cost).get_or_insert_with(|| per_example(cost, examples));
        }
    }

    /// Does the steps of the epoch that are left. They may not all be done.
    pub(super) fn do_steps(
        &mut self,
        progress: &mut Progress,
        scratch: &mut EpochsScratch<T>,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        while progress.done < self.steps_per_epoch() && !cancel.poll() {
            let count = self.steps_at_once(progress.done, 1);
            let (series, params_and_state) = self.series(progress.done, count);
            let (monitors, report) = (&mut Monitors::default(), &mut progress.report);
            let outcome = series.run(&mut scratch.steps, monitors, params_and_state, report);
            self.count(progress);
            outcome?;
            if progress.report.diverged {
                self.diverged = Some((self.epoch(), progress.done));
                break;
            }
        }
        Ok(())
    }

    /// Reports the epoch, if all of its steps are done; they took `seconds`.
    pub(super) fn finish(
        &mut self,
        progress: &Progress,
        seconds: f64,
        scratch: &mut EpochsScratch<T>,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        if progress.done < self.steps_per_epoch() {
            return Ok(());
        }
        let (start, epoch) = (Instant::now(), self.epoch());
        let cost = per_example(progress.report.cost, self.order.len());
        let validation_cost = self.validation_cost(scratch, cancel)?;
        self.reports.push(EpochReport {
            cost,
            validation_cost,
            seconds: seconds + start.elapsed().as_secs_f64(),
        });
        if let Some(stopping) = &mut self.stopping {
            let watched = validation_cost.filter(|_| stopping.of_validation);
            stopping.record(epoch, watched.unwrap_or(cost), self.params_and_state.params);
        }
        Ok(())
    }

    fn validation_cost(
        &self,
        scratch: &mut EpochsScratch<T>,
        cancel: &CancelToken<'_>,
    ) -> Result<Option<f64>> {
        let (inputs, targets) = match self.validation {
            None => return Ok(None),
            Some(Validation::Examples(inputs, targets)) => (inputs, targets),
            Some(Validation::Rows(rows, weights)) => {
                let targets = self.targets.with_weights(weights);
                scratch
                    .steps
                    .rows(self.architecture, self.inputs, targets, rows)?
            }
        };
        let network = Network::new(self.architecture, &*self.params_and_state.params);
        let (team, should_cancel) = (Team::alone(), cancel.should_cancel());
        let call = Call::new(network, inputs, &team, &should_cancel);
        call.cost(&targets, &mut scratch.validation).map(Some)
    }
}

impl<T: Real> Epochs<'_, T> {
    /// Does the epochs until all are done, or one diverges, or the training stops early. If the call is
    /// cancelled, it ends after a whole step.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn run(&mut self, scratch: &mut EpochsScratch<T>, cancel: &CancelToken<'_>) -> Result<()> {
        while !self.is_done() {
            let (start, before) = (Instant::now(), self.reports.len());
            let mut progress = Progress::default();
            self.begin(cancel);
            self.do_steps(&mut progress, scratch, cancel)?;
            self.finish(&progress, start.elapsed().as_secs_f64(), scratch, cancel)?;
            if self.reports.len() == before {
                break;
            }
        }
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss)] // below 2^53
fn per_example(cost: ExtendedSum, n: usize) -> f64 {
    cost.total().over(n as f64)
}
