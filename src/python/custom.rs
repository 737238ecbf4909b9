//! Costs that are Python callables: `cost(a, y) -> (C_x, ∇_a C)`.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::arrays::{Element, as_array, input, numbers};
use super::borrow::ReadArray;
use super::errors::wrong_type;
use crate::error::Error;

/// What a callable made of a batch.
pub struct Called<'py, T: Element> {
    /// C_x, (n,).
    pub costs: ReadArray<'py, f64, Ix1>,
    /// ∇_a C_x, (n, n_L).
    pub nabla_a: ReadArray<'py, T, Ix2>,
}

/// Calls `cost` with the outputs `a`, (n, n_L), and with y as the user gave it.
///
/// # Errors
/// Its own exceptions; TypeError or ValueError for what it may not return.
pub fn call<'py, T: Element>(
    cost: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    shape: [usize; 2],
) -> PyResult<Called<'py, T>> {
    let [n, _] = shape;
    let y = as_batch(y, n)?;
    let result = cost.call1((a, y))?;
    let expected = "a pair (C_x, nabla_a)";
    if !(result.is_instance_of::<PyTuple>() || result.is_instance_of::<PyList>()) {
        return Err(wrong_type("cost", expected, &result));
    }
    if result.len()? != 2 {
        let got = format!("{} values", result.len()?);
        return Err(Error::value("cost", expected, got).into());
    }
    let (costs, nabla_a) = (result.get_item(0)?, result.get_item(1)?);
    check_shape("cost: C_x", &costs, &[n])?;
    check_shape("cost: nabla_a", &nabla_a, &shape)?;
    Ok(Called {
        costs: input::<f64, Ix1>("cost: C_x", &costs)?,
        nabla_a: input::<T, Ix2>("cost: nabla_a", &nabla_a)?,
    })
}

/// y as an array with one entry a example; what it holds is between the user and the callable.
pub fn as_batch<'py>(y: &Bound<'py, PyAny>, n: usize) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = as_array("y", y)?;
    if array.shape().first() != Some(&n) {
        let got = format!("shape {}", crate::error::Shape(array.shape()));
        return Err(Error::value("y", format_args!("{n} entries").to_string(), got).into());
    }
    Ok(array)
}

fn check_shape(argument: &str, value: &Bound<'_, PyAny>, expected: &[usize]) -> PyResult<()> {
    let array = numbers(argument, value)?;
    if array.shape() == expected {
        return Ok(());
    }
    Err(Error::shape(argument, expected, array.shape()).into())
}
