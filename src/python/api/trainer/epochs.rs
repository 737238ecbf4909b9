//! Whole epochs of several trainings at once, for `bpfast.fit_many`.

use numpy::PyArray1;
use numpy::ndarray::Ix1;
use pyo3::prelude::*;
use pyo3::types::PyAnyMethods;

use crate::base::alloc::{try_collect, try_collect_results, try_push, try_reserve};
use crate::base::error::{Error, Result};
use crate::data::Reduction;
use crate::engine::optimizer::ParamsAndState;
use crate::many::deal::{ByDtype, Deal};
use crate::many::epochs::{Epochs, Validation};
use crate::many::group::{Group, groups};
use crate::many::stopping::Stopping;
use crate::model::architecture::Architecture;
use crate::python::api::network::PyNetwork;
use crate::python::api::optimizers::nested;
use crate::python::api::threads;
use crate::python::api::trainer::data::BorrowedData;
use crate::python::api::trainer::state::TrainerState;
use crate::python::api::trainer::{AnyTrainerState, Trainer};
use crate::python::borrow::{
    Access, BorrowScope, Element, MemoryOrder, ReadArray, WriteArray, WriteGuard,
};
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::{input, integers};
use crate::python::convert::optimizer_arrays::params_and_state;
use crate::train::Settings;

/// The attributes of a Python object that describe some epochs of one training.
#[derive(FromPyObject)]
struct TrainingJob<'py> {
    trainer: Bound<'py, Trainer>,
    optimizer: Bound<'py, PyAny>,
    state_arrays: Bound<'py, PyAny>,
    /// The rate of each step of each epoch.
    rates: Bound<'py, PyAny>,
    first_epoch: u64,
    order_seed: Option<u64>,
    rows: Option<Bound<'py, PyAny>>,
    /// Examples to evaluate after each epoch: those of another trainer, or rows of this one with weights
    /// of all rows.
    validation: Option<Bound<'py, Trainer>>,
    validation_rows: Option<Bound<'py, PyAny>>,
    validation_weight: Option<Bound<'py, PyAny>>,
    stopping: Option<StoppingValues>,
    best_params: Option<Bound<'py, PyAny>>,
}

/// patience, min_delta, the best cost so far, its epoch, and whether the validation is watched.
type StoppingValues = (u64, f64, f64, u64, bool);

/// What became of a job: cost, validation cost and seconds of each epoch; the cost of the first step, if
/// there was one; where it diverged; with early stopping the best cost, its epoch, and whether it stopped.
type Outcome = (
    Vec<(f64, Option<f64>, f64)>,
    Option<f64>,
    Option<(u64, usize)>,
    Option<(f64, u64, bool)>,
);

/// The arrays of a job.
struct Borrowed<'a, 'py, T: Element> {
    architecture: &'a Architecture,
    settings: &'a Settings,
    params: WriteGuard<'a, T>,
    state: Vec<WriteArray<'py, T, Ix1>>,
    data: BorrowedData<'a, 'py, T>,
    n: usize,
    order: &'a mut Vec<u32>,
    rates: ReadArray<'py, f64, Ix1>,
    rows: Option<ReadArray<'py, u32, Ix1>>,
    validation: Option<(BorrowedData<'a, 'py, T>, usize)>,
    validation_rows: Option<ReadArray<'py, u32, Ix1>>,
    validation_weight: Option<ReadArray<'py, f64, Ix1>>,
    best_params: Option<WriteArray<'py, T, Ix1>>,
    stopping: Option<StoppingValues>,
    first_epoch: u64,
    order_seed: Option<u64>,
    steps_before: u64,
    _scope: BorrowScope<'py>,
}

type AnyBorrowed<'a, 'py> = ByDtype<Borrowed<'a, 'py, f32>, Borrowed<'a, 'py, f64>>;

