//! The arrays of a call that writes to several.

use std::borrow::Cow;

use numpy::ndarray::Dimension;
use numpy::{PyArray, PyArrayMethods, PyUntypedArray};
use pyo3::prelude::*;

use crate::python::borrow::array::{Contiguous, ReadArray, WriteArray};
use crate::python::borrow::header::{MemoryOrder, check_writeable};
use crate::python::borrow::overlap::ArraySpans;
use crate::python::borrow::table::{Access, Borrow, ScopeId};

/// Borrows that do not exclude each other, although their bounds may overlap, as those of `p[::2]` and
/// `p[1::2]` do. Each is checked, element by element, to share no memory with the others if either is
/// written to.
pub struct BorrowScope<'py> {
    id: ScopeId,
    spans: ArraySpans<'py>,
}

impl<'py> BorrowScope<'py> {
    /// A scope without borrows.
    pub fn new() -> Self {
        Self {
            id: ScopeId::new(),
            spans: ArraySpans::new(),
        }
    }

    /// Borrows an aligned, contiguous array in this order for reading.
    ///
    /// # Errors
    /// It shares memory with an array of the scope that is written to, or another call writes to it.
    pub fn read<T: numpy::Element, D: Dimension>(
        &mut self,
        argument: impl Into<Cow<'static, str>>,
        array: &Bound<'py, PyArray<T, D>>,
        order: MemoryOrder,
    ) -> PyResult<ReadArray<'py, T, D>> {
        let contiguous = Contiguous::new(argument.into(), array, order)?;
        self.spans
            .add(contiguous.argument().clone(), array.as_untyped(), false)?;
        ReadArray::new(contiguous, Some(self.id))
    }

    /// Borrows an aligned, contiguous array in this order for writing.
    ///
    /// # Errors
    /// It is read-only, shares memory with an array of the scope, or another call uses it.
    pub fn write<T: numpy::Element, D: Dimension>(
        &mut self,
        argument: impl Into<Cow<'static, str>>,
        array: &Bound<'py, PyArray<T, D>>,
        order: MemoryOrder,
    ) -> PyResult<WriteArray<'py, T, D>> {
        let contiguous = Contiguous::new(argument.into(), array, order)?;
        check_writeable(contiguous.argument(), array.as_untyped())?;
        self.spans
            .add(contiguous.argument().clone(), array.as_untyped(), true)?;
        WriteArray::new(contiguous, Some(self.id))
    }

    /// Borrows an array of any dtype and strides, for NumPy to copy from or to.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::write`].
    pub fn borrow_strided(
        &mut self,
        argument: impl Into<Cow<'static, str>>,
        array: &Bound<'py, PyUntypedArray>,
        access: Access,
    ) -> PyResult<Borrow> {
        let argument = argument.into();
        let bounds = self
            .spans
            .add(argument.clone(), array, access != Access::Read)?;
        Borrow::of_bounds(&argument, bounds, access, Some(self.id))
    }

    /// Checks the later borrows of the scope against an array that is borrowed separately.
    ///
    /// # Errors
    /// It shares memory with an array of the scope.
    pub fn include(
        &mut self,
        argument: &'static str,
        array: &Bound<'py, PyUntypedArray>,
        access: Access,
    ) -> PyResult<()> {
        self.spans
            .add(argument.into(), array, access != Access::Read)?;
        Ok(())
    }
}
