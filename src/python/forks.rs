//! How many forks lie between this process and the one that imported the module: cheaper than to
//! ask the system for the process's number, as the pool does, which knows no Python.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// The number: it differs between a process and those it was forked from.
pub fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Asks Python to count, in each child, before `os.fork` returns there.
pub fn count(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    if !os.hasattr("register_at_fork")? {
        return Ok(()); // Windows has no fork
    }
    let in_child = PyCFunction::new_closure(py, None, None, |_, _| {
        FORKS.fetch_add(1, Ordering::Relaxed);
    })?;
    let when = PyDict::new(py);
    when.set_item("after_in_child", in_child)?;
    os.call_method("register_at_fork", (), Some(&when))?;
    Ok(())
}
