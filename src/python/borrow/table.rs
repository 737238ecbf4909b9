//! The table of all borrows of this process: memory has one writer or any number of readers. Concurrent
//! calls, which release the GIL, exclude each other through it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::PyUntypedArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use crate::base::alloc::try_push;
use crate::base::error::Result;
use crate::base::ranges::Ranges;
use crate::python::borrow::header::{Bounds, changed_in_place_error};

/// Only locked by threads that hold the GIL, so `os.fork` never copies it locked.
static TABLE: Mutex<Table> = Mutex::new(Table {
    last: 0,
    borrows: Ranges::new(),
    scopes: Vec::new(),
});

struct Table {
    /// The last id that was given to a borrow or a scope.
    last: u64,
    /// Those of the running calls: a few, or thousands for many networks.
    borrows: Ranges<Holder>,
    /// A few, of which each may have thousands of borrows.
    scopes: Vec<Scope>,
}

/// Who borrows, and how.
#[derive(Clone, Copy)]
struct Holder {
    access: Access,
    thread: u64,
}

/// Borrows that do not exclude each other. They end together, when the last one is dropped.
struct Scope {
    id: ScopeId,
    /// The number of live borrows.
    alive: usize,
    borrows: Ranges<Holder>,
}

/// The id of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeId(u64);

/// The access that a borrow allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading, concurrently with other readers.
    Read,
    /// Writing, exclusively.
    Write,
    /// Writing, exclusively, by a training; error messages of other calls say so.
    Train,
}

impl ScopeId {
    /// A new, unused id.
    pub fn new() -> Self {
        Self(table().next())
    }
}

/// A borrow of memory, which ends when this is dropped. The dropping thread must hold the GIL.
#[derive(Debug)]
pub struct Borrow {
    number: u64,
    bounds: Bounds,
    scope: Option<ScopeId>,
}

impl Borrow {
    /// Borrows the memory of an array.
    ///
    /// # Errors
    /// Another borrow excludes this one.
    pub fn new(
        argument: &str,
        array: &Bound<'_, PyUntypedArray>,
        access: Access,
    ) -> PyResult<Self> {
        Self::of_bounds(argument, Bounds::of(argument, array)?, access, None)
    }

    /// Borrows a range of addresses, as part of a scope, if one is given.
    ///
    /// # Errors
    /// A borrow outside this scope excludes this one.
    pub fn of_bounds(
        argument: &str,
        bounds: Bounds,
        access: Access,
        scope: Option<ScopeId>,
    ) -> PyResult<Self> {
        let mut table = table();
        let excludes = |_, other: &Holder| access != Access::Read || other.access != Access::Read;
        if let Some(other) = table.find(scope, bounds, excludes) {
            return Err(conflict_error(argument, access, other.access));
        }
        Ok(table.add(bounds, access, scope)?)
    }

    /// Borrows a range of addresses for a training. Other threads may still be reading it, which
    /// [`Self::is_alone`] shows, but new readers are refused.
    ///
    /// # Errors
    /// Another call writes to it, or this thread reads it, for which the training would wait forever.
    pub fn for_training(argument: &str, bounds: Bounds) -> PyResult<Self> {
        let mut table = table();
        let own = this_thread();
        let excludes = |_, other: &Holder| other.access != Access::Read || other.thread == own;
        if let Some(other) = table.find(None, bounds, excludes) {
            return Err(conflict_error(argument, Access::Train, other.access));
        }
        Ok(table.add(bounds, Access::Train, None)?)
    }

    /// # Errors
    /// The borrow does not cover the memory of `array`, which has been changed in place.
    pub fn check_covers(&self, argument: &str, array: &Bound<'_, PyUntypedArray>) -> Result<()> {
        if Bounds::of(argument, array)? == self.bounds {
            return Ok(());
        }
        Err(changed_in_place_error(argument))
    }

