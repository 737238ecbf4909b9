//! Integers from Python.

use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::python::borrow::call_python::index;
use crate::python::call::errors::{as_wrong_type, wrong_type};
use crate::python::convert::arrays::refuse_masked;

/// `value` as a Python int.
///
/// # Errors
/// TypeError if it is not an integer, or is a bool; ValueError if it is masked.
pub fn integer<'py>(argument: &str, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let expected = "an integer";
    if value.is_instance_of::<PyBool>() {
        return Err(wrong_type(argument, expected, value));
    }
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        refuse_masked(argument, array)?;
    }
    index(value).map_err(|error| as_wrong_type(error, argument, expected, value))
}
