//! Calls from Rust that may run Python code or release the GIL: user functions, methods of user objects,
//! Python functions of NumPy and SciPy, and copies of large arrays.
//!
//! Before 3.14, CPython ends a daemon thread that requests the GIL during interpreter shutdown with
//! `pthread_exit`. On Linux that unwinds the thread's stack, and a Rust frame on it aborts the process.
//! Calls through this module park the thread instead until the process has ended, as CPython does since
//! 3.14, and as PyO3 does where it takes the GIL itself.

use std::mem::{forget, transmute};
use std::ptr::{null_mut, read_volatile};

use pyo3::BoundObject;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple};

use crate::python::call::cached::Cached;
use crate::python::call::detach::park;

type ObjectCall =
    unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
type UnwindingObjectCall =
    unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;

/// The compiler assumes that PyO3's functions never unwind, and would remove the guard below if it knew
/// which function is called. Reading the address from a static hides that.
static OBJECT_CALL: ObjectCall = ffi::PyObject_Call;

/// The first frame that an unwinding stack reaches.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        park();
    }
}

/// `function(*arguments)`.
///
/// # Errors
/// What it raises.
pub fn call<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl IntoPyObject<'py, Target = PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    call_with(function, arguments, None)
}

/// `function(*arguments, **keywords)`.
///
/// # Errors
/// What it raises.
pub fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl IntoPyObject<'py, Target = PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let arguments = arguments
        .into_pyobject(py)
        .map_err(Into::into)?
        .into_bound();
    let keywords = keywords.map_or(null_mut(), Bound::as_ptr);
    // SAFETY: a static is always readable. The types differ only in `-unwind`, and the function is a C
    // function, which may be called as either.
    #[allow(unsafe_code)]
    let object_call = unsafe {
        transmute::<ObjectCall, UnwindingObjectCall>(read_volatile(&raw const OBJECT_CALL))
    };
    let guard = Guard;
    // SAFETY: the arguments are a callable, a tuple, and a dict or null, which live until the call returns;
    // `py` proves that this thread holds the GIL. That `pthread_exit` unwinds, and runs the drop of `guard`
    // like any unwinding, is how glibc and LLVM work and not guaranteed by Rust: `tests/concurrency/test_exit.py`
    // checks it. No frame beyond `guard` is unwound, as its drop never returns.
    #[allow(unsafe_code)]
    let result = unsafe { object_call(function.as_ptr(), arguments.as_ptr(), keywords) };
    forget(guard);
    // SAFETY: the function returns a new reference, or null with an exception set.
    #[allow(unsafe_code)]
    unsafe {
        Bound::from_owned_ptr_or_err(py, result)
    }
}

/// The attribute `name` of a module, whose import may run its code.
///
/// # Errors
/// There is none.
pub fn import_from<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static IMPORT: Cached<PyAny> = Cached::new();
    let import = IMPORT.import(py, "importlib", "import_module")?;
    call(import, (module,))?.getattr(name)
}

/// `numpy.<name>`.
pub fn numpy_function<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("numpy")?.getattr(name)
}

/// `object.name(*arguments)`.
///
/// # Errors
/// What it raises.
pub fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    call(&attribute(object, name)?, arguments)
}

/// `object.name`.
///
/// # Errors
/// What it raises.
pub fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static GETATTR: Cached<PyAny> = Cached::new();
    call(
        GETATTR.import(object.py(), "builtins", "getattr")?,
        (object, name),
    )
}

/// The items of an iterable as a list, or None if `value` is not iterable, or is a set, which has no order, or a
/// dict, whose items are keys.
///
/// # Errors
/// What it raises.
pub fn try_to_list<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyList>>> {
    let py = value.py();
    let is_mapping = value.is_instance_of::<PyDict>();
    if is_mapping || value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
        return Ok(None);
    }
    let builtins = py.import("builtins")?;
    match call(&builtins.getattr("iter")?, (value,)) {
        Ok(entries) => Ok(Some(
            call(&builtins.getattr("list")?, (entries,))?.cast_into()?,
        )),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `operator.index(value)`: a Python int.
///
/// # Errors
/// TypeError if it is not an integer.
pub fn index<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static INDEX: Cached<PyAny> = Cached::new();
    call(INDEX.import(value.py(), "operator", "index")?, (value,))
}

/// `repr(value)`.
///
/// # Errors
/// What it raises.
pub fn repr<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let builtins = value.py().import("builtins")?;
    Ok(call(&builtins.getattr("repr")?, (value,))?.cast_into()?)
}
