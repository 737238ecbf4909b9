//! Assigning arrays to views: to one, or to all at once.

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::alloc::try_collect_results;
use crate::base::error::Error;
use crate::python::api::views::Views;
use crate::python::borrow::{assign, check_writeable, copied};
use crate::python::convert::arrays::numbers;

impl Views {
    /// Copies all `arrays` in, or none where one does not fit or a view is read-only.
    pub fn copy_all(
        &self,
        py: Python<'_>,
        arrays: &[Option<Bound<'_, PyUntypedArray>>],
    ) -> PyResult<()> {
        if arrays.len() != self.views.len() {
            let expected = format!("{} arrays", self.views.len());
            return Err(Error::value(self.name, expected, arrays.len()).into());
        }
        for (k, (view, array)) in self.views.iter().zip(arrays).enumerate() {
            let argument = format!("{}[{k}]", self.name);
            match (view, array) {
                (Some(view), Some(array)) if view.shape() != array.shape() => {
                    return Err(Error::shape(argument, view.shape(), array.shape()).into());
                }
                // The error of a None in place of an array.
                (Some(_), None) => {
                    numbers(&argument, &py.None().into_bound(py))?;
                }
                (None, Some(array)) => return Err(no_array(&argument, array)),
                _ => {}
            }
        }
        for view in self.views.iter().flatten() {
            check_writeable(self.name, &view.array(py)?)?;
        }
        // They may be views of this vector in another order.
        let copies = arrays.iter().map(|array| {
            let array = array.as_ref();
            array.map(|array| copied(self.name, array)).transpose()
        });
        let copies = try_collect_results(self.name, copies)?;
        for (k, (view, copy)) in self.views.iter().zip(&copies).enumerate() {
            if let (Some(view), Some(copy)) = (view, copy) {
                set(&format!("{}[{k}]", self.name), &view.array(py)?, copy)?;
            }
        }
        Ok(())
    }
}

/// target[...] = value, for a value of exactly the target's shape.
///
/// # Errors
/// TypeError if the value is not of real numbers; ValueError for another shape, a read-only target, or if
/// another call uses one of the arrays.
pub fn set(
    argument: &str,
    target: &Bound<'_, PyUntypedArray>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // `v[k] -= w` updates the view in place and then assigns it to itself.
    if target.is(value) {
        return Ok(());
    }
    let value = numbers(argument, value)?;
    if value.shape() != target.shape() {
        return Err(Error::shape(argument, target.shape(), value.shape()).into());
    }
    assign(argument, target, &value)
}

/// The error for an array where a layer has none.
pub(super) fn no_array(argument: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let got = value.get_type();
    let expected = "None, because the layer has no biases";
    let got = got
        .name()
        .map_or_else(|_| String::new(), |name| name.to_string());
    Error::value(argument, expected, got).into()
}
