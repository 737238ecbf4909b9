//! The parameters of a network, or its gradient: one flat vector, and what users see of it.

use std::ops::Range;
use std::sync::Arc;

use numpy::{PyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PySlice};

use super::arrays::{Element, check_writeable, empty, numbers, numpy_function};
use super::config::Dtype;
use crate::error::Error;
use crate::network::{Layer, Network};

/// A flat NumPy vector that lies as the parameters of a network do, and what users see of it: a
/// view of all, and a view of each W^l and b^l. Users get views only, so the vector itself keeps
/// its shape and dtype whatever they do to theirs.
pub struct Vector {
    pub network: Arc<Network>,
    pub dtype: Dtype,
    base: Py<PyAny>,
    flat: PyOnceLock<Py<PyAny>>,
    weights: PyOnceLock<Py<Views>>,
    biases: PyOnceLock<Py<Views>>,
}

impl Vector {
    /// A vector whose numbers are not set.
    pub fn empty(py: Python<'_>, network: Arc<Network>, dtype: Dtype) -> PyResult<Self> {
        let shape = [network.n_params()];
        let base = match dtype {
            Dtype::Float32 => empty::<f32, numpy::Ix1>(py, &shape)?.into_any(),
            Dtype::Float64 => empty::<f64, numpy::Ix1>(py, &shape)?.into_any(),
        };
        Ok(Self {
            network,
            dtype,
            base: base.unbind(),
            flat: PyOnceLock::new(),
            weights: PyOnceLock::new(),
            biases: PyOnceLock::new(),
        })
    }

    /// The vector itself.
    ///
    /// # Errors
    /// `T` is not its dtype.
    pub fn array<'py, T: Element>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<T>>> {
        Ok(self.base.bind(py).cast::<PyArray1<T>>()?.clone())
    }

    /// All of it as a view.
    pub fn flat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let view = || Ok::<_, PyErr>(self.base.bind(py).call_method0("view")?.unbind());
        Ok(self.flat.get_or_try_init(py, view)?.bind(py).clone())
    }

    /// # Errors
    /// The user has made their view of it read-only.
    pub fn check_writeable<T: Element>(&self, py: Python<'_>) -> PyResult<()> {
        match self.flat.get(py) {
            Some(flat) => check_writeable(flat.bind(py).cast::<PyArray1<T>>()?),
            None => Ok(()),
        }
    }

    /// Copies `values` in.
    pub fn set_flat(&self, value: &Bound<'_, PyAny>, argument: &str) -> PyResult<()> {
        let flat = self.flat(value.py())?;
        assign(argument, &flat, value)
    }

    /// Views of W^2, …, W^L, each (n_l, n_(l−1)).
    pub fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let make = || {
            let base = self.base.bind(py);
            let view = |layer: &Layer| {
                let transposed = slice(base, &layer.weights)?;
                let shape = (layer.n_in, layer.n_out);
                let matrix = transposed.call_method1("reshape", (shape,))?;
                Ok(matrix.getattr("T")?.unbind())
            };
            let arrays = self
                .network
                .layers()
                .iter()
                .map(view)
                .collect::<PyResult<_>>()?;
            Py::new(
                py,
                Views {
                    name: "weights",
                    arrays,
                },
            )
        };
        Ok(self.weights.get_or_try_init(py, make)?.clone_ref(py))
    }

    /// Views of b^2, …, b^L, each (n_l,).
    pub fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let make = || {
            let base = self.base.bind(py);
            let view = |layer: &Layer| Ok(slice(base, &layer.biases)?.unbind());
            let arrays = self
                .network
                .layers()
                .iter()
                .map(view)
                .collect::<PyResult<_>>()?;
            Py::new(
                py,
                Views {
                    name: "biases",
                    arrays,
                },
            )
        };
        Ok(self.biases.get_or_try_init(py, make)?.clone_ref(py))
    }
}

