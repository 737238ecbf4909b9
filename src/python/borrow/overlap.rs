//! Arrays that are changed must share no memory: not with each other, not with what is read.

use std::borrow::Cow;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::super::arrays::numpy_function;
use super::{Bounds, bounds};
use crate::error::Error;

/// An array of a call, and where it lies.
pub struct Span<'py> {
    argument: Cow<'static, str>,
    array: Bound<'py, PyUntypedArray>,
    bounds: Bounds,
    is_changed: bool,
}

impl<'py> Span<'py> {
    /// `argument` names it.
    pub fn new(
        argument: Cow<'static, str>,
        array: Bound<'py, PyUntypedArray>,
        is_changed: bool,
    ) -> Self {
        let bounds = bounds(&array);
        Self {
            argument,
            array,
            bounds,
            is_changed,
        }
    }
}

/// # Errors
/// An array that is changed shares memory with another.
pub fn check_apart(mut spans: Vec<Span<'_>>) -> PyResult<()> {
    // In the order of their addresses, only the next ones can reach into an array.
    spans.sort_by_key(|span| (span.bounds.start, !span.is_changed));
    for (k, one) in spans.iter().enumerate() {
        let near = spans[k + 1..].iter();
        for other in near.take_while(|other| other.bounds.start < one.bounds.end) {
            let (changed, other) = if one.is_changed {
                (one, other)
            } else {
                (other, one)
            };
            // Only where the bounds cross can NumPy's exact, slower answer be yes.
            if changed.is_changed
                && changed.bounds.overlap(&other.bounds)
                && shares_memory(&changed.array, &other.array)?
            {
                let expected = format!("an array apart from {}", changed.argument);
                let got = "one that shares memory with it";
                return Err(Error::value(&other.argument, expected, got).into());
            }
        }
    }
    Ok(())
}

/// # Errors
/// Two numbers of `array`, which is to be changed, may share memory. What slices and transposes of
/// an array give passes; of what `as_strided` gives only what slices might have given.
pub fn check_spread(argument: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if array.is_contiguous() || array.len() == 0 {
        return Ok(());
    }
    let strides = array.strides().iter().map(|stride| stride.unsigned_abs());
    let axes = strides.zip(array.shape().iter().copied());
    let mut axes: Vec<_> = axes.filter(|&(_, length)| length > 1).collect();
    axes.sort_unstable();
    let mut reach = array.dtype().itemsize();
    for (stride, length) in axes {
        if stride < reach {
            let expected = "an array of which each number has a place of its own";
            let got = "one that overlaps itself";
            return Err(Error::value(argument, expected, got).into());
        }
        reach += stride * (length - 1);
    }
    Ok(())
}

/// # Errors
/// `out` shares memory with one of `inputs`, as the user gave them.
pub fn check_out_apart(
    out: &Bound<'_, PyUntypedArray>,
    inputs: &[Option<&Bound<'_, PyAny>>],
) -> PyResult<()> {
    let arrays = inputs
        .iter()
        .flatten()
        .filter_map(|input| input.cast::<PyUntypedArray>().ok());
    for input in arrays {
        // Only where the bounds cross can NumPy's exact, slower answer be yes.
        if bounds(input).overlap(&bounds(out)) && shares_memory(out, input)? {
            let message =
                "out: expected an array apart from the inputs, got one that overlaps them";
            return Err(PyValueError::new_err(message));
        }
    }
    Ok(())
}

/// Whether a byte of one array is a byte of the other: exact, and slow.
fn shares_memory(
    one: &Bound<'_, PyUntypedArray>,
    other: &Bound<'_, PyUntypedArray>,
) -> PyResult<bool> {
    let shares = numpy_function(one.py(), "shares_memory")?;
    shares.call1((one, other))?.is_truthy()
}
