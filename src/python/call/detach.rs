//! Calls of the core: releases the GIL, polls for signals, catches panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::base::cancel::ShouldCancel;
use crate::base::error::{ErrorKind, Result};
use crate::kernels::machine;
use crate::python::call::errors::from_panic;

/// Calls of fewer multiply-adds keep the GIL: they take at most some 10 µs, while a thread that releases it
/// may wait 5 ms to get it back.
const ATTACHED_WORK: usize = 1 << 17;

/// Runs `work`, of about `size` multiply-adds, with the GIL released unless it is small. The
/// `should_cancel` that it gets lets Python run its signal handlers.
///
/// # Errors
/// `BPFAST_SIMD` names a level that this machine lacks; the errors of `work`; what a signal handler raises;
/// RuntimeError for a panic, and in a child that a signal handler has forked while other threads were
/// working.
pub fn detached<R: Send>(
    py: Python<'_>,
    size: usize,
    work: impl FnOnce(ShouldCancel<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    machine::detect()?;
    detached_without_simd(py, size, work)
}

/// The same for `work` that uses no SIMD kernel.
///
/// # Errors
/// As for [`detached`], except for the level.
pub fn detached_without_simd<R: Send>(
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
            if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Forked) =>
        {
            Err(raised)
        }
        (Ok(result), _) => result.map_err(Into::into),
        (Err(panic), _) => Err(from_panic(&*panic)),
    }
}

/// Parks the thread forever: Python has shut down, and the process is about to end.
pub fn park() -> ! {
    loop {
        std::thread::park();
    }
}
