//! Where a helper wakes up. Linux often puts a thread that wakes on the CPU of the one that wakes
//! it, although another is idle; there it waits for milliseconds while the caller computes.

/// The system's name of a thread.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    #[cfg(target_os = "linux")]
    thread: rustix::thread::Pid,
}

impl Place {
    /// That of the current thread.
    pub fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            thread: rustix::thread::gettid(),
        }
    }

    /// Keeps the thread off the CPU of the current one, among those that the current one may use,
    /// if there is another. Where the system refuses, nothing is lost but time.
    #[cfg(target_os = "linux")]
    pub fn keep_apart(self) {
        use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};
        if let Ok(mut allowed) = sched_getaffinity(None) {
            allowed.unset(sched_getcpu());
            if allowed.count() > 0 {
                let _ = sched_setaffinity(Some(self.thread), &allowed);
            }
        }
    }

    /// Other systems place their threads well enough.
    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self)]
    pub fn keep_apart(self) {}
}
