//! The parameters of a network, or its gradient: one flat vector, and what users see of it.

use std::ops::Range;
use std::sync::Arc;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PySlice};

use super::arrays::{Element, numbers, numpy_function};
use super::borrow::{Access, AnyOwned, BorrowScope, Owned, check_writeable, hold};
use super::config::Dtype;
use crate::error::Error;
use crate::network::{Layer, Network};

/// A flat vector that lies as the parameters of a network do, and what users see of it: a view of
/// all, and a view of each W^l and b^l.
pub struct Vector {
    pub network: Arc<Network>,
    pub dtype: Dtype,
    numbers: AnyOwned,
    flat: PyOnceLock<Py<PyAny>>,
    weights: PyOnceLock<Py<Views>>,
    biases: PyOnceLock<Py<Views>>,
}

impl Vector {
    /// Zeros; MemoryError, which says for `what`, where they cannot be had.
    pub fn zeros(
        py: Python<'_>,
        what: &str,
        network: Arc<Network>,
        dtype: Dtype,
    ) -> PyResult<Self> {
        let length = network.n_params();
        let numbers = match dtype {
            Dtype::Float32 => AnyOwned::Float32(Owned::zeros(py, what, length)?),
            Dtype::Float64 => AnyOwned::Float64(Owned::zeros(py, what, length)?),
        };
        Ok(Self {
            network,
            dtype,
            numbers,
            flat: PyOnceLock::new(),
            weights: PyOnceLock::new(),
            biases: PyOnceLock::new(),
        })
    }

    /// Its numbers.
    ///
    /// # Errors
    /// `T` is not its dtype.
    pub fn numbers<T: Element>(&self) -> PyResult<&Owned<T>> {
        let message = "a vector of another dtype than its network's";
        T::of(&self.numbers).ok_or_else(|| PyTypeError::new_err(message))
    }

    fn base<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match &self.numbers {
            AnyOwned::Float32(numbers) => numbers.array(py).as_any(),
            AnyOwned::Float64(numbers) => numbers.array(py).as_any(),
        }
    }

    /// All of it as a view: the same object each time, unless the user has made that another one.
    pub fn flat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let view = || Ok::<_, PyErr>(self.base(py).call_method0("view")?.unbind());
        let flat = self.flat.get_or_try_init(py, view)?.bind(py);
        let (array, base) = (
            flat.cast::<PyUntypedArray>()?,
            self.base(py).cast::<PyUntypedArray>()?,
        );
        let same = (array.shape(), array.strides()) == (base.shape(), base.strides());
        if same && array.dtype().is_equiv_to(&self.dtype.descr(py)) {
            return Ok(flat.clone());
        }
        self.base(py).call_method0("view")
    }

    /// # Errors
    /// The user has made one of their views of it read-only.
    pub fn check_writeable(&self, py: Python<'_>, argument: &str) -> PyResult<()> {
        if let Some(flat) = self.flat.get(py) {
            check_writeable(argument, flat.bind(py).cast()?)?;
        }
        for views in [&self.weights, &self.biases] {
            for view in views.get(py).iter().flat_map(|views| &views.get().arrays) {
                check_writeable(argument, view.bind(py).cast()?)?;
            }
        }
        Ok(())
    }

    /// A copy of all numbers.
    ///
    /// # Errors
    /// Another call is writing to them.
    pub fn copied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        copied("params", self.base(py))
    }

    /// Copies `values` in.
    pub fn set_flat(&self, value: &Bound<'_, PyAny>, argument: &str) -> PyResult<()> {
        assign(argument, &self.flat(value.py())?, value)
    }

    /// Views of W^2, …, W^L, each (n_l, n_(l−1)).
    pub fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let view = |layer: &Layer| {
            let transposed = slice(self.base(py), &layer.weights)?;
            let shape = (layer.n_in, layer.n_out);
            transposed.call_method1("reshape", (shape,))?.getattr("T")
        };
        let make = || self.views(py, "weights", view);
        Ok(self.weights.get_or_try_init(py, make)?.clone_ref(py))
    }

    /// Views of b^2, …, b^L, each (n_l,).
    pub fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        let view = |layer: &Layer| slice(self.base(py), &layer.biases);
        let make = || self.views(py, "biases", view);
        Ok(self.biases.get_or_try_init(py, make)?.clone_ref(py))
    }

    fn views<'py>(
        &self,
        py: Python<'py>,
        name: &'static str,
        view: impl Fn(&Layer) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Py<Views>> {
        let layers = self.network.layers().iter();
        let arrays = layers.map(|layer| Ok(view(layer)?.unbind()));
        let arrays = arrays.collect::<PyResult<_>>()?;
        Py::new(py, Views { name, arrays })
    }
}

/// A copy of an array that no other call writes to meanwhile.
fn copied<'py>(argument: &str, array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let _borrow = hold(BorrowScope::new(), argument, array.cast()?, Access::Read)?;
    array.call_method0("copy")
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
/// TypeError for what is not real numbers, ValueError for another shape, a read-only target, or where
/// another call uses one of them.
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
    check_writeable(argument, target)?;
    let scope = BorrowScope::new(); // they may share memory, which NumPy knows to copy
    let _target = hold(scope, argument, target, Access::Write)?;
    let _value = hold(scope, argument, &value, Access::Read)?;
    numpy_function(py, "copyto")?.call1((target, value))?;
    Ok(())
}

/// The arrays W^2, …, W^L or b^2, …, b^L, as writable views of one flat vector.
///
/// A sequence: ``len``, iteration, index and slice give views; assigning to an item copies the
/// numbers in. Copied or pickled it becomes a list of arrays.
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
    /// The views, as a list.
    pub fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.arrays.iter().map(|array| array.bind(py)))
    }

    fn index(&self, index: &Bound<'_, PyAny>) -> PyResult<usize> {
        let length = self.arrays.len();
        let position = match index.extract::<isize>() {
            Ok(position) if position < 0 => position + length.cast_signed(),
            Ok(position) => position,
            // As of a list: no sequence is so long.
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
        self.arrays.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        if index.is_instance_of::<PySlice>() {
            return self.to_list(py)?.into_any().get_item(index);
        }
        let index = self.index(index)?;
        Ok(self.arrays[index].bind(py).clone())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let arrays = self.arrays.iter();
        let copies = arrays.map(|array| copied(self.name, array.bind(py)));
        let copies = PyList::new(py, copies.collect::<PyResult<Vec<_>>>()?)?;
        Ok((py.get_type::<PyList>(), (copies,))
            .into_pyobject(py)?
            .into_any())
    }

    fn __setitem__(&self, index: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let index = self.index(index)?;
        let argument = format!("{}[{index}]", self.name);
        assign(&argument, self.arrays[index].bind(value.py()), value)
    }

    fn __delitem__(&self, _index: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = format!("{}: a layer cannot be deleted", self.name);
        Err(PyTypeError::new_err(message))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.to_list(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.to_list(py)?.repr()?.to_string())
    }
}

impl Views {
    /// Copies all `arrays` in, or none where one does not fit or a view is read-only.
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
        for view in &self.arrays {
            check_writeable(self.name, view.bind(py).cast()?)?;
        }
        // They may be views of this very vector, in another order.
        let copies = arrays.iter().map(|array| copied(self.name, array.as_any()));
        let copies: Vec<_> = copies.collect::<PyResult<_>>()?;
        for (k, (view, copy)) in self.arrays.iter().zip(&copies).enumerate() {
            assign(&format!("{}[{k}]", self.name), view.bind(py), copy)?;
        }
        Ok(())
    }
}
