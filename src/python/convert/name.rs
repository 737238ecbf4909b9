//! Arguments that are names.

use std::borrow::Cow;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::python::call::errors::wrong_type;

/// An argument that is a name, or, if allowed, another object.
pub enum Name<'py> {
    Default(&'static str),
    Given(Bound<'py, PyAny>),
}

impl<'py> Name<'py> {
    /// The argument as a Python object.
    pub fn object(self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Default(name) => PyString::new(py, name).into_any(),
            Self::Given(object) => object,
        }
    }

    /// The name.
    ///
    /// # Errors
    /// TypeError if it is not a string.
    pub fn text(&self, argument: &str) -> PyResult<Cow<'_, str>> {
        match self {
            Self::Default(name) => Ok(Cow::Borrowed(name)),
            Self::Given(object) => text(argument, object),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Name<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Given(object.to_owned()))
    }
}

/// The name `value`.
///
/// # Errors
/// TypeError if it is not a string.
pub(super) fn text<'a>(argument: &str, value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, str>> {
    let name = value.cast::<PyString>();
    to_str_lossy(name.map_err(|_| wrong_type(argument, "a name", value))?)
}

/// A name, decoded lossily: no valid name contains characters that UTF-8 cannot encode, so the result is
/// unknown.
pub(super) fn to_str_lossy<'a>(name: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match name.to_str() {
        Err(error) if error.is_instance_of::<PyMemoryError>(name.py()) => Err(error),
        Err(_) => Ok(name.to_string_lossy()),
        Ok(name) => Ok(Cow::Borrowed(name)),
    }
}
