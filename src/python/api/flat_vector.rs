//! The flat vector of a network's parameters or of a gradient, and its views.

use std::sync::Arc;

use numpy::ndarray::Ix1;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::base::alloc::try_collect;
use crate::base::error::Error;
use crate::model::architecture::{Architecture, Layer};
use crate::python::api::views::{Views, set};
use crate::python::borrow::{AnyVector, Element, OwnedVector, View, check_writeable, copied};
use crate::python::call::cached::Cached;
use crate::python::convert::arrays::input;
use crate::python::convert::dtype::Dtype;

/// A flat vector with the layout of a network's parameters, and its views: one of all elements, and one of
/// each W^l and b^l.
pub struct FlatVector {
    pub architecture: Arc<Architecture>,
    pub dtype: Dtype,
    numbers: AnyVector,
    flat: View,
    weights: Cached<Views>,
    biases: Cached<Views>,
}

impl FlatVector {
    /// Zeros. A MemoryError names `what`.
    pub fn zeros(
        py: Python<'_>,
        what: &str,
        architecture: Arc<Architecture>,
        dtype: Dtype,
    ) -> PyResult<Self> {
        let length = architecture.n_params();
        let numbers = match dtype {
            Dtype::Float32 => AnyVector::Float32(OwnedVector::zeros(py, what, length)?),
            Dtype::Float64 => AnyVector::Float64(OwnedVector::zeros(py, what, length)?),
        };
        Ok(Self {
            architecture,
            dtype,
            flat: numbers.view(py, &(0..length), None),
            numbers,
            weights: Cached::new(),
            biases: Cached::new(),
        })
    }

    /// The vector.
    ///
    /// # Errors
    /// `T` is not its dtype.
    pub fn numbers<T: Element>(&self) -> PyResult<&OwnedVector<T>> {
        let message = "a vector of another dtype than its network's";
        T::of(&self.numbers).ok_or_else(|| PyTypeError::new_err(message))
    }

    /// The whole vector as an array: the same object each time, unless the user has changed that object in
    /// place.
    pub fn flat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.flat.array(py)?.into_any())
    }

    /// # Errors
    /// The user has made one of the views read-only.
    pub fn check_writeable(&self, py: Python<'_>, argument: &str) -> PyResult<()> {
        if let Some(array) = self.flat.existing(py) {
            check_writeable(argument, array)?;
        }
        for views in [&self.weights, &self.biases] {
            if let Some(views) = views.get(py) {
                views.get().check_writeable(py, argument)?;
            }
        }
        Ok(())
    }

    /// A copy of all elements.
    ///
    /// # Errors
    /// Another call is writing to them.
    pub fn copied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        copied("params", &self.flat.make(py)?)
    }

    /// Copies `values` in.
    pub fn set_flat(&self, value: &Bound<'_, PyAny>, argument: &str) -> PyResult<()> {
        set(argument, &self.flat.array(value.py())?, value)
    }

    /// Copies `values` in as a training step does: waits for calls of other threads that read the vector.
    ///
    /// # Errors
    /// As [`Self::set_flat`].
    pub fn train_to<T: Element>(&self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = values.py();
        self.check_writeable(py, "params")?;
        let mut params = self.numbers::<T>()?.train(py, "params")?;
        let values = input::<T, Ix1>("params", values)?;
        let values = values.as_slice()?;
        if values.len() != params.len() {
            return Err(Error::shape("params", &[params.len()], &[values.len()]).into());
        }
        params.copy_from_slice(values);
        Ok(())
    }

    /// Views of W^2, …, W^L, each (n_l, n_(l−1)).
    pub fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let view = |layer: &Layer| {
            let view = self.numbers.view(py, &layer.weights, Some(layer.n_out));
            Some(view)
        };
        let make = || self.views(py, "weights", view);
        Ok(self.weights.get_or_make(py, make)?.clone().unbind())
    }

    /// Views of b^2, …, b^L, each (n_l,); None for a layer without biases.
    pub fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let view = |layer: &Layer| {
            let has_biases = layer.has_biases();
            has_biases.then(|| self.numbers.view(py, &layer.biases, None))
        };
        let make = || self.views(py, "biases", view);
        Ok(self.biases.get_or_make(py, make)?.clone().unbind())
    }

    fn views<'py>(
        &self,
        py: Python<'py>,
        name: &'static str,
        view: impl Fn(&Layer) -> Option<View>,
    ) -> PyResult<Bound<'py, Views>> {
        let views = try_collect(name, self.architecture.layers().iter().map(view))?;
        Bound::new(py, Views::new(name, views))
    }
}
