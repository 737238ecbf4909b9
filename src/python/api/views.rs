//! The class `Views`: the weights or the biases of all layers, as views of one flat vector.

use std::ops::Range;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PySlice, PyString};

use crate::base::alloc::try_collect_results;
use crate::base::error::Error;
use crate::python::borrow::call_python::{self, call, call_method, numpy_function};
use crate::python::borrow::{View, assign, check_writeable, copied};
use crate::python::call::errors::{guarded, guarded_object, wrong_type};
use crate::python::convert::arrays::numbers;

/// The arrays W^2, …, W^L or b^2, …, b^L, as writable views of one flat vector.
///
/// A `collections.abc.Sequence`: ``len``, iteration, index and slice give views; assigning to an item
/// copies the numbers in. ``in``, `index` and `count` look for an array of the same shape and numbers.
/// Copied or pickled it becomes a list of arrays.
///
/// Raises
/// ------
/// ValueError
///     An assigned array has another shape.
/// TypeError
///     An assigned array is not of real numbers, or an item is deleted or added.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([3, 2], init="zeros")
/// >>> net.weights[0] = [[1, 2, 3], [4, 5, 6]]
/// >>> net.weights[0] *= 2
/// >>> net.params
/// array([ 2.,  8.,  4., 10.,  6., 12.,  0.,  0.])
#[allow(rustdoc::broken_intra_doc_links)] // a Python docstring
#[pyclass(frozen, module = "bpfast", sequence)]
pub struct Views {
    name: &'static str,
    /// None for a layer that has no such array.
    views: Vec<Option<View>>,
}

impl Views {
    /// The views called `name` in errors.
    pub fn new(name: &'static str, views: Vec<Option<View>>) -> Self {
        Self { name, views }
    }

    /// # Errors
    /// The user has made one of the views read-only.
    pub fn check_writeable(&self, py: Python<'_>, argument: &str) -> PyResult<()> {
        let views = self.views.iter().flatten();
        let arrays = views.filter_map(|view| view.existing(py));
        for array in arrays {
            check_writeable(argument, array)?;
        }
        Ok(())
    }

    /// The views, as a list.
    pub fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let arrays = (0..self.views.len()).map(|k| self.array(py, k));
        PyList::new(py, try_collect_results(self.name, arrays)?)
    }

    /// The array at `k`, or None if that layer has none.
    fn array<'py>(
        &self,
        py: Python<'py>,
        k: usize,
    ) -> PyResult<Option<Bound<'py, PyUntypedArray>>> {
        self.views[k]
            .as_ref()
            .map(|view| view.array(py))
            .transpose()
    }

    fn position(&self, index: &Bound<'_, PyAny>) -> PyResult<usize> {
        let length = self.views.len();
        let index = call_python::index(index)?;
        let position = match index.extract::<isize>() {
            Ok(position) if position < 0 => position + length.cast_signed(),
            Ok(position) => position,
            // Like a list: no sequence is that long.
            Err(error) if error.is_instance_of::<PyOverflowError>(index.py()) => -1,
            Err(error) => return Err(error),
        };
        usize::try_from(position)
            .ok()
            .filter(|&position| position < length)
            .ok_or_else(|| {
                PyIndexError::new_err(format!("{}: index {index} of {length} layers", self.name))
            })
    }
}

#[pymethods]
impl Views {
    fn __len__(&self) -> usize {
        self.views.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let py = index.py();
            if index.is_instance_of::<PySlice>() {
                return call_method(self.to_list(py)?.as_any(), "__getitem__", (index,));
            }
            let index = self.position(index)?;
            Ok(self.array(py, index)?.into_pyobject(py)?.into_any())
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let copies = (0..self.views.len()).map(|k| {
                let array = self.array(py, k)?;
                array.map(|array| copied(self.name, &array)).transpose()
            });
            let copies = PyList::new(py, try_collect_results(self.name, copies)?)?;
            Ok((py.get_type::<PyList>(), (copies,))
                .into_pyobject(py)?
                .into_any())
        })
    }

    fn __setitem__(&self, index: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let index = self.position(index)?;
            let argument = format!("{}[{index}]", self.name);
            match self.array(value.py(), index)? {
                Some(array) => set(&argument, &array, value),
                None if value.is_none() => Ok(()),
                None => Err(no_array(&argument, value)),
            }
        })
    }

    fn __delitem__(&self, _index: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let message = format!("{}: a layer cannot be deleted", self.name);
            Err(PyTypeError::new_err(message))
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| self.to_list(py)?.try_iter())
    }

    fn __reversed__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| call_method(self.to_list(py)?.as_any(), "__reversed__", ()))
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        guarded(|| Ok(self.first_equal(value, 0..self.views.len())?.is_some()))
    }

    /// The index of the first array with the shape and numbers of `value`.
    ///
    /// Parameters
    /// ----------
    /// value : array_like
    ///     What to look for.
    /// start, stop : int, optional
    ///     The part to look in, as of `list.index`.
    ///
    /// Returns
    /// -------
    /// int
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     No array equals it.
    #[pyo3(
        signature = (value, start=None, stop=None, /),
        text_signature = "($self, value, start=0, stop=sys.maxsize, /)"
    )]
    fn index<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        start: Option<&Bound<'py, PyAny>>,
        stop: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        guarded_object(py, || {
            let length = self.views.len().cast_signed();
            let bounds = (integer("start", start)?, integer("stop", stop)?, py.None());
            let part = py.get_type::<PySlice>().call1(bounds)?;
            let part = part.cast_into::<PySlice>()?.indices(length)?;
            let part = part.start.unsigned_abs()..part.stop.unsigned_abs();
            self.first_equal(value, part)?.ok_or_else(|| {
                let name = self.name;
                PyValueError::new_err(format!(
                    "value: expected one of the arrays of {name}, got another"
                ))
            })
        })
    }

    /// The number of arrays with the shape and numbers of `value`.
    ///
    /// Parameters
    /// ----------
    /// value : array_like
    ///     What to look for.
    ///
    /// Returns
    /// -------
    /// int
    fn count<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(value.py(), || {
            (0..self.views.len()).try_fold(0_usize, |count, k| {
                Ok(count + usize::from(self.equals(k, value)?))
            })
        })
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        guarded(|| call_python::repr(self.to_list(py)?.as_any()))
    }
}

impl Views {
    /// Whether view `k` is `value`, or has its shape and numbers.
    fn equals(&self, k: usize, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(array) = self.array(value.py(), k)? else {
            return Ok(value.is_none());
        };
        if array.is(value) {
            return Ok(true);
        }
        let array_equal = numpy_function(value.py(), "array_equal")?;
        call(&array_equal, (array, value))?.is_truthy()
    }

    fn first_equal(&self, value: &Bound<'_, PyAny>, part: Range<usize>) -> PyResult<Option<usize>> {
        for k in part {
            if self.equals(k, value)? {
                return Ok(Some(k));
            }
        }
        Ok(None)
    }

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
fn no_array(argument: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let got = value.get_type();
    let expected = "None, because the layer has no biases";
    let got = got
        .name()
        .map_or_else(|_| String::new(), |name| name.to_string());
    Error::value(argument, expected, got).into()
}

/// `operator.index(value)`, with an error that names the argument.
fn integer<'py>(
    argument: &str,
    value: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let index = |value| {
        call_python::index(value).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(value.py()) {
                wrong_type(argument, "an integer", value)
            } else {
                error
            }
        })
    };
    value.map(index).transpose()
}
