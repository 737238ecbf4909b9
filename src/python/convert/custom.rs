//! Costs that are Python callables, `cost(a, y) -> (C_x, ∇_a C)`. Python calls them between two calls of
//! Rust; this file prepares their arguments and validates what they return.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::base::error::Error;
use crate::python::borrow::{Element, ReadArray};
use crate::python::call::errors::{guarded, wrong_type};
use crate::python::convert::arrays::{as_array, input, numbers};
use crate::train;

/// What a cost returned for n examples.
pub struct CustomCosts<'py, T: Element> {
    /// C_x, (n,).
    pub of_examples: ReadArray<'py, f64, Ix1>,
    /// ∇_a C_x, (n, n_L).
    pub nabla_a: ReadArray<'py, T, Ix2>,
}

impl<'py, T: Element> CustomCosts<'py, T> {
    /// `shape`: (n, n_L).
    ///
    /// # Errors
    /// TypeError or ValueError if the cost returned something invalid.
    pub fn parse(returned: &Bound<'py, PyAny>, shape: [usize; 2]) -> PyResult<Self> {
        let entries = entries("cost", "a pair (C_x, nabla_a)", returned, 2)?;
        let (costs, nabla_a) = (entries.get_item(0)?, entries.get_item(1)?);
        let costs = of_shape("cost: C_x", &costs, &shape[..1])?;
        let nabla_a = of_shape("cost: nabla_a", &nabla_a, &shape)?;
        Ok(Self {
            of_examples: input("cost: C_x", &costs)?,
            nabla_a: input("cost: nabla_a", &nabla_a)?,
        })
    }

    /// Both as slices.
    ///
    /// # Errors
    /// Python code has changed an array in place in the meantime.
    pub fn slices(&self) -> PyResult<train::Costs<'_, T>> {
        Ok(train::Costs {
            of_examples: self.of_examples.as_slice()?,
            nabla_a: self.nabla_a.as_slice()?,
        })
    }
}

/// The entries of a tuple or list of `count`.
pub(super) fn entries<'py>(
    argument: &str,
    expected: &str,
    value: &Bound<'py, PyAny>,
    count: usize,
) -> PyResult<Bound<'py, PyList>> {
    let entries = if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.to_list()
    } else if let Ok(list) = value.cast::<PyList>() {
        list.clone()
    } else {
        return Err(wrong_type(argument, expected, value));
    };
    if entries.len() != count {
        let got = format!("{} values", entries.len());
        return Err(Error::value(argument, expected, got).into());
    }
    Ok(entries)
}

/// An array of numbers with a given shape.
pub(super) fn of_shape<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
    expected: &[usize],
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = numbers(argument, value)?;
    if array.shape() == expected {
        return Ok(array);
    }
    Err(Error::shape(argument, expected, array.shape()).into())
}

/// y as an array with one entry per example; its elements are the cost's business.
#[pyfunction]
pub fn as_batch<'py>(y: &Bound<'py, PyAny>, n: usize) -> PyResult<Bound<'py, PyUntypedArray>> {
    guarded(|| {
        let array = as_array("y", y)?;
        if array.shape().first() != Some(&n) {
            let got = format!("shape {}", crate::base::error::ShapeDisplay(array.shape()));
            return Err(Error::value("y", format_args!("{n} entries").to_string(), got).into());
        }
        Ok(array)
    })
}
