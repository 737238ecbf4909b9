//! NumPy views of a vector that Rust owns.

use std::ops::Range;
use std::ptr;

use numpy::npyffi::{self, NpyTypes, PY_ARRAY_API};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::python::borrow::allocation::Allocation;
use crate::python::borrow::header::data;
use crate::python::call::cached::Cached;

/// A range of a vector, and the array that shows it.
pub struct View {
    allocation: Py<Allocation>,
    dtype: Py<PyArrayDescr>,
    /// The offset in the allocation, in bytes.
    offset: usize,
    shape: Vec<usize>,
    /// In bytes.
    strides: Vec<isize>,
    array: Cached<PyUntypedArray>,
}

impl View {
    /// A view of the elements in `range`: a vector, or, with `columns`, the transpose of a row-major matrix
    /// of that many columns.
    ///
    /// # Safety
    /// The allocation holds initialised elements of type `T` in `range`.
    pub unsafe fn new<T: numpy::Element>(
        py: Python<'_>,
        allocation: Py<Allocation>,
        range: &Range<usize>,
        columns: Option<usize>,
    ) -> Self {
        let size = size_of::<T>().cast_signed();
        let (shape, strides) = match columns {
            None => (vec![range.len()], vec![size]),
            Some(columns) => (
                vec![columns, range.len() / columns],
                vec![size, size * columns.cast_signed()],
            ),
        };
        Self {
            allocation,
            dtype: numpy::dtype::<T>(py).unbind(),
            offset: range.start * size_of::<T>(),
            shape,
            strides,
            array: Cached::new(),
        }
    }

    /// The array: the same object each time, unless the user has changed that object in place.
    pub fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyUntypedArray>> {
        let array = self.array.get_or_make(py, || self.make(py))?;
        let is_same = data(array) == self.start()
            && array.shape() == self.shape
            && array.strides() == self.strides
            && array.dtype().is_equiv_to(self.dtype.bind(py));
        if is_same {
            return Ok(array.clone());
        }
        self.make(py)
    }

    /// The existing array, if any.
    pub fn existing<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyUntypedArray>> {
        self.array.get(py)
    }

    /// The shape of the array as created.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn start(&self) -> *mut u8 {
        self.allocation
            .get()
            .start()
            .as_ptr()
            .wrapping_add(self.offset)
    }

    /// A new array.
    pub fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyUntypedArray>> {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.clone());
        // SAFETY: NumPy steals the reference to the dtype, and copies the shape and strides, which have the
        // same length; all elements that they reach are initialised and of that dtype, as the caller of
        // `new` guaranteed.
        let array = unsafe {
            PY_ARRAY_API.PyArray_NewFromDescr(
                py,
                npyffi::get_type_object(py, NpyTypes::PyArray_Type),
                self.dtype.clone_ref(py).into_ptr().cast(),
                if self.shape.len() == 1 { 1 } else { 2 },
                shape.as_mut_ptr().cast(),
                strides.as_mut_ptr(),
                self.start().cast(),
                npyffi::NPY_ARRAY_WRITEABLE,
                ptr::null_mut(),
            )
        };
        // SAFETY: NumPy returns a new reference, or null with an exception set.
        let array = unsafe { Bound::from_owned_ptr_or_err(py, array)? };
        let array = array.cast_into::<PyUntypedArray>()?;
        let base = self.allocation.clone_ref(py).into_ptr();
        // SAFETY: a new array without a base; NumPy steals the reference to the base even on failure.
        let outcome = unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_array_ptr(), base) };
        if outcome < 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(array)
    }
}
