//! The header of an array: address, shape, strides.
//!
//! The contiguity and alignment flags are not used, as the strides give the same information: before NumPy
//! 2, assigning to `data` sets the flags "C-contiguous" and "aligned" even if they are false.

use std::ops::Range;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, npyffi};
use pyo3::prelude::*;

use crate::base::error::{Error, Result};

/// A range of addresses: from `start` up to, but excluding, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub start: usize,
    pub end: usize,
}

impl Bounds {
    /// Whether the ranges have an address in common.
    pub fn overlap(&self, other: &Self) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    /// The same as a range.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The addresses from the first byte of an array to past its last byte, like NumPy's `byte_bounds`.
    ///
    /// # Errors
    /// They exceed the address space, which is possible with strides from `__array_interface__`.
    pub fn of(argument: &str, array: &Bound<'_, PyUntypedArray>) -> Result<Self> {
        let start = data(array).addr();
        if array.is_empty() {
            return Ok(Self { start, end: start });
        }
        let (mut before, mut behind) = (0_usize, array.dtype().itemsize());
        for (&length, &stride) in array.shape().iter().zip(array.strides()) {
            let reach = stride.unsigned_abs().saturating_mul(length - 1);
            let side = if stride < 0 { &mut before } else { &mut behind };
            *side = side.saturating_add(reach);
        }
        let (first, end) = (start.checked_sub(before), start.checked_add(behind));
        let bounds = first.zip(end).map(|(start, end)| Self { start, end });
        bounds.ok_or_else(|| {
            let expected = "strides that stay in the address space";
            Error::value(argument, expected, "strides that leave it")
        })
    }
}

/// Row-major (C) or column-major (F).
#[derive(Debug, Clone, Copy)]
pub enum MemoryOrder {
    C,
    Fortran,
}

impl MemoryOrder {
    /// The order of `array`; C if it is not contiguous. `StateArrays` in Python has the same rule.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Self {
        if Self::Fortran.is_of(array) && !Self::C.is_of(array) {
            Self::Fortran
        } else {
            Self::C
        }
    }

    /// Whether `array` is contiguous in this order.
    pub fn is_of(self, array: &Bound<'_, PyUntypedArray>) -> bool {
        array.is_empty() || self.is_of_size(array, array.dtype().itemsize())
    }

    fn is_of_size(self, array: &Bound<'_, PyUntypedArray>, size: usize) -> bool {
        let axes = array.shape().iter().zip(array.strides());
        match self {
            Self::C => are_contiguous(size, axes.rev()),
            Self::Fortran => are_contiguous(size, axes),
        }
    }

    /// Whether `array`, of dtype `T`, is contiguous in this order and aligned for `T`.
    pub fn is_usable<T>(self, array: &Bound<'_, PyUntypedArray>) -> bool {
        array.is_empty()
            || self.is_of_size(array, size_of::<T>()) && data(array).cast::<T>().is_aligned()
    }
}

/// Whether axes, the innermost first, are contiguous.
fn are_contiguous<'a>(size: usize, axes: impl Iterator<Item = (&'a usize, &'a isize)>) -> bool {
    let mut expected = size;
    for (&length, &stride) in axes {
        if length != 1 && usize::try_from(stride) != Ok(expected) {
            return false;
        }
        expected = expected.saturating_mul(length);
    }
    true
}

/// # Errors
/// `array` is read-only.
pub fn check_writeable(argument: &str, array: &Bound<'_, PyUntypedArray>) -> Result<()> {
    // SAFETY: `array` is a live ndarray, so its object header is readable.
    let flags = unsafe { (*array.as_array_ptr()).flags };
    if flags & npyffi::NPY_ARRAY_WRITEABLE == 0 {
        let (expected, got) = ("a writeable array", "a read-only one");
        return Err(Error::value(argument, expected, got));
    }
    Ok(())
}

/// The address of the first element of `array`.
pub fn data(array: &Bound<'_, PyUntypedArray>) -> *mut u8 {
    // SAFETY: as in `check_writeable`.
    unsafe { (*array.as_array_ptr()).data.cast() }
}

/// The error if an array is no longer as it was borrowed.
pub fn changed_in_place_error(argument: &str) -> Error {
    let expected = "an array that does not change during the call";
    Error::value(argument, expected, "one that was changed in place")
}