    /// Whether no other borrow overlaps this one.
    pub fn is_alone(&self) -> bool {
        let is_other = |number, _: &Holder| number != self.number;
        table().find(None, self.bounds, is_other).is_none()
    }
}

impl Drop for Borrow {
    fn drop(&mut self) {
        table().remove(self); // may be absent in a forked child
    }
}

impl Table {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A borrow outside the scope that overlaps `bounds` and satisfies `predicate`.
    fn find(
        &self,
        scope: Option<ScopeId>,
        bounds: Bounds,
        predicate: impl Fn(u64, &Holder) -> bool,
    ) -> Option<&Holder> {
        let range = bounds.range();
        let alone = self.borrows.find(&range, &predicate);
        alone.or_else(|| {
            let scopes = self.scopes.iter();
            let mut others = scopes.filter(|other| scope != Some(other.id));
            others.find_map(|other| other.borrows.find(&range, &predicate))
        })
    }

    /// # Errors
    /// Memory runs out.
    fn add(&mut self, bounds: Bounds, access: Access, scope: Option<ScopeId>) -> Result<Borrow> {
        let number = self.next();
        let (what, range, thread) = ("arrays in use", bounds.range(), this_thread());
        let holder = Holder { access, thread };
        let of_scope = self.scopes.iter_mut().find(|other| Some(other.id) == scope);
        match (scope, of_scope) {
            (None, _) => self.borrows.add(what, &range, number, holder)?,
            (Some(_), Some(scope)) => {
                scope.borrows.add(what, &range, number, holder)?;
                scope.alive += 1;
            }
            (Some(id), None) => {
                let (mut borrows, alive) = (Ranges::new(), 1);
                borrows.add(what, &range, number, holder)?;
                try_push(what, &mut self.scopes, Scope { id, alive, borrows })?;
            }
        }
        Ok(Borrow {
            number,
            bounds,
            scope,
        })
    }

    fn remove(&mut self, borrow: &Borrow) {
        if let Some(id) = borrow.scope {
            if let Some(index) = self.scopes.iter().position(|scope| scope.id == id) {
                self.scopes[index].alive -= 1;
                if self.scopes[index].alive == 0 {
                    self.scopes.swap_remove(index);
                }
            }
            return;
        }
        self.borrows.remove(&borrow.bounds.range(), borrow.number);
    }
}

/// The id of the calling thread. `std::thread::current` has one too, but it registers a destructor, for
/// which the C library needs memory: without it, the C library aborts the process.
fn this_thread() -> u64 {
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    static LAST: AtomicU64 = AtomicU64::new(0);
    if NUMBER.get() == 0 {
        NUMBER.set(1 + LAST.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

/// The error if a borrow with `access` is excluded by another.
fn conflict_error(argument: &str, access: Access, other: Access) -> PyErr {
    let why = match (access, other) {
        (_, Access::Train) => {
            "expected a network that is not being trained, got one in a running training"
        }
        (Access::Read, _) => "another call is writing to this array",
        _ => "expected an array that no other call uses, got one in use",
    };
    PyValueError::new_err(format!("{argument}: {why}"))
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a fork handler that removes, in each child before `os.fork` returns there, the borrows of
/// other threads, which do not exist there. The forking thread's borrows stay.
pub fn register_fork_handler(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    if !os.hasattr("register_at_fork")? {
        return Ok(()); // Windows has no fork
    }
    let in_child = PyCFunction::new_closure(py, None, None, |_, _| {
        let own = this_thread();
        let is_other = |_, holder: &Holder| holder.thread != own;
        let mut table = table();
        table.borrows.retain(|holder| holder.thread == own);
        table
            .scopes
            .retain(|scope| scope.borrows.find(&(0..usize::MAX), is_other).is_none());
    })?;
    let when = PyDict::new(py);
    when.set_item("after_in_child", in_child)?;
    os.call_method("register_at_fork", (), Some(&when))?;
    Ok(())
}
