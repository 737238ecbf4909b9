//! The table of all borrows of this process: memory has one writer or any number of readers. Calls
//! that run with the GIL released, and calls made meanwhile, exclude each other through it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use super::Bounds;

/// Locked only by a thread that holds the GIL, so that `os.fork` never copies it locked.
static TABLE: Mutex<Table> = Mutex::new(Table {
    next: 0,
    entries: Vec::new(),
});

struct Table {
    next: u64,
    /// Few: the arrays of the calls that are running.
    entries: Vec<Entry>,
}

struct Entry {
    number: u64,
    scope: BorrowScope,
    thread: ThreadId,
    bounds: Bounds,
    access: Access,
}

/// What a borrow allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read, beside other readers.
    Read,
    /// To write, alone.
    Write,
    /// To write, alone, for a training: an error message of another call says so.
    Train,
}

/// The arrays of one call, whose borrows do not exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BorrowScope(u64);

impl BorrowScope {
    /// A scope without borrows.
    pub fn new() -> Self {
        let mut table = table();
        table.next += 1;
        Self(table.next)
    }
}

/// Memory that is borrowed while this lives. It is dropped by a thread that holds the GIL.
#[derive(Debug)]
pub struct Borrow {
    number: u64,
}

impl Borrow {
    /// # Errors
    /// Another scope has a borrow that excludes this one: its access.
    pub fn new(scope: BorrowScope, bounds: Bounds, access: Access) -> Result<Self, Access> {
        let mut table = table();
        let excludes = |other: &Entry| {
            (access != Access::Read || other.access != Access::Read) && other.scope != scope
        };
        let mut entries = table.entries.iter();
        if let Some(other) = entries.find(|other| excludes(other) && other.bounds.overlap(&bounds))
        {
            return Err(other.access);
        }
        Ok(table.add(scope, bounds, access))
    }

    /// For a training: other threads may still be reading, which [`Self::is_alone`] tells, but no new
    /// reader is let in.
    ///
    /// # Errors
    /// Another call writes to some of it, or this thread reads it, which would never end.
    pub fn for_training(scope: BorrowScope, bounds: Bounds) -> Result<Self, Access> {
        let mut table = table();
        let own = thread::current().id();
        let excludes = |other: &Entry| other.access != Access::Read || other.thread == own;
        let mut entries = table.entries.iter();
        if let Some(other) = entries.find(|other| excludes(other) && other.bounds.overlap(&bounds))
        {
            return Err(other.access);
        }
        Ok(table.add(scope, bounds, Access::Train))
    }

    /// Whether no other borrow overlaps this one.
    pub fn is_alone(&self) -> bool {
        let table = table();
        let own = table.entries.iter().find(|one| one.number == self.number);
        let mut entries = table.entries.iter();
        own.is_none_or(|own| {
            !entries.any(|other| other.number != own.number && other.bounds.overlap(&own.bounds))
        })
    }
}

impl Table {
    fn add(&mut self, scope: BorrowScope, bounds: Bounds, access: Access) -> Borrow {
        self.next += 1;
        let number = self.next;
        self.entries.push(Entry {
            number,
            scope,
            thread: thread::current().id(),
            bounds,
            access,
        });
        Borrow { number }
    }
}

impl Drop for Borrow {
    fn drop(&mut self) {
        let mut table = table();
        // Mostly the last; in a forked child it may be none.
        let place = table
            .entries
            .iter()
            .rposition(|one| one.number == self.number);
        if let Some(place) = place {
            table.entries.swap_remove(place);
        }
    }
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has Python forget, in each child before `os.fork` returns there, the borrows of other threads:
/// these do not run there. The thread that forks keeps its own.
pub fn forget_in_children(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    if !os.hasattr("register_at_fork")? {
        return Ok(()); // Windows has no fork
    }
    let in_child = PyCFunction::new_closure(py, None, None, |_, _| {
        let own = thread::current().id();
        table().entries.retain(|one| one.thread == own);
    })?;
    let when = PyDict::new(py);
    when.set_item("after_in_child", in_child)?;
    os.call_method("register_at_fork", (), Some(&when))?;
    Ok(())
}
