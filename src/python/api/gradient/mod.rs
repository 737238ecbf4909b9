//! The class `Gradient`.

mod operators;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::model::architecture::Architecture;
use crate::python::api::flat_vector::FlatVector;
use crate::python::api::views::Views;
use crate::python::borrow::call_python::{call, call_method, call_with, import_from};
use crate::python::call::errors::{as_wrong_type, guarded, guarded_object, wrong_type};
use crate::python::call::text::text;
use crate::python::convert::dtype::Dtype;

/// The gradient of a network's cost: C, ∂C/∂W^l and ∂C/∂b^l for l = 2 … L.
///
/// ``Gradient(net)`` is the zero gradient of a network, a place for ``net.backprop(..., out=)``.
/// Its numbers are one flat vector in the order of ``net.params``.
///
/// NumPy takes a gradient as that vector: ``np.asarray(g)`` is ``g.flat``, ``0.1 * g`` and ``g + h`` are
/// arrays. ``g *= 0.5`` and the like change its numbers in place; they do not change `cost`.
///
/// Parameters
/// ----------
/// net : Network
///     The network that determines sizes and dtype.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
/// >>> net.weights[0][:] = 2
/// >>> g = net.backprop([[3.0]], [[5.0]])  # a = 6, C = (6 - 5)²/2
/// >>> g.cost, g.weights[0], g.biases[0]
/// (0.5, array([[3.]]), array([1.]))
/// >>> 2 * g
/// array([6., 2.])
/// >>> net.params -= 0.1 * g
#[allow(rustdoc::broken_intra_doc_links)] // a Python docstring
#[pyclass(frozen, module = "bpfast")]
pub struct Gradient {
    pub vector: FlatVector,
    cost: AtomicU64,
}

impl Gradient {
    /// A zero gradient.
    pub fn zeros(py: Python<'_>, architecture: &Arc<Architecture>, dtype: Dtype) -> PyResult<Self> {
        Ok(Self {
            vector: FlatVector::zeros(py, "gradient", Arc::clone(architecture), dtype)?,
            cost: AtomicU64::new(0.0_f64.to_bits()),
        })
    }

    /// C.
    fn cost_value(&self) -> f64 {
        f64::from_bits(self.cost.load(Ordering::Relaxed))
    }

    /// Sets C.
    pub fn set_cost(&self, cost: f64) {
        self.cost.store(cost.to_bits(), Ordering::Relaxed);
    }

    /// # Errors
    /// The sizes or the dtype differ from the network's.
    pub fn check(&self, architecture: &Architecture, dtype: Dtype) -> PyResult<()> {
        if self.vector.dtype != dtype {
            let (expected, got) = (dtype.name(), self.vector.dtype.name());
            let message = format!("out: expected a gradient of dtype {expected}, got {got}");
            return Err(PyTypeError::new_err(message));
        }
        let (expected, got) = (architecture.sizes(), self.vector.architecture.sizes());
        if expected != got {
            let message = format!("out: expected a gradient of sizes {expected:?}, got {got:?}");
            return Err(PyValueError::new_err(message));
        }
        Ok(())
    }
}

#[pymethods]
impl Gradient {
    /// A copy with its own memory.
    ///
    /// Returns
    /// -------
    /// Gradient
    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| call_method(slf.py().import("copy")?.as_any(), "copy", (slf,)))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let sizes = PyTuple::new(py, self.vector.architecture.sizes())?;
            let options = PyDict::new(py);
            options.set_item("dtype", self.vector.dtype.name())?;
            options.set_item("init", "zeros")?;
            let class = import_from(py, "bpfast", "Network")?;
            let net = call_with(&class, (sizes,), Some(&options))?;
            let state = (self.vector.copied(py)?, self.cost_value());
            Ok((py.get_type::<Self>(), (net,), state)
                .into_pyobject(py)?
                .into_any())
        })
    }

    fn __setstate__(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let Ok((flat, cost)) = state.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else {
                return Err(wrong_type("state", "a pair of flat and cost", state));
            };
            let value = cost
                .extract()
                .map_err(|error| as_wrong_type(error, "cost", "a float", &cost))?;
            self.vector.set_flat(&flat, "flat")?;
            self.set_cost(value);
            Ok(())
        })
    }

    /// C, the cost of the batch.
    #[getter]
    fn cost<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(py, || Ok(self.cost_value()))
    }

    /// All partial derivatives as one vector, in the order of ``net.params``.
    ///
    /// Assigning to it copies the numbers in.
    #[getter]
    fn flat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.vector.flat(py))
    }

    #[setter]
    fn set_flat(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| self.vector.set_flat(value, "flat"))
    }

    /// ``weights[k]`` is ∂C/∂W^(k+2), of the shape of ``net.weights[k]``.
    #[getter]
    fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        guarded(|| self.vector.weights(py))
    }

    /// ``biases[k]`` is ∂C/∂b^(k+2), of the shape of ``net.biases[k]``; None for a layer without biases.
    #[getter]
    fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        guarded(|| self.vector.biases(py))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            call(
                &import_from(slf.py(), "bpfast._tables", "gradient_html")?,
                (slf,),
            )
        })
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        guarded(|| {
            let text = text(
                "repr",
                format_args!(
                    "<bpfast.Gradient cost={}, sizes={:?}, {}>",
                    self.cost_value(),
                    self.vector.architecture.sizes(),
                    self.vector.dtype.name()
                ),
            )?;
            PyString::from_bytes(py, text.as_bytes())
        })
    }
}
