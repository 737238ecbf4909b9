//! Whole epochs of a training, without returning to the caller between them.

use std::time::Instant;

use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::base::random::permutation;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::engine::optimizer::ParamsAndState;
use crate::kernels::real::Real;
use crate::kernels::tuning::many::SERIES_WORK;
use crate::many::deal::Job;
use crate::many::stopping::Stopping;
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::pool::Team;
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

impl<T: Real> Epochs<'_, T> {
    /// The steps of an epoch.
    fn steps_per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.settings.batch_size)
    }

    /// Compares an epoch with the best one. Returns whether the training stops.
    fn is_over(&mut self, epoch: u64, cost: f64, validation_cost: Option<f64>) -> bool {
        let Some(stopping) = &mut self.stopping else {
            return false;
        };
        let watched = validation_cost.filter(|_| stopping.of_validation);
        stopping.record(epoch, watched.unwrap_or(cost), self.params_and_state.params);
        stopping.is_over
    }

    /// Puts the examples into the order of an epoch.
    fn begin(&mut self, epoch: u64, cancel: &CancelToken<'_>) {
        match self.order_seed {
            Some(seed) => permutation(seed, epoch, self.order, cancel),
            None => (self.order.iter_mut().zip(0..)).for_each(|(place, row)| *place = row),
        }
        if let Some(rows) = self.rows {
            for place in self.order.iter_mut() {
                *place = rows[*place as usize];
            }
        }
    }

    /// Does the steps of an epoch. None if they are not all done.
    fn all_steps(
        &mut self,
        epoch: u64,
        rates: &[f64],
        scratch: &mut TrainScratch<T>,
        cancel: &CancelToken<'_>,
    ) -> Result<Option<f64>> {
        let size = self.settings.batch_size;
        // Cancellation takes effect between two series.
        let step_work = 3 * self.architecture.params_len() * size.min(self.order.len());
        let most = (SERIES_WORK / step_work.max(1)).max(1);
        let (mut report, mut done) = (Report::default(), 0);
        while done < rates.len() {
            if cancel.poll() {
                return Ok(None);
            }
            // The cost of the first step is wanted by itself.
            let most = if self.first_cost.is_none() { 1 } else { most };
            let count = most.min(rates.len() - done);
            let order = &self.order[done * size..];
            let series = StepSeries {
                architecture: self.architecture,
                settings: self.settings,
                inputs: self.inputs,
                targets: self.targets,
                costs: None,
                order: &order[..order.len().min(count * size)],
                rates: &rates[done..done + count],
                steps_before: self.steps_before + self.steps,
                team: &Team::alone(),
                should_cancel: &|| false,
            };
            let params_and_state = self.params_and_state.reborrow();
            let outcome = series.run(
                scratch,
                &mut Monitors::default(),
                params_and_state,
                &mut report,
            );
            done += report.steps;
            self.steps += report.steps as u64;
            outcome?;
            if report.diverged {
                self.diverged = Some((epoch, done));
                return Ok(None);
            }
            self.first_cost.get_or_insert_with(|| {
                per_example(report.cost.total(), size.min(self.order.len()))
            });
        }
        Ok(Some(per_example(report.cost.total(), self.order.len())))
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

impl<T: Real> Job for Epochs<'_, T> {
    type Scratch = EpochsScratch<T>;

    fn threads(&self, _: usize) -> usize {
        1
    }

    /// Does the epochs until all are done, or one diverges, or the training stops early. If the call is
    /// cancelled, it ends after a whole step.
    fn run(
        &mut self,
        scratch: &mut EpochsScratch<T>,
        _: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let per_epoch = self.steps_per_epoch();
        for (index, epoch) in (0..self.rates.len() / per_epoch).zip(self.first_epoch..) {
            let start = Instant::now();
            self.begin(epoch, cancel);
            let rates = &self.rates[index * per_epoch..][..per_epoch];
            let Some(cost) = self.all_steps(epoch, rates, &mut scratch.steps, cancel)? else {
                return Ok(());
            };
            let validation_cost = self.validation_cost(scratch, cancel)?;
            self.reports.push(EpochReport {
                cost,
                validation_cost,
                seconds: start.elapsed().as_secs_f64(),
            });
            if self.is_over(epoch, cost, validation_cost) {
                break;
            }
        }
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss)] // below 2^53
fn per_example(total: f64, n: usize) -> f64 {
    total / n as f64
}
