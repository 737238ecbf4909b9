//! Borrows of NumPy arrays, as slices.

use std::borrow::Cow;
use std::ops::Deref;
use std::ptr::NonNull;

use numpy::ndarray::{Dim, Dimension, Ix2};
use numpy::{PyArray, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::error::{Error, Result};
use crate::kernels::gemm::{self, Matrix};
use crate::python::borrow::header::{
    Bounds, MemoryOrder, changed_in_place_error, check_writeable, data,
};
use crate::python::borrow::table::{Access, Borrow, ScopeId};

/// A read borrow: no call of bpfast writes to the array while this lives.
pub struct ReadArray<'py, T, D> {
    contiguous: Contiguous<'py, T, D>,
    _borrow: Borrow,
}

/// A write borrow: no other call of bpfast uses the array while this lives.
pub struct WriteArray<'py, T, D> {
    contiguous: Contiguous<'py, T, D>,
    _borrow: Borrow,
}

/// Borrows an aligned, C-contiguous array for reading.
///
/// # Errors
/// Another call is writing to it.
pub fn readonly<'py, T: numpy::Element, D: Dimension>(
    argument: impl Into<Cow<'static, str>>,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<ReadArray<'py, T, D>> {
    ReadArray::new(
        Contiguous::new(argument.into(), array, MemoryOrder::C)?,
        None,
    )
}

/// Borrows an array for reading, or returns None if it is not aligned and C-contiguous.
///
/// # Errors
/// Another call is writing to it.
pub fn readonly_contiguous<'py, T: numpy::Element, D: Dimension>(
    argument: &'static str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<Option<ReadArray<'py, T, D>>> {
    let contiguous = Contiguous::of(argument.into(), array, MemoryOrder::C);
    contiguous
        .map(|contiguous| ReadArray::new(contiguous, None))
        .transpose()
}

/// Borrows an aligned, C-contiguous array for writing.
///
/// # Errors
/// It is read-only, or another call or another argument of this call uses it.
pub fn readwrite<'py, T: numpy::Element, D: Dimension>(
    argument: impl Into<Cow<'static, str>>,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<WriteArray<'py, T, D>> {
    WriteArray::new(
        Contiguous::new(argument.into(), array, MemoryOrder::C)?,
        None,
    )
}

impl<'py, T: numpy::Element, D: Dimension> ReadArray<'py, T, D> {
    /// Borrows a contiguous array for reading, as part of a scope, if one is given.
    ///
    /// # Errors
    /// Another call is writing to it.
    pub(super) fn new(contiguous: Contiguous<'py, T, D>, scope: Option<ScopeId>) -> PyResult<Self> {
        let borrow = Borrow::of_bounds(
            &contiguous.argument,
            contiguous.bounds(),
            Access::Read,
            scope,
        )?;
        Ok(Self {
            contiguous,
            _borrow: borrow,
        })
    }

    /// The elements in memory order.
    ///
    /// # Errors
    /// The array has been changed in place since it was borrowed.
    pub fn as_slice(&self) -> Result<&[T]> {
        let numbers = self.contiguous.numbers()?;
        // SAFETY: `numbers` are the elements of a contiguous, aligned block of `T`, at the array's current
        // address. The table excludes writes by calls of bpfast while `self` lives. Other accesses are
        // excluded by what NumPy is trusted with; see `mod.rs`.
        Ok(unsafe { numbers.as_ref() })
    }
}

impl<T: numpy::Element> ReadArray<'_, T, Ix2> {
    /// The elements as a matrix.
    ///
    /// # Errors
    /// As [`Self::as_slice`].
    pub fn as_matrix(&self) -> Result<Matrix<'_, T>> {
        let (rows, columns) = self.contiguous.shape.into_pattern();
        let order = match self.contiguous.order {
            MemoryOrder::C => gemm::Order::RowMajor,
            MemoryOrder::Fortran => gemm::Order::ColumnMajor,
        };
        Ok(Matrix::new(self.as_slice()?, rows, columns, order))
    }
}

impl<'py, T: numpy::Element, D: Dimension> WriteArray<'py, T, D> {
    /// Borrows a contiguous array for writing, as part of a scope, if one is given.
    ///
    /// # Errors
    /// It is read-only, or another call or another argument of this call uses it.
    pub(super) fn new(contiguous: Contiguous<'py, T, D>, scope: Option<ScopeId>) -> PyResult<Self> {
        check_writeable(&contiguous.argument, contiguous.array.as_untyped())?;
        let borrow = Borrow::of_bounds(
            &contiguous.argument,
            contiguous.bounds(),
            Access::Write,
            scope,
        )?;
        Ok(Self {
            contiguous,
            _borrow: borrow,
        })
    }

    /// The elements in memory order.
    ///
    /// # Errors
    /// The array has been changed in place since it was borrowed.
    pub fn as_slice_mut(&mut self) -> Result<&mut [T]> {
        let mut numbers = self.contiguous.numbers()?;
        // SAFETY: as in `ReadArray::as_slice`; in addition the table excludes all other borrows, and `self`
        // is mutably borrowed for the slice's lifetime.
        Ok(unsafe { numbers.as_mut() })
    }
}

/// A contiguous, aligned array, with its address, shape and strides at the time of the borrow.
pub(super) struct Contiguous<'py, T, D> {
    argument: Cow<'static, str>,
    array: Bound<'py, PyArray<T, D>>,
    address: usize,
    shape: D,
    order: MemoryOrder,
}

impl<'py, T: numpy::Element, D: Dimension> Contiguous<'py, T, D> {
    /// # Errors
    /// `array` is not contiguous in this order, or not aligned.
    pub(super) fn new(
        argument: Cow<'static, str>,
        array: &Bound<'py, PyArray<T, D>>,
        order: MemoryOrder,
    ) -> Result<Self> {
        let got = "another layout";
        let error = || Error::value(&argument, "a contiguous, aligned array", got);
        Self::of(argument.clone(), array, order).ok_or_else(error)
    }

    fn of(
        argument: Cow<'static, str>,
        array: &Bound<'py, PyArray<T, D>>,
        order: MemoryOrder,
    ) -> Option<Self> {
        if !order.is_usable::<T>(array.as_untyped()) {
            return None;
        }
        Some(Self {
            argument,
            address: data(array.as_untyped()).addr(),
            shape: D::from_dimension(&Dim(array.shape()))?,
            order,
            array: array.clone(),
        })
    }

    /// The argument's name in error messages.
    pub(super) fn argument(&self) -> &Cow<'static, str> {
        &self.argument
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            start: self.address,
            end: self.address + self.shape.size() * size_of::<T>(),
        }
    }

    /// The elements, at the address they had when borrowed.
    ///
    /// # Errors
    /// Python code has resized, moved or reshaped the array since then.
    fn numbers(&self) -> Result<NonNull<[T]>> {
        let array = self.array.as_untyped();
        let start = data(array);
        let same = start.addr() == self.address
            && array.shape() == self.shape.slice()
            && self.order.is_usable::<T>(array);
        if !same {
            return Err(changed_in_place_error(&self.argument));
        }
        if self.shape.size() == 0 {
            return Ok(NonNull::from_mut(&mut []));
        }
        let start =
            NonNull::new(start.cast()).ok_or_else(|| changed_in_place_error(&self.argument))?;
        Ok(NonNull::slice_from_raw_parts(start, self.shape.size()))
    }
}

impl<'py, T, D> Deref for WriteArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.contiguous.array
    }
}

impl<'py, T, D> Deref for ReadArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.contiguous.array
    }
}
