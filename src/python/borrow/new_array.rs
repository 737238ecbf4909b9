//! New arrays, by NumPy's C API: a call of `numpy.empty` would take a fifth of a small forward pass.

use std::ffi::c_int;
use std::slice;

use numpy::ndarray::Dimension;
use numpy::npyffi::{PY_ARRAY_API, npy_intp};
use numpy::{PyArray, PyArrayDescrMethods, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::python::borrow::header::data;

/// Plain numbers.
///
/// # Safety
/// Every bit pattern is a value of the type.
pub unsafe trait Number: numpy::Element + Copy {}

macro_rules! numbers {
    ($($number:ty)*) => {
        // SAFETY: every bit pattern is a number.
        $(unsafe impl Number for $number {})*
    };
}
numbers!(f32 f64 u32 u64 i64);

/// A new, C-contiguous array that nobody else has yet, so it needs no borrow.
pub struct NewArray<'py, T, D>(Bound<'py, PyArray<T, D>>);

impl<'py, T: Number, D: Dimension> NewArray<'py, T, D> {
    /// An uninitialised array.
    ///
    /// # Errors
    /// MemoryError if memory runs out; ValueError or OverflowError if a size is beyond all addresses.
    pub fn empty(py: Python<'py>, shape: &[usize]) -> PyResult<Self> {
        let rank = c_int::try_from(shape.len()).expect("at most 64 dimensions");
        if shape
            .iter()
            .any(|&length| npy_intp::try_from(length).is_err())
        {
            return Err(PyOverflowError::new_err("array is too big"));
        }
        let dtype = numpy::dtype::<T>(py).into_dtype_ptr();
        let lengths = shape.as_ptr().cast_mut().cast::<npy_intp>();
        // SAFETY: there are `rank` lengths, none of which changes its value as an `npy_intp`. NumPy copies
        // them, and steals the reference to the dtype.
        let array = unsafe { PY_ARRAY_API.PyArray_Empty(py, rank, lengths, dtype, 0) };
        // SAFETY: NumPy returns a new reference, or null with an exception set.
        let array = unsafe { Bound::from_owned_ptr_or_err(py, array)? };
        Ok(Self(array.cast_into()?))
    }

    /// The elements in memory order.
    pub fn as_slice_mut(&mut self) -> &mut [T] {
        let start = data(self.0.as_untyped()).cast();
        // SAFETY: `empty` made the array: C-contiguous and aligned, with `len` elements of `T`. Nobody else
        // has a reference to it: only `into_array` gives it away, and the garbage collector of Python, by
        // which all objects can be listed, does not track arrays. The memory comes from foreign code, so its
        // bytes have values, though unknown ones, and all of them are valid for a `Number`.
        unsafe { slice::from_raw_parts_mut(start, self.0.len()) }
    }

    /// The array, for Python.
    pub fn into_array(self) -> Bound<'py, PyArray<T, D>> {
        self.0
    }
}
