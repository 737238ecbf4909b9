//! NumPy's memory: the only files of the border with `unsafe`.
//!
//! - `table`: who borrows which addresses, in the whole process
//! - `array`: borrows of the user's arrays, as slices
//! - `owned`: vectors that Rust owns and NumPy sees
//! - `overlap`: whether arrays share memory
//!
//! # What NumPy is trusted with
//!
//! Rust asks of a `&[T]` that nobody writes to it, of a `&mut [T]` that nobody else uses it, and of
//! both that the memory stays. NumPy promises none of this: any code that has the array may write to
//! it, and free it by `resize(refcheck=False)` or, before NumPy 2, by assigning to `data`. So:
//!
//! - **Between calls of bpfast** the table of borrows is the proof: it holds the addresses of every
//!   slice, and no two that exclude each other.
//! - **Of Python code on the same thread** there must be none while slices exist: they are taken after
//!   all user code of a call (`__array__`, `tocsr`, costs, conversions).
//! - **Of other Python code**, that is of other threads and of signal handlers, a call must trust that
//!   it leaves the arrays of a running call alone, as every function of NumPy's must that releases the
//!   GIL. To write to such an array gives wrong numbers, to free its memory may crash. Nothing can
//!   prevent it; the manual says so.
//! - **Rust's own vectors** (parameters, gradients) need less trust: their memory is Rust's, and no
//!   array over it can free it.

mod array;
mod overlap;
mod owned;
mod table;

pub use array::{
    Bounds, ReadArray, WriteArray, bounds, check_writeable, hold, is_aligned, is_usable, readonly,
    readonly_in, readwrite, readwrite_in,
};
pub use overlap::{Span, check_apart, check_out_apart, check_spread};
pub use owned::{AnyOwned, Owned, Reading};
pub use table::{Access, Borrow, BorrowScope, forget_in_children};
