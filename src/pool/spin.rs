//! How long a thread spins before it sleeps.

use std::time::{Duration, Instant};

/// How long a thread spins: waking it costs another thread some microseconds, and calls often follow each
/// other closely.
pub const SPIN_TIME: Duration = Duration::from_micros(200);
/// How long a thread spins before it yields to other threads. On a busy CPU a thread that yields may not run
/// again for milliseconds, so that it misses the next layer or the next call.
const UNYIELDING: Duration = Duration::from_micros(50);
/// Spins between two reads of the clock.
const SPINS_PER_CLOCK_READ: usize = 64;

/// Spins for [`SPIN_TIME`], and yields to other threads after a part of it. In loom's models, which have no
/// time, it spins once.
#[derive(Default)]
pub struct SpinWait {
    spins: usize,
    since: Option<Instant>,
}

impl SpinWait {
    /// Counts a spin; true if it was the last.
    pub fn is_over(&mut self) -> bool {
        if cfg!(loom) {
            return true;
        }
        self.spins += 1;
        if !self.spins.is_multiple_of(SPINS_PER_CLOCK_READ) {
            std::hint::spin_loop();
            return false;
        }
        let spun = self.since.get_or_insert_with(Instant::now).elapsed();
        if spun > UNYIELDING {
            std::thread::yield_now();
        }
        spun > SPIN_TIME
    }
}
