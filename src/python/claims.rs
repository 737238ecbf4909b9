//! Which memory is in use: one call writes to it, or any number read it. Those who run with the GIL
//! released, and those who are called meanwhile, see it here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use super::memory::Bounds;

/// What is in use. Locked only by who holds the GIL, so that no fork of Python's copies it locked.
static IN_USE: Mutex<InUse> = Mutex::new(InUse {
    next: 0,
    uses: Vec::new(),
});

struct InUse {
    next: u64,
    /// Few: the arrays of the calls that are at work.
    uses: Vec<Use>,
}

struct Use {
    number: u64,
    call: Call,
    thread: ThreadId,
    bounds: Bounds,
    hold: Hold,
}

/// What is done with memory while it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// A call reads it.
    Reads,
    /// A call writes to it.
    Writes,
    /// A training does: others are told so.
    Trains,
}

/// Whose claims do not exclude each other: what a call was given has been shown to lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call(u64);

impl Call {
    /// One that has no claim yet.
    pub fn new() -> Self {
        let mut in_use = in_use();
        in_use.next += 1;
        Self(in_use.next)
    }
}

/// Some memory, in use while this lives. It is dropped by who holds the GIL.
#[derive(Debug)]
pub struct Claim {
    number: u64,
}

impl Claim {
    /// # Errors
    /// Another call writes to some of it, or, to write, uses some of it: what that does.
    pub fn new(call: Call, bounds: Bounds, hold: Hold) -> Result<Self, Hold> {
        let mut in_use = in_use();
        let excludes =
            |other: &Use| (hold != Hold::Reads || other.hold != Hold::Reads) && other.call != call;
        let mut uses = in_use.uses.iter();
        if let Some(other) = uses.find(|other| excludes(other) && other.bounds.overlap(&bounds)) {
            return Err(other.hold);
        }
        Ok(in_use.claim(call, bounds, hold))
    }

    /// For a training: other threads may still be reading, which [`Self::is_alone`] tells, but none
    /// begins to.
    ///
    /// # Errors
    /// Another call writes to some of it, or this thread reads it, which will not end.
    pub fn for_training(call: Call, bounds: Bounds) -> Result<Self, Hold> {
        let mut in_use = in_use();
        let own = thread::current().id();
        let excludes = |other: &Use| other.hold != Hold::Reads || other.thread == own;
        let mut uses = in_use.uses.iter();
        if let Some(other) = uses.find(|other| excludes(other) && other.bounds.overlap(&bounds)) {
            return Err(other.hold);
        }
        Ok(in_use.claim(call, bounds, Hold::Trains))
    }

    /// Whether no other call uses some of it.
    pub fn is_alone(&self) -> bool {
        let in_use = in_use();
        let own = in_use.uses.iter().find(|one| one.number == self.number);
        let mut uses = in_use.uses.iter();
        own.is_none_or(|own| {
            !uses.any(|other| other.number != own.number && other.bounds.overlap(&own.bounds))
        })
    }
}

impl InUse {
    fn claim(&mut self, call: Call, bounds: Bounds, hold: Hold) -> Claim {
        self.next += 1;
        let number = self.next;
        self.uses.push(Use {
            number,
            call,
            thread: thread::current().id(),
            bounds,
            hold,
        });
        Claim { number }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut in_use = in_use();
        // Mostly the last; in a forked child it may be none.
        let place = in_use
            .uses
            .iter()
            .rposition(|one| one.number == self.number);
        if let Some(place) = place {
            in_use.uses.swap_remove(place);
        }
    }
}

fn in_use() -> MutexGuard<'static, InUse> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks Python that in each child, before `os.fork` returns there, what other threads used is free:
/// they do not run there. What the thread that forks uses, it goes on to use.
pub fn forget_in_children(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    if !os.hasattr("register_at_fork")? {
        return Ok(()); // Windows has no fork
    }
    let in_child = PyCFunction::new_closure(py, None, None, |_, _| {
        let own = thread::current().id();
        in_use().uses.retain(|one| one.thread == own);
    })?;
    let when = PyDict::new(py);
    when.set_item("after_in_child", in_child)?;
    os.call_method("register_at_fork", (), Some(&when))?;
    Ok(())
}
