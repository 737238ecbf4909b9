//! The core's errors, and panics, as Python exceptions.

use std::any::Any;

use pyo3::exceptions::{
    PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::error::{Error, Kind};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error.kind() {
            Kind::Value => PyValueError::new_err(message),
            Kind::Memory => PyMemoryError::new_err(message),
            Kind::Interrupted => PyKeyboardInterrupt::new_err(()),
            Kind::Forked => PyRuntimeError::new_err(message),
        }
    }
}

/// A panic is a defect of ours; `except Exception` must be able to catch it.
pub fn from_panic(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message");
    PyRuntimeError::new_err(format!("bpfast failed inside (please report it): {text}"))
}

/// `argument` has the wrong type: says what was `expected` and the type that came.
pub fn wrong_type(argument: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    let name = got.get_type().name();
    let name = name.map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{argument}: expected {expected}, got {name}"))
}

/// The same exception with the argument named in front, where NumPy raised it without.
pub fn naming(py: Python<'_>, argument: &str, error: PyErr) -> PyErr {
    let named = |class: &Bound<'_, PyType>| {
        PyErr::from_type(class.clone(), format!("{argument}: {}", error.value(py)))
    };
    for class in [py.get_type::<PyTypeError>(), py.get_type::<PyValueError>()] {
        if error.is_instance(py, &class) {
            let renamed = named(&class);
            renamed.set_cause(py, Some(error.clone_ref(py)));
            return renamed;
        }
    }
    error
}
