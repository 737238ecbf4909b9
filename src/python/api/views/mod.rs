//! The class `Views`: the weights or the biases of all layers, as views of one flat vector.

mod assign;
mod search;

use numpy::PyUntypedArray;
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PySlice, PyString};

use crate::base::alloc::try_collect_results;
use crate::python::api::views::assign::no_array;
use crate::python::api::views::search::integer;
use crate::python::borrow::call_python::{self, call_method};
use crate::python::borrow::{View, check_writeable, copied};
use crate::python::call::errors::{guarded, guarded_object};

pub use assign::set;

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
