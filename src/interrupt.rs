//! How a long call hears that it should stop, and how all its threads hear of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How often the caller's question is asked. Python wants Ctrl-C answered within 100 ms; what one
/// thread does between two looks at the clock (a few milliseconds at the most) comes on top.
pub const INTERVAL: Duration = Duration::from_millis(25);

/// The caller's question "shall I stop?", asked on the calling thread alone.
pub type Question<'a> = &'a (dyn Fn() -> bool + Sync);

/// The stop flag of one call, shared by the threads that work on it.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Whether the call has been asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks the call to stop.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on the calling thread under its pulse.
///
/// # Errors
/// The answer to `question` was yes: some of the work is not done.
pub fn watch<R>(question: Question<'_>, work: impl FnOnce(&Pulse<'_>) -> Result<R>) -> Result<R> {
    let stop = Stop::default();
    let result = work(&Pulse::caller(&stop, question))?;
    if stop.is_set() {
        return Err(Error::interrupted());
    }
    Ok(result)
}

/// How much work, in multiply-adds, is done between two looks at the clock: below a millisecond.
const UNWATCHED: usize = 1 << 22;

/// What an exponential, an error function or a step of a cost counts, in multiply-adds.
pub const ELEMENT_WORK: usize = 64;

/// One thread's hold on the stop flag. On the calling thread it also asks the question.
pub struct Pulse<'a> {
    stop: &'a Stop,
    /// The question, and when it was last asked: None before the first look at the clock.
    question: Option<(Question<'a>, Cell<Option<Instant>>)>,
    unwatched: Cell<usize>,
}

impl<'a> Pulse<'a> {
    /// For the thread that made the call.
    pub fn caller(stop: &'a Stop, question: Question<'a>) -> Self {
        Self {
            stop,
            question: Some((question, Cell::new(None))),
            unwatched: Cell::new(0),
        }
    }

    /// For a thread that helps.
    pub fn helper(stop: &'a Stop) -> Self {
        Self {
            stop,
            question: None,
            unwatched: Cell::new(0),
        }
    }

    /// For work too short to be interrupted.
    pub fn none() -> Pulse<'static> {
        static NEVER: Stop = Stop(AtomicBool::new(false));
        Pulse::helper(&NEVER)
    }

    /// Called after `work` multiply-adds: true when the rest should be left undone.
    pub fn stopped_after(&self, work: usize) -> bool {
        let unwatched = self.unwatched.get().saturating_add(work);
        if unwatched < UNWATCHED {
            self.unwatched.set(unwatched);
            return self.stop.is_set();
        }
        self.unwatched.set(0);
        self.stopped()
    }

    /// The same, with a look at the clock at once.
    pub fn stopped(&self) -> bool {
        if let Some((question, last)) = &self.question
            && !self.stop.is_set()
        {
            let now = Instant::now();
            // Short calls never come here: they pay for no look at the clock.
            if last.get().is_some_and(|last| now - last < INTERVAL) {
                return false;
            }
            if last.replace(Some(now)).is_some() && question() {
                self.stop.set();
            }
        }
        self.stop.is_set()
    }

    /// Locks what the threads of the call share; None when the rest should be left undone. In a child
    /// that the question has forked, a thread that is not there may hold the lock for ever.
    pub fn lock<'b, D>(&self, shared: &'b Mutex<D>) -> Option<MutexGuard<'b, D>> {
        if self.stop.is_set() {
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
        let stop = Stop::default();
        let (caller, helper) = (Pulse::caller(&stop, &|| true), Pulse::helper(&stop));
        // The first look at the clock is where the interval begins.
        assert!(!caller.stopped_after(UNWATCHED));
        sleep(INTERVAL);
        assert!(!caller.stopped_after(UNWATCHED - 1));
        assert!(!helper.stopped_after(UNWATCHED));
        assert!(caller.stopped_after(1));
        assert!(helper.stopped_after(0));
        assert!(caller.lock(&Mutex::new(())).is_none());
    }
}
