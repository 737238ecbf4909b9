//! Copies by NumPy, which may release the GIL for them: the memory is borrowed meanwhile.

use numpy::{PyArrayDescr, PyUntypedArray};
use pyo3::prelude::*;

use crate::python::borrow::call_python::{call, call_method, import_from};
use crate::python::borrow::header::{Bounds, MemoryOrder, check_writeable};
use crate::python::borrow::table::{Access, Borrow, ScopeId};

/// The module of NumPy's functions that convert dtypes, for any error state of the user's program.
const CONVERSIONS: &str = "bpfast._underflow";

/// A copy of an array.
///
/// # Errors
/// Another call is writing to it.
pub fn copied<'py>(
    argument: &str,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    let _borrow = Borrow::new(argument, array, Access::Read)?;
    call_method(array, "copy", ())
}

/// An array as an aligned, contiguous one in this order, of a given dtype or its own: the array itself as a
/// plain ndarray, or a copy.
///
/// # Errors
/// `borrow` does not cover it, as it was changed in place; or NumPy's errors: no memory, no such
/// conversion.
pub fn contiguous<'py>(
    argument: &str,
    borrow: &Borrow,
    array: &Bound<'py, PyUntypedArray>,
    dtype: Option<Bound<'py, PyArrayDescr>>,
    order: MemoryOrder,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    borrow.check_covers(argument, array)?;
    let layout = match order {
        MemoryOrder::C => "C_CONTIGUOUS",
        MemoryOrder::Fortran => "F_CONTIGUOUS",
    };
    let require = import_from(array.py(), CONVERSIONS, "require")?;
    let contiguous = call(&require, (array, dtype, [layout, "ALIGNED", "ENSUREARRAY"]))?;
    Ok(contiguous.cast_into()?)
}

/// target[...] = value. They may share memory.
///
/// # Errors
/// The target is read-only, or another call uses one of them.
pub fn assign(
    argument: &str,
    target: &Bound<'_, PyUntypedArray>,
    value: &Bound<'_, PyUntypedArray>,
) -> PyResult<()> {
    check_writeable(argument, target)?;
    let scope = Some(ScopeId::new());
    let bounds = Bounds::of(argument, target)?;
    let borrow = Borrow::of_bounds(argument, bounds, Access::Write, scope)?;
    let bounds = Bounds::of(argument, value)?;
    let _value = Borrow::of_bounds(argument, bounds, Access::Read, scope)?;
    fill(argument, &borrow, target, value)
}

/// target[...] = value, for a value that nobody else uses.
///
/// # Errors
/// `borrow` does not cover the target, as it was changed in place; or NumPy's errors.
pub fn fill(
    argument: &str,
    borrow: &Borrow,
    target: &Bound<'_, PyUntypedArray>,
    value: &Bound<'_, PyUntypedArray>,
) -> PyResult<()> {
    borrow.check_covers(argument, target)?;
    call(
        &import_from(target.py(), CONVERSIONS, "copyto")?,
        (target, value),
    )?;
    Ok(())
}