impl<'a, 'py, T: Element> Borrowed<'a, 'py, T> {
    /// # Errors
    /// An array is in use, or was changed in the meantime.
    fn new(
        job: &TrainingJob<'py>,
        net: &'a PyNetwork,
        settings: &'a Settings,
        state: &'a mut TrainerState<T>,
        validation: Option<&'a TrainerState<T>>,
    ) -> PyResult<Self> {
        let py = job.optimizer.py();
        let no_examples = || Error::value("x", "examples to train on", "none");
        let (data, order) = (state.data.as_ref(), &mut state.order);
        let data = data.ok_or_else(no_examples)?;
        net.vector.check_writeable(py, "params")?;
        let params = net.vector.numbers::<T>()?.train(py, "params")?;
        let mut scope = BorrowScope::new();
        scope.include("params", net.vector.flat(py)?.cast()?, Access::Train)?;
        let arrays = nested("state", &job.state_arrays.getattr("numbers")?)?;
        let state = try_collect_results(
            "state",
            (arrays.iter().flatten())
                .map(|array| scope.write("state", array.cast::<PyArray1<T>>()?, MemoryOrder::C)),
        )?;
        let best_params = job.best_params.as_ref();
        let best_params = best_params
            .map(|best| scope.write("params", best.cast::<PyArray1<T>>()?, MemoryOrder::C));
        let rows = job.rows.as_ref();
        let validation = validation.map(|validation| {
            let data = validation.data.as_ref().ok_or_else(no_examples)?;
            PyResult::Ok((data.borrow(py)?, data.n))
        });
        Ok(Self {
            architecture: net.architecture(),
            settings,
            params,
            state,
            data: data.borrow(py)?,
            n: data.n,
            order,
            rates: input("rates", &job.rates)?,
            rows: rows.map(|rows| integers("rows", rows)).transpose()?,
            validation: validation.transpose()?,
            validation_rows: (job.validation_rows.as_ref())
                .map(|rows| integers("validation", rows))
                .transpose()?,
            validation_weight: (job.validation_weight.as_ref())
                .map(|weights| input("validation", weights))
                .transpose()?,
            best_params: best_params.transpose()?,
            stopping: job.stopping,
            first_epoch: job.first_epoch,
            order_seed: job.order_seed,
            steps_before: job.optimizer.getattr("_steps")?.extract()?,
            _scope: scope,
        })
    }

    /// # Errors
    /// An array was changed in the meantime, or memory runs out.
    fn epochs(&mut self) -> PyResult<Epochs<'_, T>> {
        let (inputs, targets) = self.data.examples(self.architecture, self.n)?;
        let rows = rows_of(self.rows.as_ref(), self.n)?;
        let n = rows.map_or(self.n, <[u32]>::len);
        self.order.clear();
        try_reserve("order of the examples", self.order, n)?;
        self.order.extend((0..).take(n));
        let validation = match (
            &self.validation,
            rows_of(self.validation_rows.as_ref(), self.n)?,
        ) {
            (Some((data, n)), _) => {
                let (inputs, targets) = data.examples(self.architecture, *n)?;
                let weights = targets.sample_weight;
                let targets = targets.weighted(*n, Reduction::Mean, weights)?;
                Some(Validation::Examples(inputs, targets))
            }
            (None, Some(rows)) => {
                let weights = self.validation_weight.as_ref();
                let weights = weights.map(ReadArray::as_slice).transpose()?;
                if weights.is_some_and(|weights| weights.len() != self.n) {
                    let expected = format!("weights of {} examples", self.n);
                    return Err(Error::value("validation", expected, "others").into());
                }
                Some(Validation::Rows(rows, weights))
            }
            (None, None) => None,
        };
        let mut best_params: &mut [T] = &mut [];
        if let Some(best) = &mut self.best_params {
            best_params = best.as_slice_mut()?;
        }
        let stopping = self.stopping.map(
            |(patience, min_delta, best, best_epoch, of_validation)| Stopping {
                patience,
                min_delta,
                best,
                best_epoch,
                of_validation,
                best_params,
                is_over: false,
            },
        );
        if validation.is_none() && stopping.as_ref().is_some_and(|stop| stop.of_validation) {
            return Err(Error::value("stopping", "validation examples", "none").into());
        }
        let rates = self.rates.as_slice()?;
        let per_epoch = n.div_ceil(self.settings.batch_size);
        let mut reports = Vec::new();
        try_reserve("epochs", &mut reports, rates.len() / per_epoch)?;
        let params_and_state: ParamsAndState<'_, T> =
            params_and_state(&mut self.params, &mut self.state)?;
        Ok(Epochs {
            architecture: self.architecture,
            settings: self.settings,
            inputs,
            targets,
            rows,
            order: self.order,
            order_seed: self.order_seed,
            first_epoch: self.first_epoch,
            rates,
            steps_before: self.steps_before,
            validation,
            stopping,
            params_and_state,
            reports,
            steps: 0,
            first_cost: None,
            diverged: None,
        })
    }
}

