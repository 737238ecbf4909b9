//! How long a thread looks before it sleeps.

use std::time::{Duration, Instant};

/// How long a thread looks without sleep: to wake it takes another some microseconds, and calls often
/// come one after the other.
pub const AWAKE: Duration = Duration::from_micros(200);
/// The looks between two at the clock, and before it lets others run in between.
const LOOKS: usize = 64;

/// Looks without sleep, for [`AWAKE`]; after the first few it lets other threads run. In loom's models,
/// which have no time, one look.
#[derive(Default)]
pub struct Idle {
    looks: usize,
    since: Option<Instant>,
}

impl Idle {
    /// Counts a look: whether it was the last.
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
