//! The state of a network's last training.

use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Ix1;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::data::labels;
use crate::model::architecture::Architecture;
use crate::python::api::network::PyNetwork;
use crate::python::borrow::Element;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::input;
use crate::python::convert::dtype::Dtype;
use crate::python::convert::targets::TargetArray;

/// The elements compared at a time.
const BLOCK: usize = 1024;

/// The history and the optimizer of the last training.
#[derive(Default)]
pub struct LastTraining(Mutex<Option<(Py<PyAny>, Py<PyAny>)>>);

impl LastTraining {
    fn get<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (history, optimizer) = last.as_ref()?;
        Some((history.bind(py).clone(), optimizer.bind(py).clone()))
    }

    fn replace(&self, new: Option<(Py<PyAny>, Py<PyAny>)>) {
        let old = std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            new,
        );
        drop(old); // after the lock is released: it may run Python code
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // If the lock is held, its holder releases it soon: a later traversal finds the objects.
        if let Ok(last) = self.0.try_lock()
            && let Some((history, optimizer)) = &*last
        {
            visit.call(history)?;
            visit.call(optimizer)?;
        }
        Ok(())
    }

    pub fn clear(&self) {
        self.replace(None);
    }
}

#[pymethods]
impl PyNetwork {
    /// The `History` of the last `fit`, also while it runs and after an interrupt; None before the first.
    /// Copies and pickles of the network have None.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.training.get(py).map(|(history, _)| history)
    }

    /// The optimizer of the last training, with its state; None before the first. Copies and pickles of the
    /// network have None.
    #[getter]
    fn optimizer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.training.get(py).map(|(_, optimizer)| optimizer)
    }
}

/// A copy of a network's parameters, made while no call writes to them.
#[pyfunction]
pub fn copy_params<'py>(py: Python<'py>, net: &PyNetwork) -> PyResult<Bound<'py, PyAny>> {
    guarded(|| net.vector.copied(py))
}

/// Whether the parameters of a network equal `values` bit by bit.
#[pyfunction]
pub fn has_params(net: &PyNetwork, values: &Bound<'_, PyAny>) -> PyResult<bool> {
    guarded(|| match net.dtype() {
        Dtype::Float32 => are_params::<f32>(net, values),
        Dtype::Float64 => are_params::<f64>(net, values),
    })
}

fn are_params<T: Element>(net: &PyNetwork, values: &Bound<'_, PyAny>) -> PyResult<bool> {
    let values = input::<T, Ix1>("params", values)?;
    let params = net.vector.numbers::<T>()?.read("params")?;
    let (values, params) = (values.as_slice()?, &*params);
    let bits = |value: &T| value.to_f64().to_bits();
    // Block by block, as a loop with an early exit is not vectorized.
    let mut blocks = values.chunks(BLOCK).zip(params.chunks(BLOCK));
    Ok(values.len() == params.len()
        && blocks.all(|(values, params)| {
            let pairs = values.iter().zip(params);
            pairs.fold(true, |same, (a, b)| same & (bits(a) == bits(b)))
        }))
}

/// Copies `values` into the parameters of a network in training, after waiting for calls of other threads
/// that read them.
#[pyfunction]
pub fn assign_params(net: &PyNetwork, values: &Bound<'_, PyAny>) -> PyResult<()> {
    guarded(|| match net.dtype() {
        Dtype::Float32 => net.vector.train_to::<f32>(values),
        Dtype::Float64 => net.vector.train_to::<f64>(values),
    })
}

/// Records the current or last training of a network.
#[pyfunction]
pub fn set_training(net: &PyNetwork, history: Py<PyAny>, optimizer: Py<PyAny>) {
    net.training.replace(Some((history, optimizer)));
}

/// Raises the errors that a training would raise for y, (n, n_L) or (n,): a wrong shape, invalid labels, or
/// values for which the cost has no minimum. `first` is the index of the first example.
#[pyfunction]
pub fn check_targets(net: &PyNetwork, y: &Bound<'_, PyAny>, first: usize) -> PyResult<()> {
    guarded(|| {
        fn check<T: Element>(
            architecture: &Architecture,
            y: &Bound<'_, PyAny>,
            first: usize,
        ) -> PyResult<()> {
            let (width, cost, n) = (architecture.n_outputs(), architecture.cost(), y.len()?);
            match TargetArray::<T>::parse(width, cost, n, y)? {
                TargetArray::Labels(y) => labels::check(width, cost, n, y.as_slice()?, first)?,
                y @ TargetArray::Values(_) => {
                    y.targets(width, cost, n)?;
                    y.check_range(width, cost, first)?;
                }
            }
            Ok(())
        }
        match net.dtype() {
            _ if net.config.custom.is_some() => Ok(()),
            Dtype::Float32 => check::<f32>(net.architecture(), y, first),
            Dtype::Float64 => check::<f64>(net.architecture(), y, first),
        }
    })
}
