//! Files: path arguments, work on a file with the GIL released, and system errors as OSError.

pub mod tensors;

use std::io;
use std::path::{Path, PathBuf};

use pyo3::exceptions::{PyMemoryError, PyOSError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Error;
use crate::io::safetensors::{self, FileError};
use crate::python::borrow::call_python::call_method;
use crate::python::call::detach::detached;
use crate::python::call::errors::{guarded, with_argument_name, wrong_type};

/// The most characters of a wrong path in a message, as in `paths.py`.
const MAX_SHOWN: usize = 100;

/// The path that Python passes as str, bytes or os.PathLike.
///
/// # Errors
/// TypeError for other types; ValueError for a null byte, or for text that the system cannot encode as a
/// path; what `__fspath__` raises.
pub fn parse_path(value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let py = value.py();
    let text = value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>();
    if !text && !value.get_type().hasattr("__fspath__")? {
        return Err(wrong_type("path", "str, bytes or os.PathLike", value));
    }
    let decode = || call_method(py.import("os")?.as_any(), "fsdecode", (value,));
    let decoded = decode().map_err(|error| with_argument_name(py, "path", error))?;
    let path: PathBuf = decoded.extract().map_err(|error: PyErr| {
        if !error.is_instance_of::<PyUnicodeEncodeError>(py) {
            return error;
        }
        let expected = "a path that the file system can encode";
        let got = decoded.repr().map(|text| text.to_string());
        got.map_or_else(
            |error| error,
            |got| Error::value("path", expected, got).into(),
        )
    })?;
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        // It may be the contents of a file in place of its path.
        let mut got = decoded.repr()?.to_string();
        if let Some((end, _)) = got.char_indices().nth(MAX_SHOWN) {
            got.truncate(end);
            got.push('…');
        }
        return Err(Error::value("path", "a path without null bytes", got).into());
    }
    Ok(path)
}

/// Replace the file at `path`, or create it, as `Network.save` does.
///
/// Parameters
/// ----------
/// path : str, bytes or os.PathLike
/// content : bytes
///
/// Raises
/// ------
/// OSError
///     The file cannot be written; the old one is unchanged.
/// ValueError
///     ``path`` is a pipe or a device.
/// TypeError
///     Other types.
#[pyfunction]
pub fn replace_file(path: &Bound<'_, PyAny>, content: &Bound<'_, PyAny>) -> PyResult<()> {
    guarded(|| {
        let path_of_file = parse_path(path)?;
        let Ok(content) = content.cast::<PyBytes>() else {
            return Err(wrong_type("content", "bytes", content));
        };
        let content = content.as_bytes();
        detached_io(path.py(), &path_of_file, |cancel| {
            safetensors::replace_file(&path_of_file, content, cancel)
        })
    })
}

/// Runs `work` on the file at `path` with the GIL released. Its `should_cancel` lets Python run signal
/// handlers.
///
/// # Errors
/// OSError for system errors; otherwise as for [`detached`].
pub fn detached_io<R: Send>(
    py: Python<'_>,
    path: &Path,
    work: impl FnOnce(&CancelToken<'_>) -> safetensors::Result<R> + Send,
) -> PyResult<R> {
    let outcome = detached(py, usize::MAX, |should_cancel| {
        cancellable(should_cancel, |cancel| match work(cancel) {
            Ok(result) => Ok(Ok(result)),
            Err(FileError::System(error)) => Ok(Err(error)),
            Err(FileError::Refused(error)) => Err(error),
        })
    })?;
    outcome.or_else(|error| Err(system_error(py, path, &error)?))
}

/// The exception that Python's `open` would raise, with errno, the system's message and the path.
fn system_error(py: Python<'_>, path: &Path, error: &io::Error) -> PyResult<PyErr> {
    if error.kind() == io::ErrorKind::OutOfMemory {
        let message = format!("{}: {error}", path.display());
        return Ok(PyMemoryError::new_err(message));
    }
    let name = path.as_os_str();
    let Some(code) = error.raw_os_error() else {
        return Ok(PyOSError::new_err(format!("{}: {error}", path.display())));
    };
    let class = py.get_type::<PyOSError>();
    let exception = if cfg!(windows) {
        class.call1((0, error.to_string(), name, code))?
    } else {
        let words = py.import("os")?.call_method1("strerror", (code,))?;
        class.call1((code, words, name))?
    };
    Ok(PyErr::from_value(exception))
}
