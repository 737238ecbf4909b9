//! What NumPy sees of a vector that Rust owns.

use std::ops::Range;
use std::ptr;

use numpy::npyffi::{self, NpyTypes, PY_ARRAY_API};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::python::borrow::allocation::Allocation;
use crate::python::borrow::header::data;

/// A part of a vector, and the array that shows it.
pub struct View {
    allocation: Py<Allocation>,
    dtype: Py<PyArrayDescr>,
    /// Where it begins in the allocation, in bytes.
    offset: usize,
    shape: Vec<usize>,
    /// In bytes.
    strides: Vec<isize>,
    array: PyOnceLock<Py<PyUntypedArray>>,
}

impl View {
    /// The numbers in `range` as a vector, or, of rows of `columns` numbers, the transposed matrix.
    ///
    /// # Safety
    /// The allocation holds initialised numbers of type `T` in `range`.
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
            array: PyOnceLock::new(),
        }
    }

    /// Its array: the same object each time, unless the user has made that show something else.
    pub fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyUntypedArray>> {
        let make = || Ok::<_, PyErr>(self.make(py)?.unbind());
        let array = self.array.get_or_try_init(py, make)?.bind(py);
        let is_same = data(array) == self.start()
            && array.shape() == self.shape
            && array.strides() == self.strides
            && array.dtype().is_equiv_to(self.dtype.bind(py));
        if is_same {
            return Ok(array.clone());
        }
        self.make(py)
    }

    /// The array that the user has got, if any.
    pub fn shown<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyUntypedArray>> {
        self.array.get(py).map(|array| array.bind(py))
    }

    /// The shape of its array, unless the user has given that another one.
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
        // SAFETY: a dtype of which a reference is given away; as many lengths as strides, which NumPy
        // copies; numbers of that dtype at all places that these reach, as `new` was promised.
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
        // SAFETY: NumPy gives a new reference, or null and an exception.
        let array = unsafe { Bound::from_owned_ptr_or_err(py, array)? };
        let array = array.cast_into::<PyUntypedArray>()?;
        let base = self.allocation.clone_ref(py).into_ptr();
        // SAFETY: a new array without a base, and a reference that is given away also if it fails.
        let outcome = unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_array_ptr(), base) };
        if outcome < 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(array)
    }
}
