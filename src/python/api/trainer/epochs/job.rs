//! Some epochs of one training, as Python describes them.

use pyo3::prelude::*;

use crate::python::api::trainer::Trainer;

/// The attributes of a Python object that describe some epochs of one training.
#[derive(FromPyObject)]
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
    pub(super) stopping: Option<StoppingValues>,
    pub(super) best_params: Option<Bound<'py, PyAny>>,
}

/// patience, min_delta, the best cost so far, its epoch, and whether the validation is watched.
pub(super) type StoppingValues = (u64, f64, f64, u64, bool);
