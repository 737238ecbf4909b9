//! The memory of NumPy's arrays: where it lies, and its numbers while a call uses them.

use std::ops::Deref;

use numpy::ndarray::{ArrayView, Dimension};
use numpy::{
    AsSliceError, PyArray, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods, npyffi,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::{Access, Borrow, BorrowScope};
use crate::error::Error;

/// An array that no call writes to while this lives.
pub struct ReadArray<'py, T, D> {
    array: Bound<'py, PyArray<T, D>>,
    _borrow: Borrow,
}

/// An array that no other call uses while this lives.
pub struct WriteArray<'py, T, D> {
    array: Bound<'py, PyArray<T, D>>,
    _borrow: Borrow,
}

/// # Errors
/// Another call is writing to it.
pub fn readonly<'py, T: numpy::Element, D: Dimension>(
    argument: &str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<ReadArray<'py, T, D>> {
    readonly_in(BorrowScope::new(), argument, array)
}

/// The same for one of several arrays of a call.
///
/// # Errors
/// As [`readonly`].
pub fn readonly_in<'py, T: numpy::Element, D: Dimension>(
    scope: BorrowScope,
    argument: &str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<ReadArray<'py, T, D>> {
    let borrow = hold(scope, argument, array.as_untyped(), Access::Read)?;
    Ok(ReadArray {
        array: array.clone(),
        _borrow: borrow,
    })
}

/// An array that the core gets to write to.
///
/// # Errors
/// It is read-only, or another call, or another argument of this one, uses it.
pub fn readwrite<'py, T: numpy::Element, D: Dimension>(
    argument: &str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<WriteArray<'py, T, D>> {
    readwrite_in(BorrowScope::new(), argument, array)
}

/// The same for one of several arrays of a call.
///
/// # Errors
/// As [`readwrite`].
pub fn readwrite_in<'py, T: numpy::Element, D: Dimension>(
    scope: BorrowScope,
    argument: &str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<WriteArray<'py, T, D>> {
    check_writeable(argument, array.as_untyped())?;
    let borrow = hold(scope, argument, array.as_untyped(), Access::Write)?;
    Ok(WriteArray {
        array: array.clone(),
        _borrow: borrow,
    })
}

/// The memory of an array while NumPy copies from it or to it, which it may do without the GIL.
///
/// # Errors
/// Another call is writing to it, or, to write, uses it.
pub fn hold(
    scope: BorrowScope,
    argument: &str,
    array: &Bound<'_, PyUntypedArray>,
    access: Access,
) -> PyResult<Borrow> {
    Borrow::new(scope, bounds(array), access).map_err(|other| refused(argument, access, other))
}

/// Why a borrow of such an `access` is excluded by another.
pub fn refused(argument: &str, access: Access, other: Access) -> PyErr {
    let why = match (access, other) {
        (_, Access::Train) => "expected a network at rest, got one that a training is running on",
        (Access::Read, _) => "another call is writing to this array",
        _ => "expected an array of its own, got one that another call uses",
    };
    PyValueError::new_err(format!("{argument}: {why}"))
}

#[allow(unsafe_code)]
impl<T: numpy::Element, D: Dimension> ReadArray<'_, T, D> {
    /// The numbers as they lie, of an array that is a block.
    pub fn as_slice(&self) -> Result<&[T], AsSliceError> {
        // SAFETY: no call writes to them while the borrow lives.
        unsafe { self.array.as_slice() }
    }

    /// The numbers by their indices.
    pub fn as_array(&self) -> ArrayView<'_, T, D> {
        // SAFETY: as in `as_slice`.
        unsafe { self.array.as_array() }
    }
}

#[allow(unsafe_code)]
impl<T: numpy::Element, D: Dimension> WriteArray<'_, T, D> {
    /// The numbers as they lie, of an array that is a block.
    pub fn as_slice_mut(&mut self) -> Result<&mut [T], AsSliceError> {
        // SAFETY: no other call uses them while the borrow lives.
        unsafe { self.array.as_slice_mut() }
    }
}

impl<'py, T, D> Deref for WriteArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.array
    }
}

impl<'py, T, D> Deref for ReadArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.array
    }
}

/// Addresses: those from `start` on, up to but not `end`.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The first.
    pub start: usize,
    /// The one behind the last.
    pub end: usize,
}

impl Bounds {
    /// Whether they have an address in common.
    pub fn overlap(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// The addresses from the first byte of an array to behind its last.
pub fn bounds(array: &Bound<'_, PyUntypedArray>) -> Bounds {
    let start = data(array);
    if array.len() == 0 {
        return Bounds { start, end: start };
    }
    let mut bounds = Bounds {
        start,
        end: start + array.dtype().itemsize(),
    };
    for (&length, &stride) in array.shape().iter().zip(array.strides()) {
        let reach = stride.unsigned_abs() * (length - 1);
        if stride < 0 {
            bounds.start -= reach;
        } else {
            bounds.end += reach;
        }
    }
    bounds
}

/// # Errors
/// `array` is read-only.
pub fn check_writeable(argument: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if flags(array) & npyffi::NPY_ARRAY_WRITEABLE == 0 {
        let (expected, got) = ("a writeable array", "a read-only one");
        return Err(Error::value(argument, expected, got).into());
    }
    Ok(())
}

/// Whether the core can read the array as a slice in C order.
pub fn is_usable(array: &Bound<'_, PyUntypedArray>) -> bool {
    array.is_c_contiguous() && is_aligned(array)
}

/// Whether each number lies at an address that the machine may ask of its type.
pub fn is_aligned(array: &Bound<'_, PyUntypedArray>) -> bool {
    flags(array) & npyffi::NPY_ARRAY_ALIGNED != 0
}

#[allow(unsafe_code)]
fn flags(array: &Bound<'_, PyUntypedArray>) -> std::ffi::c_int {
    // SAFETY: `array` is alive and an ndarray, so its object header may be read.
    unsafe { (*array.as_array_ptr()).flags }
}

#[allow(unsafe_code)]
fn data(array: &Bound<'_, PyUntypedArray>) -> usize {
    // SAFETY: as in `flags`.
    unsafe { (*array.as_array_ptr()).data as usize }
}
