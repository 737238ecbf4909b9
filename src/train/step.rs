//! A training step: a mini-batch, its gradient, and the update of the parameters.

use crate::base::alloc::try_grow;
use crate::base::cancel::cancellable;
use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::{Inputs, Targets};
use crate::engine::batch::Call;
use crate::engine::batch::fused_step::FusedStep;
use crate::engine::batch::pass::Backprop;
use crate::engine::dropout::Dropout;
use crate::engine::optimizer::{ParamsAndState, Regularization, Step, Update};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::kernels::tuning::gather::{MAX_PREFETCHED_BYTES, PREFETCHES_PER_STEP};
use crate::model::network::Network;
use crate::train::gather::{Source, prefetch_rows};
use crate::train::monitor::Monitors;
use crate::train::norms::apply_max_norm;
use crate::train::update::StepUpdate;
use crate::train::{StepSeries, TrainScratch};

/// Rows to prefetch, some at a time.
struct RowPrefetch<'a, T> {
    inputs: &'a Inputs<'a, T>,
    rows: &'a [u32],
    at_once: usize,
}

impl<T: Real> RowPrefetch<'_, T> {
    fn prefetch_next(&mut self) {
        let count = self.at_once.min(self.rows.len());
        if let Some(rows) = self.rows.split_off(..count) {
            prefetch_rows(self.inputs, rows);
        }
    }
}

