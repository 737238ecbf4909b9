//! The number of threads of a call, from the environment or set by the user.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::exceptions::{PyOverflowError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::base::error::Error;
use crate::kernels::simd::simd_level;
use crate::pool::{MAX_THREADS, default_threads};
use crate::python::call::cached::{Cached, interned};
use crate::python::call::errors::{guarded, guarded_object};
use crate::python::convert::integer::integer;

/// The value of `set_num_threads`; 0 if not set.
static PROCESS: AtomicUsize = AtomicUsize::new(0);

/// Whether any context was ever entered; if not, calls skip the lookup.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The contexts of the running thread or asyncio task: a ContextVar with a tuple of [`NumThreads`], the
/// last entered at the end. Some may already have been left in a copy of this task's context.
fn contexts(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CONTEXTS: Cached<PyAny> = Cached::new();
    let new = || {
        let default = PyDict::new(py);
        default.set_item("default", PyTuple::empty(py))?;
        let contextvars = py.import("contextvars")?;
        let class = contextvars.getattr("ContextVar")?;
        let name = ("bpfast.num_threads",);
        class.call(name, Some(&default))
    };
    CONTEXTS.get_or_make(py, new)
}

/// The contexts that are still open, the last entered at the end.
fn entered(py: Python<'_>) -> PyResult<Vec<Bound<'_, NumThreads>>> {
    let all = contexts(py)?.call_method0(interned!(py, "get"))?;
    let mut all: Vec<Bound<'_, NumThreads>> = all.extract()?;
    all.retain(|context| context.get().entered.load(Ordering::Relaxed) > 0);
    Ok(all)
}

/// The number of threads that applies here.
///
/// # Errors
/// `BPFAST_NUM_THREADS` is not a valid number.
pub fn current(py: Python<'_>) -> PyResult<usize> {
    if ENTERED.load(Ordering::Relaxed)
        && let Some(innermost) = entered(py)?.last()
    {
        return Ok(innermost.get().threads);
    }
    match PROCESS.load(Ordering::Relaxed) {
        0 => Ok(default_threads()?),
        threads => Ok(threads),
    }
}

fn parse(k: &Bound<'_, PyAny>) -> PyResult<usize> {
    let k = &integer("k", k)?;
    let threads = match k.extract::<usize>() {
        Ok(threads) => threads,
        Err(error) if error.is_instance_of::<PyOverflowError>(k.py()) => 0,
        Err(error) => return Err(error),
    };
    if (1..=MAX_THREADS).contains(&threads) {
        return Ok(threads);
    }
    let expected = format!("1 to {MAX_THREADS} threads");
    Err(Error::value("k", expected, k).into())
}

/// Set how many threads calls of this process may use.
///
/// An open ``with num_threads`` takes precedence: inside one, the new number applies after its end. Results
/// have the same bits at any number of threads.
///
/// Parameters
/// ----------
/// k : int or None
///     1 to 1024. None restores the default: the first of ``BPFAST_NUM_THREADS``, ``RAYON_NUM_THREADS``
///     and ``OMP_NUM_THREADS`` that is set, else the number of CPUs that this process may use. A value
///     that is not a positive integer is an error in the first of them, and ignored in the others;
///     more than 1024 means 1024.
///
/// Raises
/// ------
/// ValueError
///     k is out of range.
/// TypeError
///     k is not an integer.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.set_num_threads(2)
/// >>> bpfast.get_num_threads()
/// 2
/// >>> bpfast.set_num_threads(None)
#[pyfunction]
pub fn set_num_threads(k: &Bound<'_, PyAny>) -> PyResult<()> {
    guarded(|| {
        let threads = if k.is_none() { 0 } else { parse(k)? };
        PROCESS.store(threads, Ordering::Relaxed);
        Ok(())
    })
}

/// How many threads a call made here may use.
///
/// Returns
/// -------
/// int
///     The number of the innermost open ``with num_threads`` of this thread or asyncio task, else
///     of `set_num_threads`, else of the environment.
///
/// Raises
/// ------
/// ValueError
///     ``BPFAST_NUM_THREADS`` is set to something that is not a positive integer.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> with bpfast.num_threads(1):
/// ...     bpfast.get_num_threads()
/// 1
#[pyfunction]
pub fn get_num_threads(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    guarded_object(py, || current(py))
}

/// A context in which calls use at most k threads.
///
/// It applies to the thread or asyncio task that enters it, and to tasks and ``asyncio.to_thread`` calls
/// started inside; other threads and tasks are not affected. Contexts may be left in any order: the last
/// entered of those still open applies, whatever `set_num_threads` says. After them all, the number of
/// `set_num_threads` applies, even if that was set inside. A context that is entered by hand and never left
/// applies to the rest of its thread or task. A generator that yields inside a context leaves it open for
/// its caller until the generator continues or is closed.
///
/// Parameters
/// ----------
/// k : int
///     1 to 1024.
///
/// Raises
/// ------
/// ValueError
///     k is out of range.
/// TypeError
///     k is not an integer.
/// RuntimeError
///     It is left more often than it was entered.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([3, 2], seed=0)
/// >>> with bpfast.num_threads(1):
/// ...     a = net.forward([[1, 2, 3]])
#[pyclass(name = "num_threads", frozen, module = "bpfast")]
pub struct NumThreads {
    threads: usize,
    /// How often it was entered and not left, over all threads and tasks.
    entered: AtomicUsize,
}

#[pymethods]
impl NumThreads {
    #[new]
    fn new(k: &Bound<'_, PyAny>) -> PyResult<Self> {
        guarded(|| {
            Ok(Self {
                threads: parse(k)?,
                entered: AtomicUsize::new(0),
            })
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        guarded(|| {
            let py = slf.py();
            let mut contexts = entered(py)?;
            contexts.push(slf.clone());
            set_contexts(py, contexts)?;
            slf.get().entered.fetch_add(1, Ordering::Relaxed);
            ENTERED.store(true, Ordering::Relaxed);
            Ok(slf)
        })
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Self>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        guarded(|| {
            let py = slf.py();
            let mut contexts = entered(py)?;
            let less = |entered: usize| entered.checked_sub(1);
            let count = &slf.get().entered;
            if count
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .is_err()
            {
                let message = "num_threads: expected to be left once for each time it was entered, got one more";
                return Err(PyRuntimeError::new_err(message));
            }
            // Absent if another thread closes a generator; the count records that case.
            if let Some(index) = contexts.iter().rposition(|context| context.is(slf)) {
                contexts.remove(index);
                set_contexts(py, contexts)?;
            }
            Ok(())
        })
    }
}

fn set_contexts(py: Python<'_>, open: Vec<Bound<'_, NumThreads>>) -> PyResult<()> {
    let open = PyTuple::new(py, open)?;
    contexts(py)?.call_method1(interned!(py, "set"), (open,))?;
    Ok(())
}

/// Properties of this build, for `bpfast.show_config`.
#[pyfunction]
pub fn build_config(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    guarded(|| {
        let dict = PyDict::new(py);
        dict.set_item("version", env!("CARGO_PKG_VERSION"))?;
        dict.set_item("simd", simd_level()?)?;
        dict.set_item("threads", current(py)?)?;
        let profile = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        dict.set_item("build", format!("{profile}, {target}, abi3"))?;
        Ok(dict)
    })
}
