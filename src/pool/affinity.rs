//! CPU affinity of helper threads. Linux often schedules a woken thread on the CPU of the thread that woke
//! it, although another CPU is idle; there it waits for milliseconds while the caller computes.

#[cfg(target_os = "linux")]
use std::sync::atomic::AtomicUsize;
#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;

/// A thread, and the CPU that it must not use.
#[derive(Debug)]
pub struct Affinity {
    #[cfg(target_os = "linux")]
    thread: rustix::thread::Pid,
    /// [`NOWHERE`], or the number of the CPU.
    #[cfg(target_os = "linux")]
    kept_off: AtomicUsize,
}

/// No CPU has this number.
#[cfg(target_os = "linux")]
const NOWHERE: usize = usize::MAX;

impl Affinity {
    /// For the current thread.
    pub fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            thread: rustix::thread::gettid(),
            #[cfg(target_os = "linux")]
            kept_off: AtomicUsize::new(NOWHERE),
        }
    }

    /// Excludes the current thread's CPU from the thread's affinity, if the current thread may use another.
    /// If the system refuses, only time is lost.
    ///
    /// The system may move either thread at any time, so this is called for each job. As long as the caller
    /// stays on its CPU, it is a single comparison. `anew`: read the allowed CPUs even then, as they may
    /// have changed.
    #[cfg(target_os = "linux")]
    pub fn keep_apart(&self, anew: bool) {
        use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};
        let here = sched_getcpu();
        if self.kept_off.swap(here, Ordering::Relaxed) == here && !anew {
            return;
        }
        if let Ok(mut allowed) = sched_getaffinity(None) {
            allowed.unset(here);
            if allowed.count() == 0 {
                allowed.set(here);
            }
            let _ = sched_setaffinity(Some(self.thread), &allowed);
        }
    }

    /// Other systems schedule threads well enough.
    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self)]
    pub fn keep_apart(&self, _anew: bool) {}
}
