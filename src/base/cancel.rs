//! Cancellation: how the threads of a long call learn that it should stop.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::error::{Error, Result};

/// The interval between two calls of `should_cancel`. Python should react to Ctrl-C within 100 ms; the work
/// of a thread between two polls (a few milliseconds at most) is added to it.
pub const INTERVAL: Duration = Duration::from_millis(25);

/// The caller's function that returns whether to cancel; only called on the calling thread.
pub type ShouldCancel<'a> = &'a (dyn Fn() -> bool + Sync);

/// The cancellation flag of a call, shared by its threads.
#[derive(Debug, Default)]
pub struct CancelFlag(AtomicBool);

impl CancelFlag {
    /// Whether the call is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Cancels the call.
    pub(crate) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on the calling thread with a token that polls `should_cancel`.
///
/// # Errors
/// `should_cancel` returned true; some of the work was not done.
pub fn cancellable<R>(
    should_cancel: ShouldCancel<'_>,
    work: impl FnOnce(&CancelToken<'_>) -> Result<R>,
) -> Result<R> {
    let flag = CancelFlag::default();
    let result = work(&CancelToken::caller(&flag, should_cancel))?;
    if flag.is_cancelled() {
        return Err(Error::interrupted());
    }
    Ok(result)
}

/// The work, in multiply-adds, between two reads of the clock: below a millisecond.
const POLL_WORK: usize = 1 << 22;

/// The elements of which a function is computed between two polls: some microseconds. No benchmark set it.
pub const COMPUTED_PER_POLL: usize = 1 << 13;

/// The elements that are copied, filled or added between two polls, also to memory that is touched for the first
/// time: below a millisecond. No benchmark set it.
pub const COPIED_PER_POLL: usize = 1 << 16;

/// The cost of an exponential, an error function or a cost of one element, in multiply-adds.
pub const ELEMENT_WORK: usize = 64;

/// The per-thread view of the cancellation flag. On the calling thread it also calls `should_cancel`.
pub struct CancelToken<'a> {
    flag: &'a CancelFlag,
    /// `should_cancel`, and when it was last called; None before the first read of the clock.
    should_cancel: Option<(ShouldCancel<'a>, Cell<Option<Instant>>)>,
    unpolled: Cell<usize>,
}

impl<'a> CancelToken<'a> {
    /// For the calling thread.
    pub fn caller(flag: &'a CancelFlag, should_cancel: ShouldCancel<'a>) -> Self {
        Self {
            flag,
            should_cancel: Some((should_cancel, Cell::new(None))),
            unpolled: Cell::new(0),
        }
    }

    /// For a worker thread.
    pub fn worker(flag: &'a CancelFlag) -> Self {
        Self {
            flag,
            should_cancel: None,
            unpolled: Cell::new(0),
        }
    }

    /// For work that is too short to be cancelled.
    pub fn none() -> CancelToken<'static> {
        static NEVER: CancelFlag = CancelFlag(AtomicBool::new(false));
        CancelToken::worker(&NEVER)
    }

    /// Polls, counting `work` multiply-adds since the last call: true if the rest should be skipped.
    pub fn poll_after(&self, work: usize) -> bool {
        let unpolled = self.unpolled.get().saturating_add(work);
        if unpolled < POLL_WORK {
            self.unpolled.set(unpolled);
            return self.flag.is_cancelled();
        }
        self.unpolled.set(0);
        self.poll()
    }

    /// Polls, reading the clock immediately.
    pub fn poll(&self) -> bool {
        if let Some((should_cancel, last)) = &self.should_cancel
            && !self.flag.is_cancelled()
        {
            let now = Instant::now();
            // The first poll only starts the timer: short calls never get here, and so never read the
            // clock.
            if last.get().is_some_and(|last| now - last < INTERVAL) {
                return false;
            }
            if last.replace(Some(now)).is_some() && should_cancel() {
                self.flag.cancel();
            }
        }
        self.flag.is_cancelled()
    }

    /// A function that returns whether to cancel, for a call inside this one on the same thread.
    pub fn should_cancel(&self) -> impl Fn() -> bool + Sync + use<'a> {
        let flag = self.flag;
        let should_cancel = self.should_cancel.as_ref().map(|(function, _)| *function);
        move || {
            if should_cancel.is_some_and(|should_cancel| should_cancel()) {
                flag.cancel();
            }
            flag.is_cancelled()
        }
    }

    /// Locks data shared by the call's threads; None if the call is cancelled. If `should_cancel` forked, a
    /// thread that does not exist in the child may hold the lock forever.
    pub fn lock<'b, D>(&self, shared: &'b Mutex<D>) -> Option<MutexGuard<'b, D>> {
        if self.flag.is_cancelled() {
            return None;
        }
        // A panic leaves no data inconsistent under these locks, so poisoning is ignored.
        Some(shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn should_cancel_is_called_after_enough_work_and_all_threads_see_it() {
        let flag = CancelFlag::default();
        let (caller, worker) = (
            CancelToken::caller(&flag, &|| true),
            CancelToken::worker(&flag),
        );
        // The first poll starts the interval.
        assert!(!caller.poll_after(POLL_WORK));
        sleep(INTERVAL);
        assert!(!caller.poll_after(POLL_WORK - 1));
        assert!(!worker.poll_after(POLL_WORK));
        assert!(caller.poll_after(1));
        assert!(worker.poll_after(0));
        assert!(caller.lock(&Mutex::new(())).is_none());
    }

    #[test]
    fn a_call_inside_another_cancels_both() {
        let flag = CancelFlag::default();
        let (caller, worker) = (
            CancelToken::caller(&flag, &|| true),
            CancelToken::worker(&flag),
        );
        let of_worker = worker.should_cancel();
        assert!(!of_worker());
        assert!(caller.should_cancel()());
        assert!(of_worker());
    }
}
