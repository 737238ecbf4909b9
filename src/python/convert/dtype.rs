//! The dtype of a network.

use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::python::borrow::call_python::{call, numpy_function};
use crate::python::call::errors::with_argument_name;

/// The two dtypes of a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dtype {
    Float32,
    Float64,
}

impl Dtype {
    /// NumPy's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// NumPy's dtype object.
    pub fn descr(self, py: Python<'_>) -> Bound<'_, PyArrayDescr> {
        match self {
            Self::Float32 => numpy::dtype::<f32>(py),
            Self::Float64 => numpy::dtype::<f64>(py),
        }
    }

    /// The dtype of an array, if it is one of the two.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Self> {
        let found = array.dtype();
        let is = |dtype: &Self| found.is_equiv_to(&dtype.descr(array.py()));
        [Self::Float32, Self::Float64].into_iter().find(is)
    }

    /// float32 if all `arrays` are, else float64.
    pub fn common<'a, 'py: 'a>(
        mut arrays: impl Iterator<Item = &'a Bound<'py, PyUntypedArray>>,
    ) -> Self {
        if arrays.all(|array| Self::of(array) == Some(Self::Float32)) {
            Self::Float32
        } else {
            Self::Float64
        }
    }

    /// `value` as NumPy interprets it, if that is float32 or float64.
    ///
    /// # Errors
    /// TypeError for anything else.
    pub fn parse(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let descr = call(&numpy_function(py, "dtype")?, (value,))
            .map_err(|error| with_argument_name(py, "dtype", error))?
            .cast_into::<PyArrayDescr>()?;
        [Self::Float32, Self::Float64]
            .into_iter()
            .find(|dtype| descr.is_equiv_to(&dtype.descr(py)))
            .ok_or_else(|| {
                let message = format!("dtype: expected float32 or float64, got {descr}");
                PyTypeError::new_err(message)
            })
    }
}
