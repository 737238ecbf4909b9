//! Memory that Rust owns and NumPy arrays show.

use std::alloc::{Layout, dealloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use pyo3::prelude::*;

/// Memory that Rust owns: the `base` of every array that shows it, which keeps it alive. It has no
/// attributes, so nothing that Python code does to an array moves or frees the memory.
#[pyclass(frozen, module = "bpfast._core")]
pub struct Allocation {
    memory: NonNull<u8>,
    layout: Layout,
    /// The address in `memory` of what the arrays show.
    start: NonNull<u8>,
}

// SAFETY: addresses and a size, which never change. Reads and writes of the memory need a borrow of it.
unsafe impl Send for Allocation {}
// SAFETY: as for `Send`.
unsafe impl Sync for Allocation {}

impl Allocation {
    /// The memory of a vector, shown from its element `first` on.
    pub fn of<T: Copy>(numbers: Vec<T>, first: usize) -> Self {
        let mut numbers = ManuallyDrop::new(numbers);
        let start = NonNull::from(&mut numbers[first..]).cast();
        Self {
            memory: NonNull::new(numbers.as_mut_ptr().cast()).expect("a vector's pointer"),
            start,
            layout: Layout::array::<T>(numbers.capacity()).expect("the layout of a vector"),
        }
    }

    /// The address of what the arrays show.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: a vector allocated this layout at `memory` and was forgotten; its elements need no
            // drop. Nobody else uses the memory: arrays and `OwnedVector` keep `self` alive.
            unsafe { dealloc(self.memory.as_ptr(), self.layout) }
        }
    }
}
