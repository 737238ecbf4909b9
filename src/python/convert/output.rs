//! The memory for a result: a new array, or the validated `out=` of the user.

use numpy::ndarray::Dimension;
use numpy::{PyArray, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::base::error::{Error, Result};
use crate::python::borrow::{
    Element, MemoryOrder, NamedInput, NewArray, WriteArray, check_out_disjoint, check_writeable,
    readwrite,
};
use crate::python::call::errors::wrong_type;
use crate::python::convert::arrays::refuse_masked;

/// The memory for a result.
pub enum Output<'py, T, D> {
    New(NewArray<'py, T, D>),
    Out(WriteArray<'py, T, D>),
}

impl<'py, T: Element, D: Dimension> Output<'py, T, D> {
    /// `out`, if it has the exact dtype and shape and is C-contiguous and writeable; a new array without it.
    /// Inputs that are converted have been converted before, as `out` may lie between their elements.
    ///
    /// # Errors
    /// TypeError for another type or dtype; ValueError for another shape or layout, a read-only array, or
    /// one that shares memory with one of `inputs` or is used by another call.
    pub fn parse(
        out: Option<&Bound<'py, PyAny>>,
        py: Python<'py>,
        shape: &[usize],
        inputs: &[NamedInput<'_, 'py>],
    ) -> PyResult<Self> {
        let Some(out) = out else {
            return Ok(Self::New(NewArray::empty(py, shape)?));
        };
        let array = check_out(out, shape, inputs)?;
        Ok(Self::Out(readwrite("out", array)?))
    }

    /// The array of the user.
    pub fn out(&self) -> Option<&Bound<'py, PyUntypedArray>> {
        match self {
            Self::New(_) => None,
            Self::Out(array) => Some(array.as_untyped()),
        }
    }

    /// The elements in memory order.
    ///
    /// # Errors
    /// The array has been changed in place since it was borrowed.
    pub fn as_slice_mut(&mut self) -> Result<&mut [T]> {
        match self {
            Self::New(array) => Ok(array.as_slice_mut()),
            Self::Out(array) => array.as_slice_mut(),
        }
    }

    /// The array, no longer borrowed.
    pub fn into_array(self) -> Bound<'py, PyArray<T, D>> {
        match self {
            Self::New(array) => array.into_array(),
            Self::Out(array) => (*array).clone(),
        }
    }
}

/// `out` as an array, before it is borrowed.
///
/// # Errors
/// As [`Output::parse`], except that another call may use it.
pub fn check_out<'a, 'py, T: Element, D: Dimension>(
    out: &'a Bound<'py, PyAny>,
    shape: &[usize],
    inputs: &[NamedInput<'_, 'py>],
) -> PyResult<&'a Bound<'py, PyArray<T, D>>> {
    let Ok(array) = out.cast::<PyUntypedArray>() else {
        return Err(wrong_type("out", "a NumPy array", out));
    };
    let dtype = numpy::dtype::<T>(out.py());
    if !array.dtype().is_equiv_to(&dtype) {
        return Err(PyTypeError::new_err(format!(
            "out: expected dtype {dtype}, got {}",
            array.dtype()
        )));
    }
    if array.shape() != shape {
        return Err(Error::shape("out", shape, array.shape()).into());
    }
    if !MemoryOrder::C.is_usable::<T>(array) {
        let message = "out: expected a C-contiguous, aligned array, got another layout";
        return Err(PyValueError::new_err(message));
    }
    check_writeable("out", array)?;
    refuse_masked("out", array)?;
    check_out_disjoint(array, inputs)?;
    Ok(array.cast()?)
}
