//! Where a helper runs. Linux often puts a thread that wakes on the CPU of the one that wakes it,
//! although another is idle; there it waits for milliseconds while the caller computes.

#[cfg(target_os = "linux")]
use std::sync::atomic::AtomicUsize;
#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;

/// A thread, and the CPU that it is kept off.
#[derive(Debug)]
pub struct Affinity {
    #[cfg(target_os = "linux")]
    thread: rustix::thread::Pid,
    /// [`NOWHERE`], or the CPU.
    #[cfg(target_os = "linux")]
    kept_off: AtomicUsize,
}

/// No CPU has this number.
#[cfg(target_os = "linux")]
const NOWHERE: usize = usize::MAX;

impl Affinity {
    /// That of the current thread.
    pub fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            thread: rustix::thread::gettid(),
            #[cfg(target_os = "linux")]
            kept_off: AtomicUsize::new(NOWHERE),
        }
    }

    /// Keeps the thread off the CPU of the current one, among those that the current one may use,
    /// if there is another. Where the system refuses, nothing is lost but time.
    ///
    /// The system may move either thread at any time, also while the other works, so this is asked
    /// at each call: as long as one thread calls and stays where it is, the answer is a comparison.
    /// `anew`: the CPUs that it may use are asked for all the same, as they may have changed.
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

    /// Other systems place their threads well enough.
    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self)]
    pub fn keep_apart(&self, _anew: bool) {}
}
