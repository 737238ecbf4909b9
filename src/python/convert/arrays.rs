//! Conversion of array arguments: one is borrowed if it is already C-contiguous and of the right dtype, else it
//! is converted once.

use numpy::ndarray::{Dimension, Ix1};
use numpy::{PyArray, PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyTuple};

use crate::base::error::Error;
use crate::data::labels::label_error;
use crate::python::borrow::call_python::{call, import_from, numpy_function};
use crate::python::borrow::{
    Access, Borrow, Element, MemoryOrder, NewArray, Number, ReadArray, contiguous, readonly,
    readonly_contiguous,
};
use crate::python::call::cached::Cached;

/// NumPy's largest number of dimensions.
const MAX_DIMENSIONS: usize = 64;

/// `value` as a C-contiguous, aligned array of `T` with the dimensions of `D`.
///
/// # Errors
/// TypeError if it is not of real numbers, ValueError for a wrong number of dimensions.
pub fn input<'py, T: Element, D: Dimension>(
    argument: &'static str,
    value: &Bound<'py, PyAny>,
) -> PyResult<ReadArray<'py, T, D>> {
    // The usual case, without calls of Python.
    if is_plain(value)
        && let Ok(array) = value.cast::<PyArray<T, D>>()
        && let Some(array) = readonly_contiguous(argument, array)?
    {
        return Ok(array);
    }
    let array = numbers(argument, value)?;
    let rank = D::NDIM.unwrap_or_default();
    if array.ndim() != rank {
        let hint = match (rank, array.ndim()) {
            (2, 1) => one_axis_hint(argument),
            (2, 3..) if argument == "x" => "; one row per example is x.reshape(len(x), -1)",
            (1, 2) if argument == "sample_weight" && array.shape()[1] == 1 => {
                "; one axis is .ravel()"
            }
            _ => "",
        };
        let shape = crate::base::error::ShapeDisplay(array.shape());
        return Err(Error::value(
            argument,
            format_args!("{rank} dimension{}", if rank == 1 { "" } else { "s" }),
            format_args!("shape {shape}{hint}"),
        )
        .into());
    }
    readonly(argument, convert::<T>(argument, &array)?.cast()?)
}

/// What to type instead of an `argument` of one axis.
fn one_axis_hint(argument: &str) -> &'static str {
    match argument {
        "x" => "; one example is x[None, :], one input per example x[:, None]",
        "v" => "; one example is v[None, :], one output per example v[:, None]",
        _ => "",
    }
}

/// Whether `value` is exactly an `ndarray`, which has no mask.
pub fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyUntypedArray>()
}

/// Whether `value` is a Python number, or a list or tuple of such, which has no mask either.
#[pyfunction]
pub fn is_plain_numbers(value: &Bound<'_, PyAny>) -> bool {
    has_plain_numbers(value, MAX_DIMENSIONS)
}

fn has_plain_numbers(value: &Bound<'_, PyAny>, depth: usize) -> bool {
    let entries = |entry: Bound<'_, PyAny>| depth > 0 && has_plain_numbers(&entry, depth - 1);
    if value.is_exact_instance_of::<PyFloat>() || value.is_exact_instance_of::<PyInt>() {
        true
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        list.iter().all(entries)
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        tuple.iter().all(entries)
    } else {
        value.is_exact_instance_of::<PyBool>()
    }
}

/// `value` as an array, converted as by `numpy.asarray`.
///
/// # Errors
/// ValueError if an element is masked; NumPy's errors if it cannot be an array.
pub fn as_array<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    static AS_ARRAY: Cached<PyAny> = Cached::new();
    let py = value.py();
    if is_plain(value) {
        return Ok(value.cast::<PyUntypedArray>()?.clone());
    }
    if is_plain_numbers(value)
        && let Ok(array) = call(&numpy_function(py, "asarray")?, (value,))
    {
        return Ok(array.cast_into()?);
    }
    let import = || import_from(py, "bpfast._validation.arrays.array_likes", "as_array");
    let array = call(AS_ARRAY.get_or_make(py, import)?, (argument, value))?;
    Ok(array.cast_into()?)
}

