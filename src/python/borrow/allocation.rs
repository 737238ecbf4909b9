//! Memory that Rust owns and arrays of NumPy show.

use std::alloc::{Layout, dealloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use pyo3::prelude::*;

/// Memory that Rust owns: the `base` of every array that shows it, each of which keeps it alive. It
/// has no attributes: whatever Python code does to an array, the memory stays where it is.
#[pyclass(frozen, module = "bpfast._core")]
pub struct Allocation {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is an address and a size, which no thread changes. Whoever reads or writes the memory
// has a borrow of it.
unsafe impl Send for Allocation {}
// SAFETY: as for `Send`.
unsafe impl Sync for Allocation {}

impl Allocation {
    pub fn of<T: Copy>(numbers: Vec<T>) -> Self {
        let mut numbers = ManuallyDrop::new(numbers);
        let size = numbers.capacity() * size_of::<T>();
        Self {
            // SAFETY: the pointer of a vector is not null.
            start: unsafe { NonNull::new_unchecked(numbers.as_mut_ptr().cast()) },
            // SAFETY: the vector has allocated this very layout.
            layout: unsafe { Layout::from_size_align_unchecked(size, align_of::<T>()) },
        }
    }

    /// Where it begins.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: a vector allocated this layout at `start` and was forgotten; its numbers need no
            // drop. Nobody can still use the memory: arrays and `Owned` keep `self` alive.
            unsafe { dealloc(self.start.as_ptr(), self.layout) }
        }
    }
}
