//! CPU affinity of worker threads. Linux often schedules a woken thread on the CPU of the thread that woke
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
    /// [`NO_CPU`], or the number of the CPU.
    #[cfg(target_os = "linux")]
    excluded: AtomicUsize,
}

/// No CPU has this number.
#[cfg(target_os = "linux")]
const NO_CPU: usize = usize::MAX;

impl Affinity {
    /// For the current thread.
    pub fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            thread: rustix::thread::gettid(),
            #[cfg(target_os = "linux")]
            excluded: AtomicUsize::new(NO_CPU),
        }
    }

    /// Excludes the current thread's CPU from the thread's affinity, if the current thread may use another.
    /// If the system refuses, only time is lost.
    ///
    /// The system may move either thread at any time, so this is called for each job. As long as the caller
    /// stays on its CPU, it is a single comparison. `reread`: read the allowed CPUs even then, as they may
    /// have changed.
    #[cfg(target_os = "linux")]
    pub fn avoid_callers_cpu(&self, reread: bool) {
        use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};
        let here = sched_getcpu();
        if self.excluded.swap(here, Ordering::Relaxed) == here && !reread {
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
    pub fn avoid_callers_cpu(&self, _reread: bool) {}
}
