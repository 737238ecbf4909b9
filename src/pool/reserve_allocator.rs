//! A global allocator with a reserve for small requests.
//!
//! Rust aborts the process if a `Box` or a `String` cannot be allocated. Memory that grows with the data is
//! therefore allocated fallibly (`base::alloc`). Small allocations whose size does not depend on
//! the data, such as an error message, a thread's name or what PyO3 makes for a call, happen everywhere, in
//! libraries too. If the system has no memory, [`ReserveAllocator`] serves them from a reserve.

#![allow(unsafe_code)] // an allocator works with raw pointers

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::reserve::{SLOTS, TAKEN_SLOTS, TakenSlots};

/// The bytes of a slot: the longest request that the reserve can serve.
const SLOT: usize = 4096;
const WORDS: usize = SLOTS.div_ceil(u64::BITS as usize);
const _: () = assert!(SLOTS.is_multiple_of(u64::BITS as usize), "a bit is a slot");

/// The reserve of the process.
static RESERVE: Reserve = Reserve::new(&TAKEN_SLOTS);

/// An allocator with a reserve of 1 MiB for small requests that it cannot serve.
#[derive(Debug, Clone, Copy)]
pub struct ReserveAllocator<A> {
    allocator: A,
    reserve: &'static Reserve,
}

impl<A> ReserveAllocator<A> {
    /// Uses the reserve of the process.
    pub const fn new(allocator: A) -> Self {
        Self {
            allocator,
            reserve: &RESERVE,
        }
    }
}

/// Slots for small requests: address space that takes no memory until it is used.
#[derive(Debug)]
struct Reserve {
    slots: Slots,
    /// A bit for each slot.
    taken: [AtomicU64; WORDS],
    /// The number of these bits, for who allocates data.
    count: &'static TakenSlots,
}

#[repr(align(4096))]
struct Slots(UnsafeCell<[u8; SLOT * SLOTS]>);

// SAFETY: a slot is only accessed by the owner of its bit in `taken`.
unsafe impl Sync for Slots {}

impl Reserve {
    /// For a static: too large for the stack.
    #[allow(clippy::large_stack_arrays)]
    const fn new(count: &'static TakenSlots) -> Self {
        Self {
            slots: Slots(UnsafeCell::new([0; SLOT * SLOTS])),
            taken: [const { AtomicU64::new(0) }; WORDS],
            count,
        }
    }

    /// A free slot, or null if the request does not fit in one or none is free.
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > SLOT || layout.align() > SLOT {
            return null_mut();
        }
        let lowest_free = |taken: u64| (taken != u64::MAX).then(|| taken | (taken + 1));
        for (index, word) in self.taken.iter().enumerate() {
            // Acquire: the accesses of the previous owner happened before.
            if let Ok(before) = word.fetch_update(Ordering::Acquire, Ordering::Relaxed, lowest_free)
            {
                self.count.count_one_more();
                let slot = index * u64::BITS as usize + before.trailing_ones() as usize;
                // SAFETY: `slot` is below SLOTS, since its bit exists in `taken`; so the offset is in
                // bounds.
                return unsafe { self.slots.0.get().cast::<u8>().add(slot * SLOT) };
            }
        }
        null_mut()
    }

    /// The index of the slot that starts at `pointer`; None if `pointer` is not in the reserve.
    fn slot_of(&self, pointer: *mut u8) -> Option<usize> {
        let slot = pointer.addr().wrapping_sub(self.slots.0.get().addr()) / SLOT;
        (slot < SLOTS).then_some(slot)
    }

    fn free(&self, slot: usize) {
        let (word, bit) = (slot / u64::BITS as usize, slot % u64::BITS as usize);
        self.taken[word].fetch_and(!(1 << bit), Ordering::Release);
        self.count.count_one_less();
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}

