//! Some epochs of one training, as Python describes them.

use pyo3::Borrowed;
use pyo3::prelude::*;

use crate::many::stopping::Stopping;
use crate::python::api::trainer::Trainer;
use crate::python::call::cached::from_attributes;

/// The attributes of a Python object that describe some epochs of one training.
pub(super) struct TrainingJob<'py> {
    pub(super) trainer: Bound<'py, Trainer>,
    pub(super) optimizer: Bound<'py, PyAny>,
    pub(super) state_arrays: Bound<'py, PyAny>,
    /// The rate of each step of each epoch.
    pub(super) rates: Bound<'py, PyAny>,
    pub(super) first_epoch: u64,
    pub(super) order_seed: Option<u64>,
    pub(super) rows: Option<Bound<'py, PyAny>>,
    /// Examples to evaluate after each epoch: those of another trainer, or rows of this one with weights
    /// of all rows.
    pub(super) validation: Option<Bound<'py, Trainer>>,
    pub(super) validation_rows: Option<Bound<'py, PyAny>>,
    pub(super) validation_weight: Option<Bound<'py, PyAny>>,
    pub(super) early_stopping: Option<EarlyStopping>,
    /// Whether early stopping monitors the cost of the validation, and not that of the training.
    pub(super) monitors_validation: bool,
    pub(super) best_params: Option<Bound<'py, PyAny>>,
}

from_attributes!(TrainingJob<'py> {
    trainer,
    optimizer,
    state_arrays,
    rates,
    first_epoch,
    order_seed,
    rows,
    validation,
    validation_rows,
    validation_weight,
    early_stopping,
    monitors_validation,
    best_params,
});

/// The attributes of a `bpfast.EarlyStopping`.
#[derive(Clone, Copy)]
pub(super) struct EarlyStopping {
    patience: u64,
    min_delta: f64,
    best: f64,
    best_epoch: u64,
}

from_attributes!(EarlyStopping {
    patience,
    min_delta,
    best,
    best_epoch
});

impl EarlyStopping {
    /// The rule, which keeps the parameters of the best epoch in `best_params`.
    pub(super) fn rule<T>(self, of_validation: bool, best_params: &mut [T]) -> Stopping<'_, T> {
        Stopping {
            patience: self.patience,
            min_delta: self.min_delta,
            best: self.best,
            best_epoch: self.best_epoch,
            of_validation,
            best_params,
            is_over: false,
        }
    }
}
