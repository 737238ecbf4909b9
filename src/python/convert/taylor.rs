//! Directions by x, and what a cost of derivatives by x returned.

use numpy::PyUntypedArrayMethods;
use numpy::ndarray::{Dimension, Ix1, Ix2, Ix3};
use pyo3::prelude::*;

use crate::base::error::{Error, Result, ShapeDisplay};
use crate::inside::taylor::{Directions, Nabla};
use crate::python::borrow::{Element, ReadArray};
use crate::python::convert::arrays::{input, numbers};
use crate::python::convert::custom::{entries, of_shape};

/// Directions: (k, n_1) for all examples, or (k, n, n_1).
pub enum DirectionsArray<'py, T: Element> {
    Shared(ReadArray<'py, T, Ix2>),
    OfEach(ReadArray<'py, T, Ix3>),
}

impl<'py, T: Element> DirectionsArray<'py, T> {
    /// # Errors
    /// Not real numbers, or another number of dimensions.
    pub fn parse(directions: &Bound<'py, PyAny>) -> PyResult<Self> {
        const NAME: &str = "directions";
        let array = numbers(NAME, directions)?;
        match array.ndim() {
            2 => Ok(Self::Shared(input(NAME, &array)?)),
            3 => Ok(Self::OfEach(input(NAME, &array)?)),
            _ => {
                let expected = "shape (n_1,), (k, n_1) or (k, n, n_1)";
                let got = ShapeDisplay(array.shape());
                Err(Error::value(NAME, expected, got).into())
            }
        }
    }

    /// # Errors
    /// As [`Directions::new`].
    pub fn directions(&self, width: usize, n: usize) -> Result<Directions<'_, T>> {
        match self {
            Self::Shared(array) => Directions::new(width, n, array.shape(), array.as_slice()?),
            Self::OfEach(array) => Directions::new(width, n, array.shape(), array.as_slice()?),
        }
    }

    /// The directions as an array of the dtype.
    pub fn object(&self) -> Bound<'py, PyAny> {
        match self {
            Self::Shared(array) => array.as_any().clone(),
            Self::OfEach(array) => array.as_any().clone(),
        }
    }
}

/// What a cost of values and derivatives returned for n examples.
pub struct TaylorCosts<'py, T: Element> {
    of_examples: ReadArray<'py, f64, Ix1>,
    value: Option<ReadArray<'py, T, Ix2>>,
    first: Option<ReadArray<'py, T, Ix3>>,
    second: Option<ReadArray<'py, T, Ix3>>,
}

impl<'py, T: Element> TaylorCosts<'py, T> {
    /// `shape`: (k, n, n_L).
    ///
    /// # Errors
    /// TypeError or ValueError if the cost returned something invalid.
    pub fn parse(returned: &Bound<'py, PyAny>, shape: [usize; 3], order: usize) -> PyResult<Self> {
        let (pair, nabla) = match order {
            1 => (
                "a pair (C_x, (nabla_value, nabla_first))",
                "(nabla_value, nabla_first)",
            ),
            _ => (
                "a pair (C_x, (nabla_value, nabla_first, nabla_second))",
                "(nabla_value, nabla_first, nabla_second)",
            ),
        };
        let returned = entries("cost", pair, returned, 2)?;
        let costs = of_shape("cost: C_x", &returned.get_item(0)?, &shape[1..2])?;
        let of_order = returned.get_item(1)?;
        // For order 1 also a third entry of None, as in `Taylor`.
        let has_none = order == 1
            && of_order.len().is_ok_and(|length| length == 3)
            && of_order.get_item(2)?.is_none();
        let count = if has_none { 3 } else { order + 1 };
        let parts = entries("cost: nabla", nabla, &of_order, count)?;
        let second = (order == 2).then(|| parts.get_item(2)).transpose()?;
        Ok(Self {
            of_examples: input("cost: C_x", &costs)?,
            value: part("cost: nabla_value", Some(parts.get_item(0)?), &shape[1..])?,
            first: part("cost: nabla_first", Some(parts.get_item(1)?), &shape)?,
            second: part("cost: nabla_second", second, &shape)?,
        })
    }

    /// C_x.
    ///
    /// # Errors
    /// Python code has changed the array in place in the meantime.
    pub fn costs(&self) -> Result<&[f64]> {
        self.of_examples.as_slice()
    }

    /// The derivatives of C_x.
    ///
    /// # Errors
    /// Python code has changed an array in place in the meantime.
    pub fn nabla(&self) -> Result<Nabla<'_, T>> {
        Ok(Nabla {
            value: self.value.as_ref().map(ReadArray::as_slice).transpose()?,
            first: self.first.as_ref().map(ReadArray::as_slice).transpose()?,
            second: self.second.as_ref().map(ReadArray::as_slice).transpose()?,
        })
    }
}

/// An array of a given shape, or None for 0.
fn part<'py, T: Element, D: Dimension>(
    argument: &'static str,
    value: Option<Bound<'py, PyAny>>,
    shape: &[usize],
) -> PyResult<Option<ReadArray<'py, T, D>>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    let array = of_shape(argument, &value, shape)?;
    Ok(Some(input(argument, &array)?))
}
