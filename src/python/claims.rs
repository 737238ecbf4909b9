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

/// Some memory, in use while this lives. It is dropped by who holds the GIL.
#[derive(Debug)]
pub struct Claim {
    number: u64,
}

impl Claim {
    /// # Errors
    /// Another call writes to some of it, or, to write, uses some of it: what that does.
    pub fn new(bounds: Bounds, hold: Hold) -> Result<Self, Hold> {
        let mut in_use = in_use();
        let excludes = |other: &Use| hold != Hold::Reads || other.hold != Hold::Reads;
        let mut uses = in_use.uses.iter();
        if let Some(other) = uses.find(|other| excludes(other) && other.bounds.overlap(&bounds)) {
            return Err(other.hold);
        }
        let number = in_use.next;
        in_use.next += 1;
        in_use.uses.push(Use {
            number,
            thread: thread::current().id(),
            bounds,
            hold,
        });
        Ok(Self { number })
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