/// Rows of `n` examples, if there are any.
fn rows_of<'a>(rows: Option<&'a ReadArray<'_, u32, Ix1>>, n: usize) -> PyResult<Option<&'a [u32]>> {
    let rows = rows.map(ReadArray::as_slice).transpose()?;
    let is_wrong = |rows: &[u32]| rows.is_empty() || rows.iter().any(|&row| row as usize >= n);
    if rows.is_some_and(is_wrong) {
        let expected = format!("one row or more, from 0 to {}", n.saturating_sub(1));
        return Err(Error::value("rows", expected, "others").into());
    }
    Ok(rows)
}

/// Borrows the arrays of a job.
///
/// # Errors
/// As [`Borrowed::new`].
fn borrow<'a, 'py>(
    job: &TrainingJob<'py>,
    trainer: &'a mut Trainer,
    validation: Option<&'a Trainer>,
) -> PyResult<AnyBorrowed<'a, 'py>> {
    let (net, settings) = (trainer.net.get(), &trainer.settings);
    let validation = validation.map(|trainer| &trainer.inner);
    Ok(match &mut trainer.inner {
        AnyTrainerState::Float32(state) => {
            let validation = match validation {
                Some(AnyTrainerState::Float32(validation)) => Some(validation),
                _ => None,
            };
            ByDtype::Float32(Borrowed::new(job, net, settings, state, validation)?)
        }
        AnyTrainerState::Float64(state) => {
            let validation = match validation {
                Some(AnyTrainerState::Float64(validation)) => Some(validation),
                _ => None,
            };
            ByDtype::Float64(Borrowed::new(job, net, settings, state, validation)?)
        }
    })
}

/// Adds what became of the networks of a group: their place, their steps, and the rest.
fn add_outcomes<T>(group: &Group<'_, T>, outcomes: &mut Vec<(usize, u64, Outcome)>) -> Result<()> {
    for (place, epochs) in &group.members {
        let reports = epochs.reports.iter();
        let rows = reports.map(|report| (report.cost, report.validation_cost, report.seconds));
        let stopping = epochs.stopping.as_ref();
        let outcome = (
            try_collect("epochs", rows)?,
            epochs.first_cost,
            epochs.diverged,
            stopping.map(|stop| (stop.best, stop.best_epoch, stop.is_over)),
        );
        try_push("jobs", outcomes, (*place, epochs.steps, outcome))?;
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
) -> PyResult<(Vec<Outcome>, Option<Py<PyAny>>)> {
    guarded(|| {
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
        let mut deal = Deal::new(groups, allowed)?;
        let outcome = detached(py, usize::MAX, |should_cancel| deal.run(should_cancel));
        let mut error = outcome.err();
        let mut outcomes = Vec::new();
        try_reserve("jobs", &mut outcomes, jobs.len())?;
        for (group, outcome) in deal.into_outcomes() {
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
        outcomes.sort_unstable_by_key(|&(place, ..)| place);
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
