//! Out of Python and back: the GIL released, signals watched, panics caught.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::base::cancel::ShouldCancel;
use crate::base::error::{Kind, Result};
use crate::kernels::simd::level;
use crate::python::call::errors::from_panic;

/// Calls of fewer multiply-adds keep the GIL: they end within some 10 µs, and a thread that has
/// given the GIL away may wait 5 ms to have it back.
const ATTACHED_WORK: usize = 1 << 17;

/// Runs `work`, which takes about `size` multiply-adds, with the GIL released unless it is small.
/// The question it gets lets Python run its signal handlers.
///
/// # Errors
/// `BPFAST_SIMD` names a level that this machine lacks; those of `work`; what a signal handler
/// raised; RuntimeError for a panic, and in a child that a signal handler has forked, where other
/// threads were at work.
pub fn detached<R: Send>(
    py: Python<'_>,
    size: usize,
    work: impl FnOnce(ShouldCancel<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    level()?;
    without_kernels(py, size, work)
}

/// The same for `work` that calls no kernel.
///
/// # Errors
/// As of [`detached`], but for the level.
pub fn without_kernels<R: Send>(
    py: Python<'_>,
    size: usize,
    work: impl FnOnce(ShouldCancel<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    let raised = Mutex::new(None);
    #[allow(clippy::redundant_closure_for_method_calls)] // the method is not general enough
    let should_cancel = || match Python::try_attach(|py| py.check_signals()) {
        Some(Ok(())) => false,
        Some(Err(error)) => {
            *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            true
        }
        None => park(),
    };
    let guarded = || catch_unwind(AssertUnwindSafe(|| work(&should_cancel)));
    let outcome = if size < ATTACHED_WORK {
        guarded()
    } else {
        py.detach(guarded)
    };
    let raised = raised.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (outcome, raised) {
        (Ok(Err(error)), Some(raised))
            if matches!(error.kind(), Kind::Interrupted | Kind::Forked) =>
        {
            Err(raised)
        }
        (Ok(result), _) => result.map_err(Into::into),
        (Err(panic), _) => Err(from_panic(&*panic)),
    }
}

/// Keeps the thread here for ever: Python is gone, and the process is about to end.
pub fn park() -> ! {
    loop {
        std::thread::park();
    }
}
