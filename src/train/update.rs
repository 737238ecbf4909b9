//! The update of a step whose errors or gradient are known, slice by slice or after the whole gradient.

use crate::engine::batch::Scratch;
use crate::engine::batch::fused_step::FusedStep;
use crate::engine::optimizer::{ParamsAndState, Update};
use crate::kernels::elementwise::norms::norm;
use crate::kernels::real::Real;
use crate::train::StepSeries;
use crate::train::monitor::{MeasuredStep, Monitors};
use crate::train::norms::clip_factor;

/// What an update changes and measures.
pub(super) struct StepUpdate<'a, T: 'static> {
    pub params_and_state: ParamsAndState<'a, T>,
    /// The whole gradient. Empty before an update slice by slice, unless a record needs it.
    pub gradient: &'a mut [T],
    /// None if no record of the step is due.
    pub measured: Option<&'a mut MeasuredStep>,
    pub monitors: &'a mut Monitors<T>,
}

impl<T: Real> StepUpdate<'_, T> {
    /// Updates the parameters slice by slice, from the errors in `scratch`.
    pub fn by_slices(self, step: &FusedStep<'_, T>, update: &Update, scratch: &mut Scratch<T>) {
        let Some(measured) = self.measured else {
            return step.update(scratch, update, self.params_and_state);
        };
        let buffers = self
            .monitors
            .buffers(measured, self.params_and_state.params);
        measured.scale = step.error_scale();
        measured.norms = step.update_measured(
            scratch,
            update,
            self.params_and_state,
            self.gradient,
            buffers,
        );
    }

    /// Updates the parameters with the whole gradient, whose norm is limited to `clip_norm`.
    pub fn at_once(self, series: &StepSeries<'_, T>, update: &mut Update) {
        let Self {
            mut params_and_state,
            gradient,
            measured,
            monitors,
        } = self;
        if let Some(measured) = measured {
            let (buffers, _) = monitors.buffers(measured, params_and_state.params);
            measured.norms.gradient = buffers.gradient(gradient, series.team);
        }
        if let Some(longest) = series.settings.clip_norm {
            let scale = clip_factor(norm(gradient), longest);
            update.weights.scale = scale;
            update.biases.scale = scale;
        }
        for layer in series.architecture.layers() {
            for (range, terms) in [
                (&layer.weights, update.weights),
                (&layer.biases, update.biases),
            ] {
                // Slices are consecutive in memory.
                if let Some(slice) = params_and_state.split_front(range.len()) {
                    let gradient = &gradient[range.clone()];
                    update.step.run(series.team, terms, slice, gradient);
                }
            }
        }
    }
}
