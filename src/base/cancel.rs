//! How a long call hears that it should stop, and how all its threads hear of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::error::{Error, Result};

/// How often the caller's question is asked. Python wants Ctrl-C answered within 100 ms; what one
/// thread does between two looks at the clock (a few milliseconds at the most) comes on top.
pub const INTERVAL: Duration = Duration::from_millis(25);

/// The caller's question "shall I stop?", asked on the calling thread alone.
pub type ShouldCancel<'a> = &'a (dyn Fn() -> bool + Sync);

/// The stop flag of one call, shared by the threads that work on it.
#[derive(Debug, Default)]
pub struct CancelFlag(AtomicBool);

impl CancelFlag {
    /// Whether the call has been asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks the call to stop.
    pub(crate) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on the calling thread under its pulse.
///
/// # Errors
/// The answer to `should_cancel` was yes: some of the work is not done.
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

/// How much work, in multiply-adds, is done between two looks at the clock: below a millisecond.
const UNPOLLED: usize = 1 << 22;

/// What an exponential, an error function or a step of a cost counts, in multiply-adds.
pub const ELEMENT_WORK: usize = 64;

/// One thread's hold on the stop flag. On the calling thread it also asks the question.
pub struct CancelToken<'a> {
    flag: &'a CancelFlag,
    /// The question, and when it was last asked: None before the first look at the clock.
    should_cancel: Option<(ShouldCancel<'a>, Cell<Option<Instant>>)>,
    unpolled: Cell<usize>,
}

impl<'a> CancelToken<'a> {
    /// For the thread that made the call.
    pub fn caller(flag: &'a CancelFlag, should_cancel: ShouldCancel<'a>) -> Self {
        Self {
            flag,
            should_cancel: Some((should_cancel, Cell::new(None))),
            unpolled: Cell::new(0),
        }
    }

    /// For a thread that helps.
    pub fn helper(flag: &'a CancelFlag) -> Self {
        Self {
            flag,
            should_cancel: None,
            unpolled: Cell::new(0),
        }
    }

    /// For work too short to be interrupted.
    pub fn none() -> CancelToken<'static> {
        static NEVER: CancelFlag = CancelFlag(AtomicBool::new(false));
        CancelToken::helper(&NEVER)
    }

    /// Called after `work` multiply-adds: true when the rest should be left undone.
    pub fn poll_after(&self, work: usize) -> bool {
        let unpolled = self.unpolled.get().saturating_add(work);
        if unpolled < UNPOLLED {
            self.unpolled.set(unpolled);
            return self.flag.is_cancelled();
        }
        self.unpolled.set(0);
        self.poll()
    }

    /// The same, with a look at the clock at once.
    pub fn poll(&self) -> bool {
        if let Some((should_cancel, last)) = &self.should_cancel
            && !self.flag.is_cancelled()
        {
            let now = Instant::now();
            // Short calls never come here: they pay for no look at the clock.
            if last.get().is_some_and(|last| now - last < INTERVAL) {
                return false;
            }
            if last.replace(Some(now)).is_some() && should_cancel() {
                self.flag.cancel();
            }
        }
        self.flag.is_cancelled()
    }

    /// Locks what the threads of the call share; None when the rest should be left undone. In a child
    /// that the question has forked, a thread that is not there may hold the lock for ever.
    pub fn lock<'b, D>(&self, shared: &'b Mutex<D>) -> Option<MutexGuard<'b, D>> {
        if self.flag.is_cancelled() {
            return None;
        }
        // A panic leaves nothing half-changed under such a lock, so poison means nothing.
        Some(shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn the_question_is_asked_after_enough_work_and_heard_by_all() {
        let flag = CancelFlag::default();
        let (caller, helper) = (
            CancelToken::caller(&flag, &|| true),
            CancelToken::helper(&flag),
        );
        // The first look at the clock is where the interval begins.
        assert!(!caller.poll_after(UNPOLLED));
        sleep(INTERVAL);
        assert!(!caller.poll_after(UNPOLLED - 1));
        assert!(!helper.poll_after(UNPOLLED));
        assert!(caller.poll_after(1));
        assert!(helper.poll_after(0));
        assert!(caller.lock(&Mutex::new(())).is_none());
    }
}
