//! The synchronization primitives of the pool: the standard library's, or loom's in its models.

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

/// Whether sleeps time out before the thread is woken.
#[cfg(loom)]
pub static TIMES_OUT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Loom has no time: a sleep times out at once or never.
#[cfg(loom)]
pub fn park_timeout(_: std::time::Duration) {
    if TIMES_OUT.load(Ordering::Relaxed) {
        loom::thread::yield_now();
    } else {
        park();
    }
}

/// Wakes a thread that sleeps in [`park_timeout`], unless its sleep times out. Loom's `unpark` would also
/// synchronize all stores of this thread.
#[cfg(loom)]
pub fn wake(sleeper: &Thread) {
    if !TIMES_OUT.load(Ordering::Relaxed) {
        sleeper.unpark();
    }
}
