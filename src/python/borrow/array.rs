//! Borrows of NumPy's arrays, as slices.

use std::borrow::Cow;
use std::ops::Deref;
use std::ptr::NonNull;

use numpy::ndarray::{Dim, Dimension, Ix2};
use numpy::{PyArray, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::error::{Error, Result};
use crate::kernels::gemm::{self, Matrix};
use crate::python::borrow::header::{Bounds, MemoryOrder, check_writeable, data};
use crate::python::borrow::table::{Access, Borrow, ScopeId};

/// An array that no call of bpfast writes to while this lives.
pub struct ReadArray<'py, T, D> {
    block: Contiguous<'py, T, D>,
    _borrow: Borrow,
}

/// An array that no other call of bpfast uses while this lives.
pub struct WriteArray<'py, T, D> {
    block: Contiguous<'py, T, D>,
    _borrow: Borrow,
}

/// Borrows an aligned block in C order to read it.
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

/// Borrows an array to read it, if it is an aligned block in C order.
///
/// # Errors
/// Another call is writing to it.
pub fn readonly_block<'py, T: numpy::Element, D: Dimension>(
    argument: &'static str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<Option<ReadArray<'py, T, D>>> {
    let block = Contiguous::of(argument.into(), array, MemoryOrder::C);
    block.map(|block| ReadArray::new(block, None)).transpose()
}

/// Borrows an aligned block in C order to write to it.
///
/// # Errors
/// It is read-only; another call, or another argument of this one, uses it.
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
    /// Borrows a block to read it, as one of the borrows of a scope, if there is one.
    ///
    /// # Errors
    /// Another call is writing to it.
    pub(super) fn new(block: Contiguous<'py, T, D>, scope: Option<ScopeId>) -> PyResult<Self> {
        let borrow = Borrow::of_bounds(&block.argument, block.bounds(), Access::Read, scope)?;
        Ok(Self {
            block,
            _borrow: borrow,
        })
    }

    /// The numbers in the order of their memory.
    ///
    /// # Errors
    /// The array is no longer what was borrowed.
    pub fn as_slice(&self) -> Result<&[T]> {
        let numbers = self.block.numbers()?;
        // SAFETY: `numbers` are those of a block of `T`, aligned, where the array has them now. The
        // table excludes that a call of bpfast writes to them while `self` lives. What else must not
        // happen is what NumPy is trusted with, in `mod.rs`.
        Ok(unsafe { numbers.as_ref() })
    }
}

impl<T: numpy::Element> ReadArray<'_, T, Ix2> {
    /// The numbers as a matrix.
    ///
    /// # Errors
    /// As [`Self::as_slice`].
    pub fn as_matrix(&self) -> Result<Matrix<'_, T>> {
        let (rows, columns) = self.block.shape.into_pattern();
        let order = match self.block.order {
            MemoryOrder::C => gemm::Order::RowMajor,
            MemoryOrder::Fortran => gemm::Order::ColumnMajor,
        };
        Ok(Matrix::new(self.as_slice()?, rows, columns, order))
    }
}

impl<'py, T: numpy::Element, D: Dimension> WriteArray<'py, T, D> {
    /// Borrows a block to write to it, as one of the borrows of a scope, if there is one.
    ///
    /// # Errors
    /// It is read-only; another call, or another argument of this one, uses it.
    pub(super) fn new(block: Contiguous<'py, T, D>, scope: Option<ScopeId>) -> PyResult<Self> {
        check_writeable(&block.argument, block.array.as_untyped())?;
        let borrow = Borrow::of_bounds(&block.argument, block.bounds(), Access::Write, scope)?;
        Ok(Self {
            block,
            _borrow: borrow,
        })
    }

    /// The numbers in the order of their memory.
    ///
    /// # Errors
    /// The array is no longer what was borrowed.
    pub fn as_slice_mut(&mut self) -> Result<&mut [T]> {
        let mut numbers = self.block.numbers()?;
        // SAFETY: as in `ReadArray::as_slice`, but the table excludes all other borrows, and `self` is
        // borrowed mutably as long as the slice.
        Ok(unsafe { numbers.as_mut() })
    }
}

/// An array whose numbers lie without gaps and aligned, and how it was when it was borrowed.
pub(super) struct Contiguous<'py, T, D> {
    argument: Cow<'static, str>,
    array: Bound<'py, PyArray<T, D>>,
    address: usize,
    shape: D,
    order: MemoryOrder,
}

impl<'py, T: numpy::Element, D: Dimension> Contiguous<'py, T, D> {
    /// # Errors
    /// `array` is no aligned block in this order.
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

    /// What error messages call it.
    pub(super) fn argument(&self) -> &Cow<'static, str> {
        &self.argument
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            start: self.address,
            end: self.address + self.shape.size() * size_of::<T>(),
        }
    }

    /// Where the numbers are, which is where they were.
    ///
    /// # Errors
    /// Python code has resized, moved or reshaped the array since it was borrowed.
    fn numbers(&self) -> Result<NonNull<[T]>> {
        let array = self.array.as_untyped();
        let start = data(array);
        let same = start.addr() == self.address
            && array.shape() == self.shape.slice()
            && self.order.is_usable::<T>(array);
        if !same {
            return Err(self.changed());
        }
        if self.shape.size() == 0 {
            return Ok(NonNull::from_mut(&mut []));
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| self.changed())?;
        Ok(NonNull::slice_from_raw_parts(start, self.shape.size()))
    }

    fn changed(&self) -> Error {
        let expected = "an array that stays as it is during the call";
        Error::value(&self.argument, expected, "one that was changed in place")
    }
}

impl<'py, T, D> Deref for WriteArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.block.array
    }
}

impl<'py, T, D> Deref for ReadArray<'py, T, D> {
    type Target = Bound<'py, PyArray<T, D>>;

    fn deref(&self) -> &Self::Target {
        &self.block.array
    }
}