// SAFETY: memory from `A` is returned to `A`. A slot is at least as long and as aligned as the request,
// which `Reserve::take` checks; it has no other owner until it is freed, and it never moves. Nothing here
// unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for ReserveAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc`.
        let pointer = unsafe { self.allocator.alloc(layout) };
        if pointer.is_null() {
            self.reserve.take(layout)
        } else {
            pointer
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc_zeroed`.
        let pointer = unsafe { self.allocator.alloc_zeroed(layout) };
        if !pointer.is_null() {
            return pointer;
        }
        let pointer = self.reserve.take(layout);
        if !pointer.is_null() {
            // SAFETY: the slot is at least as long as the request.
            unsafe { pointer.write_bytes(0, layout.size()) };
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.reserve.slot_of(pointer) {
            Some(slot) => self.reserve.free(slot),
            // SAFETY: `pointer` is not in the reserve, so it came from `A`.
            None => unsafe { self.allocator.dealloc(pointer, layout) },
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let is_slot = self.reserve.slot_of(pointer).is_some();
        if is_slot && size <= SLOT {
            return pointer;
        }
        // SAFETY: the caller upholds the contract of `realloc`; memory outside the reserve came from `A`.
        let (new, layout_of_new) = unsafe {
            let new = Layout::from_size_align_unchecked(size, layout.align());
            let pointer = if is_slot {
                self.allocator.alloc(new)
            } else {
                self.allocator.realloc(pointer, layout, size)
            };
            (pointer, new)
        };
        if !new.is_null() && !is_slot {
            return new;
        }
        let new = if new.is_null() {
            self.reserve.take(layout_of_new)
        } else {
            new
        };
        if !new.is_null() {
            // SAFETY: both allocations are at least this long and do not overlap; `pointer` is freed once.
            unsafe {
                new.copy_from_nonoverlapping(pointer, size.min(layout.size()));
                self.dealloc(pointer, layout);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An allocator that always fails.
    struct Nothing;

    // SAFETY: it never returns memory.
    unsafe impl GlobalAlloc for Nothing {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            null_mut()
        }
        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
            unreachable!("it gave none");
        }
    }

    #[test]
    fn small_requests_use_the_reserve_and_large_ones_fail() {
        static TAKEN: TakenSlots = TakenSlots::none();
        static RESERVE: Reserve = Reserve::new(&TAKEN);
        let allocator = ReserveAllocator {
            allocator: Nothing,
            reserve: &RESERVE,
        };
        let layout = |size| Layout::from_size_align(size, 64).expect("a layout");
        // SAFETY: each allocation is used within its size, and freed once with its layout.
        unsafe {
            assert!(allocator.alloc(layout(SLOT + 1)).is_null());
            let one = allocator.alloc(layout(10));
            one.write_bytes(7, 10);
            let two = allocator.alloc(layout(SLOT));
            two.write_bytes(9, SLOT);
            assert!(one.addr().is_multiple_of(64) && two.addr() - one.addr() >= SLOT);
            assert_eq!(allocator.realloc(one, layout(10), SLOT), one);
            assert!(allocator.realloc(one, layout(SLOT), SLOT + 1).is_null());
            assert_eq!(one.read(), 7, "what cannot grow stays");
            allocator.dealloc(two, layout(SLOT));
            let again = allocator.alloc_zeroed(layout(SLOT));
            assert_eq!(again, two);
            assert_eq!(again.read(), 0, "zeros, whatever was there");
            allocator.dealloc(again, layout(SLOT));
            allocator.dealloc(one, layout(SLOT));

            assert!(!TAKEN.exceed_half());
            let all: Vec<_> = (0..SLOTS).map(|_| allocator.alloc(layout(1))).collect();
            assert!(all.iter().all(|pointer| !pointer.is_null()) && TAKEN.exceed_half());
            assert!(
                allocator.alloc(layout(1)).is_null(),
                "one more than there are"
            );
            for &pointer in &all {
                allocator.dealloc(pointer, layout(1));
            }
            assert!(!TAKEN.exceed_half());
        }
    }

    #[test]
    fn a_failed_reallocation_moves_into_the_reserve() {
        /// The system allocator, whose `realloc` always fails.
        struct Fixed;

        // SAFETY: it forwards to the system's allocator.
        unsafe impl GlobalAlloc for Fixed {
            unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
                // SAFETY: the caller upholds the contract.
                unsafe { std::alloc::System.alloc(layout) }
            }
            unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
                // SAFETY: as above.
                unsafe { std::alloc::System.dealloc(pointer, layout) }
            }
            unsafe fn realloc(&self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
                null_mut()
            }
        }
        static TAKEN: TakenSlots = TakenSlots::none();
        static RESERVE: Reserve = Reserve::new(&TAKEN);
        let allocator = ReserveAllocator {
            allocator: Fixed,
            reserve: &RESERVE,
        };
        let layout = Layout::from_size_align(8, 8).expect("a layout");
        let longer = Layout::from_size_align(16, 8).expect("a layout");
        // SAFETY: as in the test above.
        unsafe {
            let pointer = allocator.alloc(layout);
            pointer.write_bytes(3, 8);
            let moved = allocator.realloc(pointer, layout, 16);
            assert!(RESERVE.slot_of(moved).is_some() && moved.add(7).read() == 3);
            allocator.dealloc(moved, longer);
        }
    }
}
