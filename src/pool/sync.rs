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

/// Loom has no time: who sleeps has to be woken.
#[cfg(loom)]
pub fn park_timeout(_: std::time::Duration) {
    park();
}
