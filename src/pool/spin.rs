//! How long a thread spins before it sleeps.

use std::time::{Duration, Instant};

/// How long a thread spins: waking it costs another thread some microseconds, and calls often follow each
/// other closely.
pub const AWAKE: Duration = Duration::from_micros(200);
/// Spins between two reads of the clock, and before the thread yields.
const LOOKS: usize = 64;

/// Spins for [`AWAKE`]; after the first few spins it yields to other threads. In loom's models, which have
/// no time, it spins once.
#[derive(Default)]
pub struct Idle {
    looks: usize,
    since: Option<Instant>,
}

impl Idle {
    /// Counts a spin; true if it was the last.
    pub fn is_over(&mut self) -> bool {
        if cfg!(loom) {
            return true;
        }
        self.looks += 1;
        if !self.looks.is_multiple_of(LOOKS) {
            std::hint::spin_loop();
            return false;
        }
        std::thread::yield_now();
        self.since.get_or_insert_with(Instant::now).elapsed() > AWAKE
    }
}
