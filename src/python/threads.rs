//! How many threads a call may use: the environment's number, or the user's.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::call_python::index;
use super::errors::retyped;
use crate::error::Error;
use crate::pool::{MAX_THREADS, default_threads};
use crate::simd_level;

/// `set_num_threads`; 0: not set.
static PROCESS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The numbers of this Python thread's `with num_threads`, the innermost last.
    // No destructor, for the C library needs memory to note one, or ends the process.
    static THREAD: RefCell<ManuallyDrop<Vec<usize>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// The number in force on this thread.
///
/// # Errors
/// `BPFAST_NUM_THREADS` is no number.
pub fn in_force() -> Result<usize, Error> {
    let innermost = THREAD.with_borrow(|numbers| numbers.last().copied());
    match (innermost, PROCESS.load(Ordering::Relaxed)) {
        (None, 0) => default_threads(),
        (Some(threads), _) | (None, threads) => Ok(threads),
    }
}

fn parse(k: &Bound<'_, PyAny>) -> PyResult<usize> {
    let k = &index(k).map_err(|error| retyped(error, "k", "an integer", k))?;
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

/// Sets how many threads calls of this process may use.
///
/// Results have the same bits at any number.
///
/// Parameters
/// ----------
/// k : int or None
///     1 to 1024; None goes back to the environment's number, which is the first that is set of
///     ``BPFAST_NUM_THREADS``, ``RAYON_NUM_THREADS`` and ``OMP_NUM_THREADS``, else the number of
///     CPUs that this process may use. What is no positive integer is an error in the first of
///     them and passed over in the others; more than 1024 is 1024.
///
/// Raises
/// ------
/// ValueError
///     k is out of range.
/// TypeError
///     k is no integer.
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
    let threads = if k.is_none() { 0 } else { parse(k)? };
    PROCESS.store(threads, Ordering::Relaxed);
    Ok(())
}

/// How many threads a call from this thread may use.
///
/// Returns
/// -------
/// int
///     The number set by the innermost ``with num_threads``, by `set_num_threads`, or by the
///     environment.
///
/// Raises
/// ------
/// ValueError
///     ``BPFAST_NUM_THREADS`` is set to something that is no positive integer.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> with bpfast.num_threads(1):
/// ...     bpfast.get_num_threads()
/// 1
#[pyfunction]
pub fn get_num_threads() -> PyResult<usize> {
    Ok(in_force()?)
}

/// A context in which calls from the thread that entered it use at most k threads.
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
///     k is no integer.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([3, 2], seed=0)
/// >>> with bpfast.num_threads(1):
/// ...     a = net.forward([[1, 2, 3]])
#[pyclass(name = "num_threads", frozen, module = "bpfast")]
pub struct NumThreads(usize);

#[pymethods]
impl NumThreads {
    #[new]
    fn new(k: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(parse(k)?))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        THREAD.with_borrow_mut(|numbers| numbers.push(slf.get().0));
        slf
    }

    #[pyo3(signature = (*_exception))]
    #[allow(clippy::unused_self)] // Python calls it on the object
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        THREAD.with_borrow_mut(|numbers| numbers.pop());
    }
}

/// What this build is: for `bpfast.show_config`.
#[pyfunction]
pub fn build_config(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("version", env!("CARGO_PKG_VERSION"))?;
    dict.set_item("simd", simd_level()?)?;
    dict.set_item("threads", in_force()?)?;
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    dict.set_item("build", format!("{profile}, {target}, abi3"))?;
    Ok(dict)
}
