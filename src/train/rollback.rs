//! A series of steps with a rollback: if parameters are not finite at its end, it is repeated from its
//! start, up to the last step that leaves all of them finite.

use crate::base::cancel::cancellable;
use crate::base::error::Result;
use crate::engine::optimizer::ParamsAndState;
use crate::kernels::real::Real;
use crate::train::monitor::Monitors;
use crate::train::{Report, StepSeries, TrainScratch};

impl<T: Real> StepSeries<'_, T> {
    /// The same on parameters with the layout of `architecture`.
    pub(super) fn run_with_rollback(
        &self,
        scratch: &mut TrainScratch<T>,
        monitors: &mut Monitors<T>,
        params_and_state: &mut ParamsAndState<'_, T>,
        report: &mut Report,
    ) -> Result<()> {
        self.prepare(scratch, monitors, params_and_state)?;
        let (steps, start) = (self.steps(), *report);
        let all = cancellable(self.should_cancel, |cancel| {
            self.do_steps((steps, cancel), scratch, monitors, params_and_state, report)
        });
        if self.settings.check_finite && !all_finite(params_and_state) {
            let outcome = self.roll_back(scratch, params_and_state, start, report);
            monitors.take_back(self.architecture, self.step_number(report.steps) - 1);
            outcome?;
        }
        all
    }

    /// Repeats the series from its start, up to the last step that leaves all parameters finite. A repeated
    /// series has the same bits, and its records are there already. If it is cancelled, it stops at an earlier
    /// step.
    fn roll_back(
        &self,
        scratch: &mut TrainScratch<T>,
        params_and_state: &mut ParamsAndState<'_, T>,
        start: Report,
        report: &mut Report,
    ) -> Result<()> {
        let before = std::mem::take(&mut scratch.before);
        restore_state(&before, params_and_state);
        let steps = report.steps;
        *report = start;
        let mut last = before;
        let none = &mut Monitors::default();
        cancellable(self.should_cancel, |cancel| {
            while report.steps < steps && !cancel.poll() {
                save_state(&mut last, params_and_state);
                let so_far = *report;
                let next = report.steps + 1;
                self.do_steps((next, cancel), scratch, none, params_and_state, report)?;
                if report.diverged || !all_finite(params_and_state) {
                    restore_state(&last, params_and_state);
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
}

/// Copies the parameters and their state to `saved`.
pub(super) fn save_state<T: Real>(saved: &mut [T], params_and_state: &ParamsAndState<'_, T>) {
    let slices = saved.chunks_exact_mut(params_and_state.params.len());
    for (saved, slice) in slices.zip(params_and_state.slices()) {
        saved.copy_from_slice(slice);
    }
}

/// Copies them back.
pub(super) fn restore_state<T: Real>(saved: &[T], params_and_state: &mut ParamsAndState<'_, T>) {
    let slices = saved.chunks_exact(params_and_state.params.len());
    for (saved, slice) in slices.zip(params_and_state.slices_mut()) {
        slice.copy_from_slice(saved);
    }
}

/// Whether all parameters and state values are finite.
pub(super) fn all_finite<T: Real>(params_and_state: &ParamsAndState<'_, T>) -> bool {
    params_and_state.slices().all(are_finite)
}

/// Whether all values are finite.
fn are_finite<T: Real>(numbers: &[T]) -> bool {
    // A sum of x · 0 with several accumulators, which the compiler vectorizes.
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
