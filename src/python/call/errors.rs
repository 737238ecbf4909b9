//! Errors and panics of the core, as Python exceptions.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{
    PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::base::error::{Error, ErrorKind};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error.kind() {
            ErrorKind::Value => PyValueError::new_err(message),
            ErrorKind::Memory => PyMemoryError::new_err(message),
            ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(()),
            ErrorKind::Forked => PyRuntimeError::new_err(message),
        }
    }
}

/// The panic message for an uninitialised network.
pub const NOT_INITIALISED: &str = "Network: expected super().__init__(sizes, ...) in the __init__ of its subclass, got no such call";

/// Whether a panic means that Python has no memory for a small object: PyO3 got none, or unwrapped a
/// MemoryError.
fn is_of_memory(text: &str) -> bool {
    text == "PyObject pointer is null" || text.contains("<class 'MemoryError'>")
}

/// Runs `work`, which creates Python objects.
///
/// # Errors
/// Those of `work`; MemoryError if Python has no memory for an object; RuntimeError for other panics.
pub fn guarded<R>(work: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(from_panic(&*panic)))
        .map_err(created)
}

/// Runs `work` and converts its result to a Python object, as PyO3 would do outside [`guarded`].
///
/// # Errors
/// As [`guarded`].
pub fn guarded_object<'py, R: IntoPyObjectExt<'py>>(
    py: Python<'py>,
    work: impl FnOnce() -> PyResult<R>,
) -> PyResult<Bound<'py, PyAny>> {
    guarded(|| work()?.into_bound_py_any(py))
}

/// Creates the exception with its message now: PyO3 creates it after the call, where a panic for lack of
/// memory aborts the process.
fn created(error: PyErr) -> PyErr {
    let create = AssertUnwindSafe(|| {
        Python::attach(|py| {
            error.value(py);
        });
    });
    if catch_unwind(create).is_err() {
        // CPython keeps preallocated instances of MemoryError for this.
        return PyMemoryError::new_err(());
    }
    error
}

/// A panic is a bug of bpfast, unless memory ran out or a network is not initialised. `except Exception`
/// must be able to catch it.
pub fn from_panic(panic: &(dyn Any + Send)) -> PyErr {
    let text = text_of(panic);
    if is_of_memory(text) {
        return PyMemoryError::new_err("cannot allocate an object of Python's");
    }
    if text == NOT_INITIALISED {
        return PyRuntimeError::new_err(text.to_owned());
    }
    PyRuntimeError::new_err(format!("bpfast failed inside (please report it): {text}"))
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// Prints no message for a panic that is not a bug of bpfast. If memory ran out, there is none for a
/// backtrace.
pub fn install_panic_hook() {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        let text = text_of(panic.payload());
        if !is_of_memory(text) && text != NOT_INITIALISED {
            print(panic);
        }
    }));
}

/// A TypeError: `argument` should be `expected`, and has the type of `got`.
pub fn wrong_type(argument: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    let name = got.get_type().name();
    let name = name.map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{argument}: expected {expected}, got {name}"))
}

/// Replaces a TypeError by [`wrong_type`]. Any other `error` is passed on: it is the user's own, or memory
/// ran out.
pub fn as_wrong_type(
    error: PyErr,
    argument: &str,
    expected: &str,
    got: &Bound<'_, PyAny>,
) -> PyErr {
    if error.is_instance_of::<PyTypeError>(got.py()) {
        return wrong_type(argument, expected, got);
    }
    error
}

/// The same exception with the argument's name in front, for NumPy's exceptions, which lack it.
pub fn with_argument_name(py: Python<'_>, argument: &str, error: PyErr) -> PyErr {
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
