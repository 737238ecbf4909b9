//! Looking for an array among the views, as `index`, `count` and `in` do.

use std::ops::Range;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::python::api::views::Views;
use crate::python::borrow::call_python::{self, call, numpy_function};
use crate::python::call::errors::wrong_type;

impl Views {
    /// Whether view `k` is `value`, or has its shape and numbers.
    pub(super) fn equals(&self, k: usize, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(array) = self.array(value.py(), k)? else {
            return Ok(value.is_none());
        };
        if array.is(value) {
            return Ok(true);
        }
        let array_equal = numpy_function(value.py(), "array_equal")?;
        call(&array_equal, (array, value))?.is_truthy()
    }

    pub(super) fn first_equal(
        &self,
        value: &Bound<'_, PyAny>,
        part: Range<usize>,
    ) -> PyResult<Option<usize>> {
        for k in part {
            if self.equals(k, value)? {
                return Ok(Some(k));
            }
        }
        Ok(None)
    }
}

/// `operator.index(value)`, with an error that names the argument.
pub(super) fn integer<'py>(
    argument: &str,
    value: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let index = |value| {
        call_python::index(value).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(value.py()) {
                wrong_type(argument, "an integer", value)
            } else {
                error
            }
        })
    };
    value.map(index).transpose()
}
