//! The identity of a process: a forked child has a copy of its parent's memory, but only the thread that
//! forked.

#![allow(unsafe_code)] // registers a fork handler with the C library

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of forks between this process and the first one that counted them.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, distinguished from its forked children. Process ids cost a system call and are ambiguous: a
/// child in a new PID namespace may have its parent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// The running process; None if the system refuses to register a fork handler.
    pub fn current() -> Option<Self> {
        static COUNTS: OnceLock<bool> = OnceLock::new();
        let counts = COUNTS.get_or_init(count_forks);
        counts.then(|| Self(FORKS.load(Ordering::Relaxed)))
    }

    /// Whether this is still the same process, and not a forked child.
    pub fn is_current(self) -> bool {
        // Relaxed: only written while a child has a single thread.
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// Makes each child count its fork before `fork` returns there.
#[cfg(unix)]
fn count_forks() -> bool {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: `in_child` may run where only async-signal-safe functions may: it changes one atomic integer.
    // Its code is never unmapped, as extension modules are never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 }
}

/// Other systems have no fork.
#[cfg(not(unix))]
fn count_forks() -> bool {
    true
}