/// # Errors
/// ValueError if an element of `array` is masked.
pub fn refuse_masked(argument: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if is_plain(array) {
        return Ok(());
    }
    as_array(argument, array).map(|_| ())
}

/// `value` as an array of bool, integer or floating dtype.
///
/// # Errors
/// TypeError for object, string, complex and other dtypes; otherwise as for [`as_array`].
pub fn numbers<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let (py, array) = (value.py(), as_array(argument, value)?);
    if !matches!(array.dtype().kind(), b'b' | b'i' | b'u' | b'f') {
        let said = import_from(py, "bpfast._validation.arrays.no_numbers", "no_numbers")?;
        let error = call(&said, (argument, value, &array))?;
        return Err(PyErr::from_value(error));
    }
    Ok(array)
}

/// `array` as a plain, C-contiguous, aligned ndarray of `T`: the array itself, or a copy.
///
/// # Errors
/// Another call is writing to it.
fn convert<'py, T: numpy::Element>(
    argument: &str,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let borrow = Borrow::new(argument, array, Access::Read)?;
    let dtype = numpy::dtype::<T>(array.py());
    contiguous(argument, &borrow, array, Some(dtype), MemoryOrder::C)
}

/// Class labels as int64.
///
/// # Errors
/// A label is out of int64's range.
pub fn labels<'py>(
    argument: &'static str,
    array: &Bound<'py, PyUntypedArray>,
    width: usize,
) -> PyResult<ReadArray<'py, i64, Ix1>> {
    // The usual case: NumPy's `require` would take as long as a small gradient.
    if let Ok(int64) = array.cast::<PyArray1<i64>>()
        && let Some(int64) = readonly_contiguous(argument, int64)?
    {
        return Ok(int64);
    }
    if array.dtype().kind() == b'u' && array.dtype().itemsize() == 8 {
        let unsigned = convert::<u64>(argument, array)?;
        let unsigned = readonly(argument, unsigned.cast::<PyArray1<u64>>()?)?;
        let too_large = |&(_, &label): &(usize, &u64)| i64::try_from(label).is_err();
        if let Some((x, label)) = unsigned.as_slice()?.iter().enumerate().find(too_large) {
            return Err(label_error(x, width, label).into());
        }
    }
    readonly(argument, convert::<i64>(argument, array)?.cast()?)
}

/// The indices of a sparse matrix: a one-dimensional array of integers of type `I`.
///
/// # Errors
/// TypeError if it is not an array of integers, ValueError for a wrong number of dimensions.
pub fn integers<'py, I: numpy::Element>(
    argument: &'static str,
    value: &Bound<'py, PyAny>,
) -> PyResult<ReadArray<'py, I, Ix1>> {
    if is_plain(value)
        && let Ok(array) = value.cast::<PyArray1<I>>()
        && let Some(array) = readonly_contiguous(argument, array)?
    {
        return Ok(array);
    }
    let array = numbers(argument, value)?;
    if !matches!(array.dtype().kind(), b'i' | b'u') {
        let dtype = array.dtype();
        return Err(PyTypeError::new_err(format!(
            "{argument}: expected positions that are integers, got dtype {dtype}"
        )));
    }
    if array.ndim() != 1 {
        let got = format!("shape {}", crate::base::error::ShapeDisplay(array.shape()));
        return Err(Error::value(argument, "positions of 1 dimension", got).into());
    }
    readonly(argument, convert::<I>(argument, &array)?.cast()?)
}

/// # Errors
/// The array has another shape.
pub fn check_shape(argument: &str, expected: &[usize], got: &[usize]) -> PyResult<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::shape(argument, expected, got).into())
}

/// A new array of `numbers`. Raises MemoryError if memory runs out.
pub fn from_slice<'py, T: Number>(
    py: Python<'py>,
    numbers: &[T],
) -> PyResult<Bound<'py, PyArray1<T>>> {
    let mut array = NewArray::<T, Ix1>::empty(py, &[numbers.len()])?;
    array.as_slice_mut().copy_from_slice(numbers);
    Ok(array.into_array())
}
