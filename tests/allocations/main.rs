//! Whichever allocation fails, a call returns its result or an error: it never aborts the process.
//!
//! The allocator of this program refuses the k-th request, or all from the k-th on, for k = 1, 2, … until
//! nothing is refused; or it refuses requests that exceed a total number of bytes. Small requests are then
//! served from the reserve, as in Python; what grows with the data is too large for it. So an infallible
//! allocation of a list in a call aborts here.

#![cfg_attr(feature = "python", allow(dead_code, unused_imports))]

mod calls;
mod files;
mod steady_state;
mod training;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use bpfast::base::allocator::WithReserve;
use bpfast::base::error::Kind;
use bpfast::{Activation, Architecture, Cost, Result};

/// The system allocator, which refuses the requests that a test selects.
struct Refusing;

/// The number of requests so far, and the first and the last one that are refused.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(usize::MAX);
static LAST: AtomicUsize = AtomicUsize::new(usize::MAX);
/// The number of bytes left.
static LEFT: AtomicIsize = AtomicIsize::new(isize::MAX / 2);

// SAFETY: it forwards to the system's allocator, or returns null.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let asked = 1 + ASKED.fetch_add(1, Ordering::Relaxed);
        if (FIRST.load(Ordering::Relaxed)..=LAST.load(Ordering::Relaxed)).contains(&asked) {
            return null_mut();
        }
        let size = layout.size().cast_signed();
        if LEFT.fetch_sub(size, Ordering::Relaxed) < size {
            LEFT.fetch_add(size, Ordering::Relaxed);
            return null_mut();
        }
        // SAFETY: the caller upholds the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LEFT.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
    // The default alloc_zeroed and realloc call alloc.
}

#[cfg(not(feature = "python"))] // which brings an allocator of its own
#[global_allocator]
static ALLOCATOR: WithReserve<Refusing> = WithReserve::new(Refusing);

/// Runs `call` with the k-th request refused, and all later ones too if `and_those_behind`. Returns its
/// result and its number of requests.
fn refusing<R>(k: usize, and_those_behind: bool, call: impl FnOnce() -> R) -> (R, usize) {
    ASKED.store(0, Ordering::Relaxed);
    LAST.store(
        if and_those_behind { usize::MAX } else { k },
        Ordering::Relaxed,
    );
    FIRST.store(k, Ordering::Relaxed);
    let answer = call();
    FIRST.store(usize::MAX, Ordering::Relaxed);
    (answer, ASKED.load(Ordering::Relaxed))
}

/// Runs `call` with its first request refused, then with the second, until it makes no more; then with all
/// from the first on, from the second on, and so on. At least one run must fail.
fn walk(name: &str, mut call: impl FnMut() -> Result<()>) {
    for and_those_behind in [false, true] {
        let mut refused = 0;
        for k in 1.. {
            assert!(k < 100_000, "{name} allocates without an end");
            let (outcome, asked) = refusing(k, and_those_behind, &mut call);
            if let Err(error) = outcome {
                assert_eq!(error.kind(), Kind::Memory, "{name}, k = {k}: {error}");
                refused += 1;
            } else if asked < k {
                break;
            }
        }
        assert!(refused > 0, "{name} is never refused");
    }
    call().expect("all memory that it wants");
}

/// Runs `call` with no memory except the reserve, then with more and more, until it succeeds: for calls
/// that check for memory before they allocate infallibly.
fn walk_rooms(name: &str, mut call: impl FnMut() -> Result<()>) {
    let mut refused = 0;
    for step in 0_usize.. {
        let room = step * 4096 + step * step * 64;
        assert!(room < 1 << 30, "{name} allocates without an end");
        let before = LEFT.swap(room.cast_signed(), Ordering::Relaxed);
        let outcome = call();
        LEFT.store(before, Ordering::Relaxed);
        match outcome {
            Ok(()) => break,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Memory, "{name}, {room} bytes: {error}");
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

/// A single test, as another one would allocate concurrently.
#[test]
fn any_allocation_may_fail() {
    calls::networks();
    calls::batches();
    calls::sparse();
    calls::equations();
    calls::threads();
    training::steps();
    files::tensors();
    files::networks();
}