impl<'a, T: Real> StepSeries<'a, T> {
    /// a^L of the examples of the first step, (n, n_L), with the same dropout as in that step; z^L if the
    /// cost takes that.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn outputs(
        &self,
        scratch: &mut TrainScratch<T>,
        params: &[T],
        outputs: &mut [T],
    ) -> Result<()> {
        let TrainScratch {
            gathered, batch, ..
        } = scratch;
        let (inputs, _) = gathered.gather(&self.source(), self.rows(0))?;
        Call::new(
            Network::new(self.architecture, params),
            inputs,
            self.team,
            self.should_cancel,
        )
        .with_dropout(self.dropout(0))
        .outputs_and_forward(batch, outputs)
    }

    /// The examples that a step takes some of.
    fn source(&self) -> Source<'a, '_, T> {
        Source {
            architecture: self.architecture,
            inputs: self.inputs,
            targets: self.targets,
            team: self.team,
            should_cancel: self.should_cancel,
        }
    }

    /// The examples of the step at `index`.
    pub(super) fn rows(&self, index: usize) -> &'a [u32] {
        let rest = &self.order[index * self.settings.batch_size..];
        &rest[..rest.len().min(self.settings.batch_size)]
    }

    /// The number of the step at `index`, from 1, in the count of the optimizer.
    pub(super) fn step_number(&self, index: usize) -> u64 {
        self.steps_before + index as u64 + 1
    }

    /// The dropout of the step at `index`.
    fn dropout(&self, index: usize) -> Option<Dropout<'_>> {
        let settings = self.settings;
        let dropout = Dropout {
            rates: &settings.dropout,
            seed: settings.seed,
            step: self.steps_before + index as u64,
            positions: None,
        };
        let is_on = settings.dropout.iter().any(|&rate| rate > 0.0);
        is_on.then_some(dropout)
    }

    /// Does the step at `index`. Returns Σ `s_x` `C_x` of its examples, or None, without doing the step, if
    /// that is not finite.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled; then nothing has changed.
    pub(super) fn step(
        &self,
        index: usize,
        scratch: &mut TrainScratch<T>,
        monitors: &mut Monitors<T>,
        params_and_state: &mut ParamsAndState<'_, T>,
    ) -> Result<Option<Extended>> {
        let settings = self.settings;
        let number = self.step_number(index);
        let rows = self.rows(index);
        let mut prefetch = self.prefetch(index * settings.batch_size + rows.len());
        let TrainScratch {
            gathered,
            batch,
            gradient,
            norms,
            ..
        } = scratch;
        let (inputs, targets) = gathered.gather(&self.source(), rows)?;
        let (targets, cost) = self.with_costs(targets, rows.len())?;
        let mut update = self.update(index);
        prefetch.prefetch_next();
        let call = Call::new(
            Network::new(self.architecture, params_and_state.params),
            inputs,
            self.team,
            self.should_cancel,
        )
        .with_dropout(self.dropout(index));
        let is_fused = settings.clip_norm.is_none() && call.can_be_fused();
        let mut measured = monitors.begin(number, is_fused, settings.max_norm.is_some());
        let mut length = 0;
        if !is_fused || measured.as_ref().is_some_and(|step| step.needs_gradient) {
            length = self.architecture.params_len();
            cancellable(self.should_cancel, |cancel| {
                try_grow("gradient", gradient, length, 1, cancel)
            })?;
        }
        let backprop = &Backprop {
            targets: &targets,
            forward_is_known: self.costs.is_some() && call.take_stored_forward(batch),
            observer: measured.is_some().then(|| monitors.observer()),
        };
        let whole = &mut gradient[..length];
        let (sum, plan) = if is_fused {
            let (sum, plan) = call.fused_errors(backprop, batch, &update)?;
            prefetch.prefetch_next();
            (sum, Some(plan))
        } else {
            (call.backprop_from(backprop, batch, whole)?, None)
        };
        let cost = cost.unwrap_or(sum);
        if settings.check_finite && !cost.is_finite() {
            return Ok(None);
        }

        let step = StepUpdate {
            params_and_state: params_and_state.reborrow(),
            gradient: whole,
            measured: measured.as_mut(),
            monitors: &mut *monitors,
        };
        if let Some(plan) = plan {
            let fused = FusedStep::new(self.architecture, inputs, plan, self.team, &update);
            step.by_slices(&fused, &update, batch);
        } else {
            step.at_once(self, &mut update);
        }
        prefetch.prefetch_next();
        if let Some(longest) = settings.max_norm {
            apply_max_norm(self.architecture, params_and_state.params, longest, norms);
        }
        if let Some(mut step) = measured {
            (step.cost, step.n) = (cost, rows.len());
            step.all_weight = targets.all_weight();
            monitors.measure_update(&mut step, params_and_state.params, self.team);
            monitors.record(self.architecture, &step, (gradient, length));
        }
        #[allow(clippy::cast_precision_loss)] // below 2^53
        Ok(Some(Extended::product(cost, rows.len() as f64)))
    }

    /// With a custom cost: its ∇_a C as the targets of these n examples, and C.
    fn with_costs<'b>(
        &'b self,
        targets: Targets<'b, T>,
        n: usize,
    ) -> Result<(Targets<'b, T>, Option<f64>)> {
        let Some(costs) = self.costs else {
            return Ok((targets, None));
        };
        let width = self.architecture.n_outputs();
        let nabla_a = Matrix::by_rows(costs.nabla_a, n, width);
        let weights = targets.sample_weight;
        let targets = Targets::values(width, n, nabla_a)?.with_weights(weights);
        let cost = targets.total(costs.of_examples);
        Ok((targets, Some(cost)))
    }

    /// The rows of the step that begins at `start`, to be prefetched before it.
    fn prefetch(&self, start: usize) -> RowPrefetch<'_, T> {
        let rows = &self.order[start..];
        let most = MAX_PREFETCHED_BYTES / (self.inputs.width() * size_of::<T>()).max(1);
        let rows = &rows[..rows.len().min(self.settings.batch_size).min(most)];
        RowPrefetch {
            inputs: &self.inputs,
            rows,
            at_once: rows.len().div_ceil(PREFETCHES_PER_STEP),
        }
    }

    /// The update of the step at `index`.
    pub(super) fn update(&self, index: usize) -> Update {
        let settings = self.settings;
        let scale = if settings.penalty_per_example {
            #[allow(clippy::cast_precision_loss)] // below 2^53
            let (full, own) = (settings.batch_size as f64, self.rows(index).len() as f64);
            full / own
        } else {
            1.0
        };
        Update {
            step: Step::new(settings.rule, self.rates[index], self.step_number(index)),
            weights: Regularization {
                scale: 1.0,
                l2: settings.weight_decay + settings.l2 * scale,
                l1: settings.l1 * scale,
            },
            biases: Regularization {
                scale: 1.0,
                l2: settings.weight_decay,
                l1: 0.0,
            },
        }
    }
}
