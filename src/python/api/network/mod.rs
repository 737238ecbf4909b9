//! The class `Network`.

mod calls;
pub mod constructor;
pub mod copying;
mod derivatives;
pub mod file_format;
mod from_parameters;
pub mod initialise;
pub mod saving;
mod taylor;
pub mod training;

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::base::alloc::try_collect;
use crate::model::architecture::Architecture;
use crate::python::api::flat_vector::FlatVector;
use crate::python::api::network::from_parameters::{arrays, bias_arrays};
use crate::python::api::network::training::LastTraining;
use crate::python::api::typed_network::{ScratchSlot, ScratchSlots, TypedNetwork};
use crate::python::api::views::Views;
use crate::python::borrow::Element;
use crate::python::call::errors::{NOT_INITIALISED, guarded};
use crate::python::convert::config::Config;
use crate::python::convert::dtype::Dtype;

/// The Rust part of `bpfast.Network`. The public class is a Python subclass, which has all methods that
/// call user code.
#[pyclass(name = "Network", module = "bpfast._core", frozen, subclass, weakref)]
pub struct PyNetwork {
    /// Empty between `__new__` and `__init__` of a subclass that has its own `__init__`.
    parts: OnceLock<NetworkParts>,
    /// Whether the class was called, so that `__init__` follows.
    pub is_new: AtomicBool,
    pub training: LastTraining,
}

/// The contents of a network.
pub struct NetworkParts {
    pub config: Config,
    pub vector: FlatVector,
    pub scratch_slots: ScratchSlots,
}

impl NetworkParts {
    /// The contents of a network whose parameters are 0.
    pub fn zeros(py: Python<'_>, config: Config, dtype: Dtype) -> PyResult<Self> {
        Ok(Self {
            vector: FlatVector::zeros(py, "params", Arc::clone(&config.architecture), dtype)?,
            config,
            scratch_slots: ScratchSlots::new(dtype),
        })
    }
}

impl Deref for PyNetwork {
    type Target = NetworkParts;

    /// # Panics
    /// The network is empty; [`guarded`] turns the panic into a RuntimeError.
    fn deref(&self) -> &NetworkParts {
        self.parts
            .get()
            .unwrap_or_else(|| panic!("{}", NOT_INITIALISED))
    }
}

impl PyNetwork {
    /// An empty network.
    pub fn empty() -> Self {
        Self {
            parts: OnceLock::new(),
            is_new: AtomicBool::new(false),
            training: LastTraining::default(),
        }
    }

    /// The contents, unless the network is empty.
    pub fn parts(&self) -> Option<&NetworkParts> {
        self.parts.get()
    }

    /// Sets the contents; false if they are already set.
    pub fn fill(&self, parts: NetworkParts) -> bool {
        self.parts.set(parts).is_ok()
    }

    /// Sizes, activations and cost.
    pub fn architecture(&self) -> &Arc<Architecture> {
        &self.config.architecture
    }

    /// The dtype of its parameters.
    pub fn dtype(&self) -> Dtype {
        self.vector.dtype
    }

    /// The network, prepared for a call.
    pub fn typed<'a, T: Element>(
        &'a self,
        scratch_slot: &'a ScratchSlot<T>,
    ) -> TypedNetwork<'a, T> {
        TypedNetwork {
            config: &self.config,
            params: &self.vector,
            scratch_slot,
        }
    }
}

#[pymethods]
impl PyNetwork {
    /// The parameters as one writable vector: for each layer (W^l)ᵀ, row-major, then b^l.
    ///
    /// Assignment copies the values in.
    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.vector.flat(py))
    }

    #[setter]
    pub fn set_params(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| self.vector.set_flat(value, "params"))
    }

    /// Writable views of `params`, where ``weights[k]`` is W^(k+2) of shape (n_(k+2), n_(k+1)).
    ///
    /// Assigning a list of arrays, or an array to an item, copies the values in.
    #[getter]
    fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        guarded(|| self.vector.weights(py))
    }

    #[setter]
    fn set_weights(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let arrays = arrays("weights", value)?;
            let arrays = try_collect("weights", arrays.into_iter().map(Some))?;
            self.vector
                .weights(value.py())?
                .get()
                .copy_all(value.py(), &arrays)
        })
    }

    /// Writable views of `params`, where ``biases[k]`` is b^(k+2) of shape (n_(k+2),), or None if that
    /// layer has no biases.
    ///
    /// Assigning a list of arrays, or an array to an item, copies the values in.
    #[getter]
    fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        guarded(|| self.vector.biases(py))
    }

    #[setter]
    fn set_biases(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let arrays = bias_arrays(value, self.architecture().layers().len())?;
            self.vector
                .biases(value.py())?
                .get()
                .copy_all(value.py(), &arrays)
        })
    }

    /// n_1, …, n_L.
    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        guarded(|| PyTuple::new(py, self.architecture().sizes()))
    }

    /// The dtype of all parameters.
    #[getter(dtype)]
    fn dtype_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArrayDescr>> {
        guarded(|| Ok(self.dtype().descr(py)))
    }

    /// The configuration, as keyword arguments that create the same network again.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> bpfast.Network([2, 3, 1], hidden="tanh").config["hidden"]
    /// ['tanh']
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| self.config.to_dict(py, self.dtype()))
    }
}
