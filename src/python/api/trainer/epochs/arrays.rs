//! The arrays of some epochs of one training, borrowed for a call.

use numpy::PyArray1;
use numpy::ndarray::Ix1;
use pyo3::prelude::*;

use crate::base::alloc::{try_collect_results, try_reserve};
use crate::base::error::Error;
use crate::data::Reduction;
use crate::engine::optimizer::ParamsAndState;
use crate::many::epochs::{Epochs, Validation};
use crate::many::schedule::ByDtype;
use crate::model::architecture::Architecture;
use crate::python::api::network::PyNetwork;
use crate::python::api::optimizers::nested;
use crate::python::api::trainer::data::BorrowedData;
use crate::python::api::trainer::epochs::job::{EarlyStopping, TrainingJob};
use crate::python::api::trainer::state::TrainerState;
use crate::python::api::trainer::{AnyTrainerState, Trainer};
use crate::python::borrow::{
    Access, BorrowScope, Element, MemoryOrder, ReadArray, WriteArray, WriteGuard,
};
use crate::python::convert::arrays::{input, integers};
use crate::python::convert::optimizer_arrays::params_and_state;
use crate::train::Settings;

/// The arrays of a job.
pub(super) struct JobArrays<'a, 'py, T: Element> {
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
    early_stopping: Option<EarlyStopping>,
    monitors_validation: bool,
    first_epoch: u64,
    order_seed: Option<u64>,
    steps_before: u64,
    _scope: BorrowScope<'py>,
}

pub(super) type AnyJobArrays<'a, 'py> = ByDtype<JobArrays<'a, 'py, f32>, JobArrays<'a, 'py, f64>>;

impl<'a, 'py, T: Element> JobArrays<'a, 'py, T> {
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
            early_stopping: job.early_stopping,
            monitors_validation: job.monitors_validation,
            first_epoch: job.first_epoch,
            order_seed: job.order_seed,
            steps_before: job.optimizer.getattr("_steps")?.extract()?,
            _scope: scope,
        })
    }

    /// # Errors
    /// An array was changed in the meantime, or memory runs out.
    pub(super) fn epochs(&mut self) -> PyResult<Epochs<'_, T>> {
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
        let of_validation = self.monitors_validation;
        let stopping = (self.early_stopping).map(|stop| stop.rule(of_validation, best_params));
        if validation.is_none() && stopping.as_ref().is_some_and(|stop| stop.of_validation) {
            return Err(Error::value("early_stopping", "validation examples", "none").into());
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
/// As [`JobArrays::new`].
pub(super) fn borrow<'a, 'py>(
    job: &TrainingJob<'py>,
    trainer: &'a mut Trainer,
    validation: Option<&'a Trainer>,
) -> PyResult<AnyJobArrays<'a, 'py>> {
    let (net, settings) = (trainer.net.get(), &trainer.settings);
    let validation = validation.map(|trainer| &trainer.inner);
    Ok(match &mut trainer.inner {
        AnyTrainerState::Float32(state) => {
            let validation = match validation {
                Some(AnyTrainerState::Float32(validation)) => Some(validation),
                _ => None,
            };
            ByDtype::Float32(JobArrays::new(job, net, settings, state, validation)?)
        }
        AnyTrainerState::Float64(state) => {
            let validation = match validation {
                Some(AnyTrainerState::Float64(validation)) => Some(validation),
                _ => None,
            };
            ByDtype::Float64(JobArrays::new(job, net, settings, state, validation)?)
        }
    })
}
