//! Borrows of NumPy's memory, and calls of Python code. The only files of `python` with `unsafe`.
//!
//! - `table`: all borrows of the process, by address
//! - `header`: the header of an array: address, shape, strides
//! - `new_array`: arrays that nobody else has yet
//! - `array`: borrows of the user's arrays, as slices
//! - `scope`: the arrays of one call, if it writes to several
//! - `overlap`: whether arrays share memory
//! - `copy`: copies that NumPy makes
//! - `allocation`: memory that Rust owns, the `base` of arrays that show it
//! - `owned`: vectors that Rust owns and NumPy arrays show
//! - `view`: the arrays that show them
//! - `call_python`: calls of Python code, which may end the thread
//!
//! # What NumPy is trusted with
//!
//! A `&[T]` promises that nobody writes to the memory, a `&mut [T]` that nobody else uses it, and both that
//! it is not freed. NumPy guarantees none of this: anyone who has an array may write to it at any time, and
//! may free its memory by `resize(refcheck=False)` or, before NumPy 2, by assigning to `data`.
//!
//! | who | may break it by | what prevents it |
//! | --- | --- | --- |
//! | other calls of bpfast, on any thread | using the same memory | the table: addresses in use are refused |
//! | other arguments of the same call | sharing memory | the table; a scope if several are written to |
//! | user code that a call runs (`__array__`, `tocsr`; costs run between two calls) | anything | slices are taken afterwards, and refused if address, shape or strides have changed since the borrow |
//! | the owner of parameters or of a gradient | anything, to any array that shows them | Rust owns the memory: `base` is an `Allocation`, which no attribute reaches |
//! | other threads, signal handlers and finalisers, while slices exist | writing, freeing | **trusted** |
//!
//! Every function that releases the GIL trusts Python with the last line, including NumPy's own: nothing
//! can lock the memory of an array. Writing to an array that a call in another thread uses gives wrong
//! results; freeing it, or truncating the file of a memory map, may crash the process. The address of an
//! array that was made from one (`ctypes`, `__array_interface__`) is trusted.
//!
//! The third line relies on two rules that types cannot express. No Python code runs between `as_slice` and
//! the last use of the slice, except signal handlers and, where Python collects garbage when it checks for
//! signals (CPython 3.12 on), finalisers. And `shape()` and `strides()`, which point into the header, are
//! not held while Python code runs.

#![allow(unsafe_code)]

mod allocation;
mod array;
pub mod call_python;
mod copy;
mod header;
mod new_array;
mod overlap;
mod owned;
mod scope;
mod table;
mod view;

pub use allocation::Allocation;
pub use array::{ReadArray, WriteArray, readonly, readonly_contiguous, readwrite};
pub use copy::{assign, contiguous, copied, fill};
pub use header::{MemoryOrder, check_writeable};
pub use new_array::{NewArray, Number};
pub use overlap::{ArraySpans, NamedInput, check_no_self_overlap, check_out_disjoint};
pub use owned::{AnyVector, Element, OwnedVector, ReadGuard, WriteGuard, into_array};
pub use scope::BorrowScope;
pub use table::{Access, Borrow, register_fork_handler};
pub use view::View;
