//! NumPy's memory, and calls of Python code beside it. The only files of the border with `unsafe`.
//!
//! - `table`: who borrows which addresses, in the whole process
//! - `header`: what the header of an array says: where its numbers lie, and how
//! - `array`: borrows of the user's arrays, as slices
//! - `scope`: the arrays of one call of which several are written to
//! - `overlap`: whether arrays share memory
//! - `copy`: copies that NumPy makes
//! - `allocation`: memory that Rust owns, the `base` of arrays that show it
//! - `owned`: vectors that Rust owns and NumPy sees
//! - `view`: what NumPy sees of them
//! - `call_python`: calls of Python code, from which a thread may not come back
//!
//! # What NumPy is trusted with
//!
//! A `&[T]` promises that nobody writes to the memory, a `&mut [T]` that nobody else uses it, and both
//! that it stays. NumPy promises nothing of the kind: whoever has an array may write to it at any time,
//! and may free its memory by `resize(refcheck=False)` or, before NumPy 2, by assigning to `data`.
//!
//! | who | may break it by | what keeps it |
//! |---|---|---|
//! | other calls of bpfast, on any thread | using the same memory | the table: addresses in use are refused |
//! | other arguments of the same call | sharing memory | the table; a scope where several are written to |
//! | user code that a call runs (`__array__`, `tocsr`; costs run between two calls) | anything | slices are taken after it; they are refused where address, shape or strides are not those that were borrowed |
//! | the owner of parameters or of a gradient | anything, to any array that shows them | the memory is Rust's: `base` is an `Allocation`, which no attribute reaches |
//! | other threads, signal handlers and finalisers, while slices exist | writing, freeing | **trusted** |
//!
//! The last line is what every function trusts Python with that releases the GIL, NumPy's own among
//! them: nothing can lock the memory of an array. To write to an array that a call in another thread
//! uses gives wrong numbers; to free it, or to truncate the file of a memory map, may end the process.
//! An array that was made of an address (`ctypes`, `__array_interface__`) is trusted to be at it.
//!
//! Two rules keep the third line, and no type can: no Python code runs between `as_slice` and the last
//! use of the slice, but for signal handlers and, where Python collects garbage when it looks for signals
//! (CPython 3.12 on), finalisers; and `shape()` and `strides()`, which point into the
//! header, are not kept while Python code runs.

#![allow(unsafe_code)]

mod allocation;
mod array;
pub mod call_python;
mod copy;
mod header;
mod overlap;
mod owned;
mod scope;
mod table;
mod view;

pub use allocation::Allocation;
pub use array::{ReadArray, WriteArray, readonly, readonly_block, readwrite};
pub use copy::{assign, block, copied, fill};
pub use header::{MemoryOrder, check_writeable};
pub use overlap::{ArraySpans, check_out_apart, check_spread};
pub use owned::{AnyOwned, Element, Owned, ReadGuard, into_array};
pub use scope::BorrowScope;
pub use table::{Access, Borrow, forget_in_children};
pub use view::View;
