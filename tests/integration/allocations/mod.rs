//! Two promises about memory: whichever allocation fails, a call returns its result or an error and does not
//! end the process; and in steady state a call allocates nothing, on its thread or on workers.
//!
//! The allocator fails the k-th request, or all from the k-th on, for k = 1, 2, … until none fails; or all
//! requests beyond a limit of bytes. Small requests then use the reserve, as in Python. Requests that grow with
//! the data are too large for the reserve, so an infallible allocation of such data aborts the program.

mod calls;
mod derivatives;
mod files;
mod steady_state;
mod training;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use bpfast::base::error::ErrorKind;
use bpfast::pool::reserve_allocator::ReserveAllocator;
use bpfast::{Activation, Architecture, Cost, Result};

pub const TESTS: [(&str, fn()); 11] = [
    ("any allocation may fail: networks", calls::networks),
    ("any allocation may fail: batches", calls::batches),
    ("any allocation may fail: sparse", calls::sparse),
    ("any allocation may fail: equations", calls::equations),
    ("any allocation may fail: threads", calls::threads),
    ("any allocation may fail: steps", training::steps),
    ("any allocation may fail: tensors", files::tensors),
    ("any allocation may fail: saved networks", files::networks),
    (
        "any allocation may fail: derivatives",
        derivatives::any_allocation_may_fail,
    ),
    (
        "steady state allocates nothing: derivatives",
        derivatives::nothing_is_allocated,
    ),
    (
        "steady state allocates nothing",
        steady_state::nothing_is_allocated,
    ),
];

/// The system's allocator, which refuses what it is told to.
struct FailingAllocator;

/// The number of requests so far, and the numbers of the first and the last that fail.
static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static FIRST_FAILURE: AtomicUsize = AtomicUsize::new(usize::MAX);
static LAST_FAILURE: AtomicUsize = AtomicUsize::new(usize::MAX);
/// The bytes that can still be allocated.
static REMAINING: AtomicIsize = AtomicIsize::new(isize::MAX / 2);

// SAFETY: it forwards to the system's allocator, or returns null.
unsafe impl GlobalAlloc for FailingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let request = 1 + REQUESTS.fetch_add(1, Ordering::Relaxed);
        if (FIRST_FAILURE.load(Ordering::Relaxed)..=LAST_FAILURE.load(Ordering::Relaxed))
            .contains(&request)
        {
            return null_mut();
        }
        let size = layout.size().cast_signed();
        if REMAINING.fetch_sub(size, Ordering::Relaxed) < size {
            REMAINING.fetch_add(size, Ordering::Relaxed);
            return null_mut();
        }
        // SAFETY: the caller upholds the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        REMAINING.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    // The default alloc_zeroed and realloc call alloc.
}

#[cfg(not(feature = "python"))] // which has its own allocator
#[global_allocator]
static ALLOCATOR: ReserveAllocator<FailingAllocator> = ReserveAllocator::new(FailingAllocator);

/// Runs `call` with the k-th request failing, and the later ones too if `all_later`. Returns its result and the
/// number of requests.
fn refusing<R>(k: usize, all_later: bool, call: impl FnOnce() -> R) -> (R, usize) {
    REQUESTS.store(0, Ordering::Relaxed);
    LAST_FAILURE.store(if all_later { usize::MAX } else { k }, Ordering::Relaxed);
    FIRST_FAILURE.store(k, Ordering::Relaxed);
    let answer = call();
    FIRST_FAILURE.store(usize::MAX, Ordering::Relaxed);
    (answer, REQUESTS.load(Ordering::Relaxed))
}

/// Repeats `call` with its first request failing, then with the second, until none fails; then with all
/// from the first on, from the second on, and so on. At least one must fail.
fn fail_each_allocation(name: &str, mut call: impl FnMut() -> Result<()>) {
    for all_later in [false, true] {
        let mut refused = 0;
        for k in 1.. {
            assert!(k < 100_000, "{name} allocates without an end");
            let (outcome, asked) = refusing(k, all_later, &mut call);
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Memory, "{name}, k = {k}: {error}");
                refused += 1;
            } else if asked < k {
                break;
            }
        }
        assert!(refused > 0, "{name} is never refused");
    }
    call().expect("enough memory");
}

/// Repeats `call` with no memory but the reserve, then with more, until it succeeds. This also tests calls
/// that check for enough memory before infallible allocations.
fn try_each_limit(name: &str, mut call: impl FnMut() -> Result<()>) {
    let mut refused = 0;
    for step in 0_usize.. {
        let limit = step * 4096 + step * step * 64;
        assert!(limit < 1 << 30, "{name} allocates without an end");
        let before = REMAINING.swap(limit.cast_signed(), Ordering::Relaxed);
        let outcome = call();
        REMAINING.store(before, Ordering::Relaxed);
        match outcome {
            Ok(()) => break,
            Err(error) => {
                assert_eq!(
                    error.kind(),
                    ErrorKind::Memory,
                    "{name}, {limit} bytes: {error}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "{name} is never refused");
}

fn architecture(sizes: &[usize], output: Activation, cost: Cost) -> Architecture {
    let hidden = vec![Activation::Tanh; sizes.len() - 2];
    Architecture::new(sizes, &hidden, output, cost).expect("a network")
}
