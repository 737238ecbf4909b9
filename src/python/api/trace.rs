//! The class `Trace`: the result of a traced forward pass.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyTuple};

use crate::python::borrow::call_python::{call_method, repr};
use crate::python::call::errors::{guarded, guarded_object, wrong_type};

/// A forward pass: ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1), so ``a[0]`` is x.
///
/// Also a pair: ``z, a = net.trace(x)``.
#[pyclass(frozen, module = "bpfast", get_all, sequence)]
pub struct Trace {
    /// z^2, …, z^L, each (n, n_l).
    pub z: Py<PyList>,
    /// a^1 = x, a^2, …, a^L, each (n, n_l).
    pub a: Py<PyList>,
}

#[pymethods]
impl Trace {
    #[new]
    fn new(z: &Bound<'_, PyAny>, a: &Bound<'_, PyAny>) -> PyResult<Self> {
        guarded(|| {
            let list = |name: &str, value: &Bound<'_, PyAny>| match value.cast::<PyList>() {
                Ok(list) => Ok(list.clone().unbind()),
                Err(_) => Err(wrong_type(name, "a list of arrays", value)),
            };
            Ok(Self {
                z: list("z", z)?,
                a: list("a", a)?,
            })
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let lists = (self.z.clone_ref(py), self.a.clone_ref(py));
            Ok((py.get_type::<Self>(), lists).into_pyobject(py)?.into_any())
        })
    }

    #[allow(clippy::unused_self)] // an instance method in Python
    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let pair = PyTuple::new(index.py(), [&self.z, &self.a])?;
            call_method(&pair, "__getitem__", (index,))
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| PyTuple::new(py, [&self.z, &self.a])?.try_iter())
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(py, || {
            Ok(format!(
                "Trace(z={}, a={})",
                repr(self.z.bind(py))?,
                repr(self.a.bind(py))?
            ))
        })
    }
}
