//! Which process runs: a forked child has a copy of its parent's memory, and none of its threads but
//! the one that forked.

#![allow(unsafe_code)] // asks the C library to count forks

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the first that counted them.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, told apart from its forked children. Process ids would cost a system call and can be
/// those of others: a child in a new namespace may have its parent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// The one that runs; None where the system refuses to tell of forks.
    pub fn current() -> Option<Self> {
        static COUNTS: OnceLock<bool> = OnceLock::new();
        let counts = COUNTS.get_or_init(count_forks);
        counts.then(|| Self(FORKS.load(Ordering::Relaxed)))
    }

    /// Whether it still runs here, and this is not a child forked from it.
    pub fn is_current(self) -> bool {
        // Written only while a child has one thread.
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// Has each child count its fork before `fork` returns there.
#[cfg(unix)]
fn count_forks() -> bool {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: `in_child` may run where only functions safe in signal handlers may: it changes one
    // atomic number. It stays where it is, as extension modules are never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 }
}

/// Other systems have no fork.
#[cfg(not(unix))]
fn count_forks() -> bool {
    true
}
