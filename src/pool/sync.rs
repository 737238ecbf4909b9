//! What helpers and callers meet by: the standard library's, or loom's in the models of them.

pub use std::sync::PoisonError;
pub use std::sync::atomic::Ordering;

#[cfg(not(loom))]
pub use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64},
    sync::{Arc, Mutex, MutexGuard},
    thread::{Builder, JoinHandle, Thread, current, park, park_timeout},
};

#[cfg(loom)]
pub use loom::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64},
    sync::{Arc, Mutex, MutexGuard},
    thread::{Builder, JoinHandle, Thread, current, park},
};

/// Wakes a thread that sleeps in [`park_timeout`].
#[cfg(not(loom))]
pub fn wake(sleeper: &Thread) {
    sleeper.unpark();
}

/// Whether time runs out before a thread is woken.
#[cfg(loom)]
pub static TIMES_OUT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Loom has no time: it runs out at once, or never.
#[cfg(loom)]
pub fn park_timeout(_: std::time::Duration) {
    if TIMES_OUT.load(Ordering::Relaxed) {
        loom::thread::yield_now();
    } else {
        park();
    }
}

/// Wakes a thread that sleeps in [`park_timeout`], unless its time runs out. Loom's `unpark` would also
/// bring it all that this thread has stored.
#[cfg(loom)]
pub fn wake(sleeper: &Thread) {
    if !TIMES_OUT.load(Ordering::Relaxed) {
        sleeper.unpark();
    }
}
