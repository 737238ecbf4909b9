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

/// What is in the way of a claim.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    /// What the other does with the memory.
    pub hold: Hold,
    /// Whether it is this thread that does.
    pub is_own: bool,
}

/// Some memory, in use while this lives. It is dropped by who holds the GIL.
#[derive(Debug)]
pub struct Claim {
    number: u64,
}

impl Claim {
    /// # Errors
    /// Another call writes to some of it, or, to write, uses some of it.
    pub fn new(call: Call, bounds: Bounds, hold: Hold) -> Result<Self, Refusal> {
        let mut in_use = in_use();
        let thread = thread::current().id();
        let excludes =
            |other: &Use| (hold != Hold::Reads || other.hold != Hold::Reads) && other.call != call;
        let mut uses = in_use.uses.iter();
        if let Some(other) = uses.find(|other| excludes(other) && other.bounds.overlap(&bounds)) {
            return Err(Refusal {
                hold: other.hold,
                is_own: other.thread == thread,
            });
        }
        in_use.next += 1;
        let number = in_use.next;
        in_use.uses.push(Use {
            number,
            call,
            thread,
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
