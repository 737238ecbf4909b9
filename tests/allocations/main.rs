//! Two promises about memory: whichever allocation fails, a call gives its answer or an error and never
//! ends the process; and in steady state a call allocates nothing, on its thread or on workers.
//!
//! One after the other, by a `main` of their own: a test harness allocates meanwhile. The allocator of this program refuses the k-th request that it gets, or all from the k-th on, for k = 1,
//! 2, … until nothing is refused; or what is more than so many bytes. Small requests are then met from the
//! reserve, as in Python; what grows with the data is too large for that. So a list that a call makes and
//! cannot be refused is an abort here.

#![cfg_attr(feature = "python", allow(dead_code, unused_imports))]

mod calls;
mod files;
mod steady_state;
mod training;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use bpfast::base::allocator::ReserveAllocator;
use bpfast::base::error::ErrorKind;
use bpfast::{Activation, Architecture, Cost, Result};

/// The system's allocator, which refuses what it is told to.
struct Refusing;

/// How many requests there were, which is the first that is refused, and the last.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(usize::MAX);
static LAST: AtomicUsize = AtomicUsize::new(usize::MAX);
/// How many bytes are left.
static LEFT: AtomicIsize = AtomicIsize::new(isize::MAX / 2);

// SAFETY: the system's allocator does it all.
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
        // SAFETY: the caller keeps to the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LEFT.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
    // alloc_zeroed and realloc come here by way of alloc.
}

#[cfg(not(feature = "python"))] // which brings an allocator of its own
#[global_allocator]
static ALLOCATOR: ReserveAllocator<Refusing> = ReserveAllocator::new(Refusing);

/// Does `call` with the k-th request refused, and those behind it too if so expected. Returns its answer, and
/// how many requests it made.
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

/// Does `call` with its first request refused, then with the second, until it makes no more; then with all
/// from the first on, from the second on, and so on. It has to be refused at least once.
fn fail_each_allocation(name: &str, mut call: impl FnMut() -> Result<()>) {
    for and_those_behind in [false, true] {
        let mut refused = 0;
        for k in 1.. {
            assert!(k < 100_000, "{name} allocates without an end");
            let (outcome, asked) = refusing(k, and_those_behind, &mut call);
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Memory, "{name}, k = {k}: {error}");
                refused += 1;
            } else if asked < k {
                break;
            }
        }
        assert!(refused > 0, "{name} is never refused");
    }
    call().expect("all memory that it wants");
}

/// Does `call` with no room but the reserve, with more, until it has all that it wants: for what asks
/// whether there is room, and then cannot be refused.
fn try_each_limit(name: &str, mut call: impl FnMut() -> Result<()>) {
    let mut refused = 0;
    for step in 0_usize.. {
        let limit = step * 4096 + step * step * 64;
        assert!(limit < 1 << 30, "{name} allocates without an end");
        let before = LEFT.swap(limit.cast_signed(), Ordering::Relaxed);
        let outcome = call();
        LEFT.store(before, Ordering::Relaxed);
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

#[cfg(feature = "python")]
fn main() {}

#[cfg(not(feature = "python"))]
fn main() {
    let tests: [(&str, fn()); 9] = [
        ("any allocation may fail: networks", calls::networks),
        ("any allocation may fail: batches", calls::batches),
        ("any allocation may fail: sparse", calls::sparse),
        ("any allocation may fail: equations", calls::equations),
        ("any allocation may fail: threads", calls::threads),
        ("any allocation may fail: steps", training::steps),
        ("any allocation may fail: tensors", files::tensors),
        ("any allocation may fail: saved networks", files::networks),
        (
            "steady state allocates nothing",
            steady_state::nothing_is_allocated,
        ),
    ];
    for (name, test) in tests {
        test(); // panics if it fails, which ends the program with a code that cargo sees
        println!("test {name} ... ok");
    }
    println!("test result: ok. {} passed", tests.len());
}