fn slice<'py>(array: &Bound<'py, PyAny>, range: &Range<usize>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let bounds = (range.start, range.end).into_pyobject(py)?;
    let (start, stop) = (bounds.get_item(0)?, bounds.get_item(1)?);
    let slice = py.get_type::<PySlice>().call1((start, stop))?;
    array.get_item(slice)
}

/// target[...] = value, for a value of exactly the target's shape.
///
/// # Errors
/// TypeError for what is not real numbers, ValueError for another shape or a read-only target.
fn assign(argument: &str, target: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // `v[k] -= w` changes the view in place and then assigns it to itself.
    if target.is(value) {
        return Ok(());
    }
    let py = target.py();
    let value = numbers(argument, value)?;
    let target = target.cast::<PyUntypedArray>()?;
    if value.shape() != target.shape() {
        return Err(Error::shape(argument, target.shape(), value.shape()).into());
    }
    numpy_function(py, "copyto")?.call1((target, value))?;
    Ok(())
}

/// The arrays W^2, …, W^L or b^2, …, b^L, as writable views of one flat vector.
///
/// A sequence: ``len``, iteration, index and slice give views; assigning to an item copies the
/// numbers in.
///
/// Raises
/// ------
/// ValueError
///     An assigned array has another shape.
/// TypeError
///     An assigned array is not of real numbers; items cannot be deleted or added.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([3, 2], init="zeros")
/// >>> net.weights[0] = [[1, 2, 3], [4, 5, 6]]
/// >>> net.weights[0] *= 2
/// >>> net.params
/// array([ 2.,  8.,  4., 10.,  6., 12.,  0.,  0.])
#[pyclass(frozen, module = "bpfast", sequence)]
pub struct Views {
    name: &'static str,
    arrays: Vec<Py<PyAny>>,
}

impl Views {
    /// A list of copies of nothing: the views themselves.
    pub fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.arrays.iter().map(|array| array.bind(py)))
    }

    fn index(&self, index: isize) -> PyResult<usize> {
        let length = self.arrays.len();
        let wrapped = if index < 0 {
            index + length.cast_signed()
        } else {
            index
        };
        usize::try_from(wrapped)
            .ok()
            .filter(|&index| index < length)
            .ok_or_else(|| {
                PyIndexError::new_err(format!("{}: index {index} of {length} layers", self.name))
            })
    }
}

#[pymethods]
impl Views {
    fn __len__(&self) -> usize {
        self.arrays.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        if index.is_instance_of::<PySlice>() {
            return self.to_list(py)?.into_any().get_item(index);
        }
        let index = self.index(index.extract()?)?;
        Ok(self.arrays[index].bind(py).clone())
    }

    fn __setitem__(&self, index: isize, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let index = self.index(index)?;
        let argument = format!("{}[{index}]", self.name);
        assign(&argument, self.arrays[index].bind(value.py()), value)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.to_list(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.to_list(py)?.repr()?.to_string())
    }
}

impl Views {
    /// Copies all `arrays` in, or none where one does not fit.
    pub fn copy_all(&self, py: Python<'_>, arrays: &[Bound<'_, PyUntypedArray>]) -> PyResult<()> {
        if arrays.len() != self.arrays.len() {
            let expected = format!("{} arrays", self.arrays.len());
            return Err(Error::value(self.name, expected, arrays.len()).into());
        }
        let pairs = || self.arrays.iter().zip(arrays).enumerate();
        for (k, (view, array)) in pairs() {
            let expected = view.bind(py).cast::<PyUntypedArray>()?.shape();
            if array.shape() != expected {
                let argument = format!("{}[{k}]", self.name);
                return Err(Error::shape(argument, expected, array.shape()).into());
            }
        }
        for (k, (view, array)) in pairs() {
            assign(&format!("{}[{k}]", self.name), view.bind(py), array)?;
        }
        Ok(())
    }
}
