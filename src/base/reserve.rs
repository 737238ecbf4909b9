//! How much is left of the reserve of memory for small requests, which `pool::reserve_allocator` has.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of slots in the reserve: many times what a call uses at once.
pub const SLOTS: usize = 256;

/// The number of slots that are taken.
#[derive(Debug, Default)]
pub struct TakenSlots(AtomicUsize);

/// The slots of the process.
pub static TAKEN_SLOTS: TakenSlots = TakenSlots::none();

/// Whether less than half of the reserve of the process is left. Then fallible allocations for data fail
/// too, however small.
pub fn reserve_is_low() -> bool {
    TAKEN_SLOTS.exceed_half()
}

impl TakenSlots {
    pub const fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub fn count_one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_one_less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn exceed_half(&self) -> bool {
        self.0.load(Ordering::Relaxed) > SLOTS / 2
    }
}
