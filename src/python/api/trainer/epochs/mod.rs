//! Whole epochs of several trainings at once, for `bpfast.fit_many`.

mod arrays;
mod job;

use pyo3::prelude::*;
use pyo3::types::PyAnyMethods;

use crate::base::alloc::{try_collect, try_collect_results, try_push, try_reserve};
use crate::base::error::Result;
use crate::many::group::{Group, groups};
use crate::many::schedule::{ByDtype, JobSet};
use crate::python::api::threads;
use crate::python::api::trainer::Trainer;
use crate::python::api::trainer::epochs::arrays::borrow;
use crate::python::api::trainer::epochs::job::TrainingJob;
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded_object;

/// What became of a job: cost, validation cost and seconds of each epoch; the cost of the first step, if
/// there was one; where it diverged; with early stopping the best cost, its epoch, and whether it stopped.
type Outcome = (
    Vec<(f64, Option<f64>, f64)>,
    Option<f64>,
    Option<(u64, usize)>,
    Option<(f64, u64, bool)>,
);

/// Adds what became of the networks of a group: their index, their steps, and the rest.
fn add_outcomes<T>(group: &Group<'_, T>, outcomes: &mut Vec<(usize, u64, Outcome)>) -> Result<()> {
    for (index, epochs) in &group.members {
        let reports = epochs.reports.iter();
        let rows = reports.map(|report| (report.cost, report.validation_cost, report.seconds));
        let stopping = epochs.stopping.as_ref();
        let outcome = (
            try_collect("epochs", rows)?,
            epochs.first_cost,
            epochs.diverged,
            stopping.map(|stop| (stop.best, stop.best_epoch, stop.is_over)),
        );
        try_push("jobs", outcomes, (*index, epochs.steps, outcome))?;
    }
    Ok(())
}

/// Counts the steps that an optimizer has done.
fn count_steps(job: &TrainingJob<'_>, steps: u64) -> PyResult<()> {
    if steps == 0 {
        return Ok(());
    }
    let before: u64 = job.optimizer.getattr("_steps")?.extract()?;
    let has_state = job.state_arrays.getattr("numbers")?.len()? > 0;
    let state_arrays = has_state.then_some(&job.state_arrays);
    job.optimizer.setattr("_state_arrays", state_arrays)?;
    job.optimizer.setattr("_is_single", true)?;
    job.optimizer.setattr("_steps", before + steps)
}

/// Does the epochs of all jobs, each on one thread. Returns what became of each, and the exception that
/// ended the call early, if any; the optimizers have counted the completed steps.
#[pyfunction]
pub fn run_epochs<'py>(
    py: Python<'py>,
    jobs: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(py, || {
        let jobs = jobs.iter().map(PyAnyMethods::extract);
        let jobs: Vec<TrainingJob<'py>> = try_collect_results("jobs", jobs)?;
        let trainers = jobs
            .iter()
            .map(|job| PyResult::Ok(job.trainer.try_borrow_mut()?));
        let mut trainers: Vec<PyRefMut<'py, Trainer>> = try_collect_results("jobs", trainers)?;
        let validations = jobs.iter().map(|job| {
            let validation = job.validation.as_ref().map(Bound::try_borrow);
            PyResult::Ok(validation.transpose()?)
        });
        let validations: Vec<Option<PyRef<'py, Trainer>>> =
            try_collect_results("jobs", validations)?;
        let borrowed = jobs.iter().zip(trainers.iter_mut().zip(&validations));
        let mut borrowed = try_collect_results(
            "jobs",
            borrowed
                .map(|(job, (trainer, validation))| borrow(job, trainer, validation.as_deref())),
        )?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let runs = borrowed.iter_mut().map(|borrowed| {
            PyResult::Ok(match borrowed {
                ByDtype::Float32(borrowed) => ByDtype::Float32(borrowed.epochs()?),
                ByDtype::Float64(borrowed) => ByDtype::Float64(borrowed.epochs()?),
            })
        });
        let groups = groups(try_collect_results::<_, PyErr>("jobs", runs)?, allowed)?;
        let mut set = JobSet::new(groups, allowed)?;
        let outcome = detached(py, usize::MAX, |should_cancel| set.run(should_cancel));
        let mut error = outcome.err();
        let mut outcomes = Vec::new();
        try_reserve("jobs", &mut outcomes, jobs.len())?;
        for (group, outcome) in set.into_outcomes() {
            if let Err(failure) = outcome {
                error.get_or_insert(failure.into());
            }
            match group {
                ByDtype::Float32(group) => add_outcomes(&group, &mut outcomes)?,
                ByDtype::Float64(group) => add_outcomes(&group, &mut outcomes)?,
            }
        }
        if outcomes.len() < jobs.len()
            && let Some(error) = error
        {
            return Err(error); // in a forked child
        }
        outcomes.sort_unstable_by_key(|&(index, ..)| index);
        let outcomes = outcomes
            .into_iter()
            .zip(&jobs)
            .map(|((_, steps, outcome), job)| {
                count_steps(job, steps)?;
                PyResult::Ok(outcome)
            });
        let outcomes = try_collect_results("jobs", outcomes)?;
        Ok((outcomes, error.map(|error| error.into_value(py).into_any())))
    })
}
