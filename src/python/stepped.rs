//! An array that a step changes, its gradient, and what is kept for it, all in one order.

use std::borrow::Cow;

use numpy::ndarray::{Ix1, IxDyn};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods, dtype};
use pyo3::prelude::*;

use super::arrays::{Element, numbers, numpy_function};
use super::borrow::{
    Access, Borrow, BorrowScope, ReadArray, WriteArray, check_spread, check_writeable, hold,
    is_aligned, readonly_in, readwrite_in,
};
use super::errors::wrong_type;
use crate::error::Error;
use crate::optimizer::{Changed, MOST_KEPT};

/// Row by row, or column by column.
#[derive(Debug, Clone, Copy)]
enum Order {
    C,
    Fortran,
}

impl Order {
    /// That of `array`; C where it lies in no block. `Kept` in Python says the same.
    fn of(array: &Bound<'_, PyUntypedArray>) -> Self {
        if array.is_fortran_contiguous() && !array.is_c_contiguous() {
            Self::Fortran
        } else {
            Self::C
        }
    }

    /// Whether `array` is a block in this order.
    fn is_of(self, array: &Bound<'_, PyUntypedArray>) -> bool {
        match self {
            Self::C => array.is_c_contiguous(),
            Self::Fortran => array.is_fortran_contiguous(),
        }
    }

    /// Whether `array` is an aligned block of `T` in this order.
    fn takes<T: Element>(self, array: &Bound<'_, PyUntypedArray>) -> bool {
        array.cast::<PyArrayDyn<T>>().is_ok() && self.is_of(array) && is_aligned(array)
    }

    /// `array` as an aligned block of `T` in this order: itself, or a copy.
    fn block<'py, T: Element>(
        self,
        array: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
        if self.takes::<T>(array) {
            return Ok(array.cast::<PyArrayDyn<T>>()?.clone());
        }
        let layout = match self {
            Self::C => "C_CONTIGUOUS",
            Self::Fortran => "F_CONTIGUOUS",
        };
        let requirements = [layout, "ALIGNED", "ENSUREARRAY"];
        let require = numpy_function(array.py(), "require")?;
        let block = require.call1((array, dtype::<T>(array.py()), requirements))?;
        Ok(block.cast_into::<PyArrayDyn<T>>()?)
    }
}

/// The arrays of one of `params`.
pub struct Stepped<'py, T: Element> {
    /// What `params` and `gradient` are called.
    names: [Cow<'static, str>; 2],
    /// The user's.
    array: Bound<'py, PyUntypedArray>,
    /// It, or a copy if it is no block.
    params: Bound<'py, PyArrayDyn<T>>,
    gradient: Bound<'py, PyArrayDyn<T>>,
    kept: Vec<Bound<'py, PyArray1<T>>>,
    scope: BorrowScope,
    /// Of the user's array, where a copy is stepped.
    _borrow: Option<Borrow>,
}

/// The same, borrowed.
pub struct Held<'py, T: Element> {
    params: WriteArray<'py, T, IxDyn>,
    gradient: ReadArray<'py, T, IxDyn>,
    kept: Vec<WriteArray<'py, T, Ix1>>,
}

/// Their numbers.
pub struct Slices<'a, T> {
    pub changed: Changed<'a, T>,
    pub gradient: &'a [T],
}

/// A gradient as an array of numbers.
///
/// # Errors
/// It is of something else.
pub fn gradient_of<'py, T: Element>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    match value.cast::<PyArrayDyn<T>>() {
        Ok(array) => Ok(array.as_untyped().clone()),
        Err(_) => numbers(argument, value),
    }
}

impl<'py, T: Element> Stepped<'py, T> {
    /// `scope`: that of all arrays of a step; `names`: what `params` and `gradient` are called.
    ///
    /// # Errors
    /// `params` is read-only or overlaps itself; `gradient` is of another shape; another call uses
    /// one of them that has to be copied.
    pub fn new<'a>(
        scope: BorrowScope,
        names: &[Cow<'static, str>; 2],
        params: &Bound<'py, PyUntypedArray>,
        gradient: &Bound<'py, PyUntypedArray>,
        kept: impl Iterator<Item = &'a Bound<'py, PyAny>>,
    ) -> PyResult<Self>
    where
        'py: 'a,
    {
        check_writeable(&names[0], params)?;
        check_spread(&names[0], params)?;
        if gradient.shape() != params.shape() {
            return Err(Error::shape(&names[1], params.shape(), gradient.shape()).into());
        }
        let order = Order::of(params);
        let is_copied = !order.takes::<T>(params);
        let borrow = is_copied.then(|| hold(scope, &names[0], params, Access::Write));
        let borrow = borrow.transpose()?;
        // While it is copied.
        let _read = hold(scope, &names[1], gradient, Access::Read)?;
        let kept = kept.map(|kept| {
            let vector = kept.cast::<PyArray1<T>>();
            let vector =
                vector.map_err(|_| wrong_type("state", "a vector of the same dtype", kept));
            Ok(vector?.clone())
        });
        Ok(Self {
            names: names.clone(),
            array: params.clone(),
            params: order.block(params)?,
            gradient: order.block(gradient)?,
            kept: kept.collect::<PyResult<_>>()?,
            scope,
            _borrow: borrow,
        })
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// # Errors
    /// Another call uses one of the arrays.
    pub fn borrow(&self) -> PyResult<Held<'py, T>> {
        let kept = self.kept.iter();
        let kept = kept.map(|kept| readwrite_in(self.scope, "state", kept));
        Ok(Held {
            params: readwrite_in(self.scope, &self.names[0], &self.params)?,
            gradient: readonly_in(self.scope, &self.names[1], &self.gradient)?,
            kept: kept.collect::<PyResult<_>>()?,
        })
    }

    /// Brings the parameters back to where they came from.
    ///
    /// # Errors
    /// Those of NumPy, which has no reason for one.
    pub fn write_back(&self) -> PyResult<()> {
        if !self.params.is(&self.array) {
            let copy = numpy_function(self.array.py(), "copyto")?;
            copy.call1((&self.array, &self.params))?;
        }
        Ok(())
    }
}

impl<T: Element> Held<'_, T> {
    /// # Errors
    /// An array is no block.
    pub fn slices(&mut self) -> PyResult<Slices<'_, T>> {
        Ok(Slices {
            changed: side_by_side(self.params.as_slice_mut()?, &mut self.kept)?,
            gradient: self.gradient.as_slice()?,
        })
    }
}

/// Parameters, and what an optimizer keeps for them.
///
/// # Errors
/// It keeps more than any does, or numbers for other parameters.
pub fn side_by_side<'a, T: Element>(
    params: &'a mut [T],
    kept: &'a mut [WriteArray<'_, T, Ix1>],
) -> PyResult<Changed<'a, T>> {
    if kept.len() > MOST_KEPT {
        return Err(
            Error::value("state", format!("at most {MOST_KEPT} arrays"), kept.len()).into(),
        );
    }
    let mut slices = Vec::with_capacity(MOST_KEPT);
    for kept in kept {
        if kept.len() != params.len() {
            return Err(Error::value("state", params.len(), kept.len()).into());
        }
        slices.push(kept.as_slice_mut()?);
    }
    Ok(Changed::new(params, slices))
}
