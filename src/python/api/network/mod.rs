//! The class `Network`.

mod calls;
pub mod constructor;
pub mod copying;
pub mod initialise;
pub mod saving;
pub mod training;

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::base::alloc::{try_collect_results, try_reserve};
use crate::base::error::{Error, ShapeDisplay};
use crate::model::architecture::Architecture;
use crate::python::api::flat_vector::FlatVector;
use crate::python::api::network::training::LastTraining;
use crate::python::api::typed_network::{ScratchSlot, ScratchSlots, TypedNetwork};
use crate::python::api::views::Views;
use crate::python::borrow::Element;
use crate::python::borrow::call_python::try_to_list;
use crate::python::call::errors::{NOT_INITIALISED, guarded, wrong_type};
use crate::python::convert::arrays::numbers;
use crate::python::convert::config::{Config, Dtype, Name};

/// The Rust part of `bpfast.Network`. The public class is a Python subclass, which has all methods that
/// call user code.
#[pyclass(name = "Network", module = "bpfast._core", frozen, subclass, weakref)]
pub struct PyNetwork {
    /// Empty between `__new__` and `__init__` of a subclass that has its own `__init__`.
    parts: OnceLock<Parts>,
    /// Whether the class was called, so that `__init__` follows.
    pub is_new: AtomicBool,
    pub training: LastTraining,
}

/// The contents of a network.
pub struct Parts {
    pub config: Config,
    pub vector: FlatVector,
    pub scratch_slots: ScratchSlots,
}

impl Parts {
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
    type Target = Parts;

    /// # Panics The network is empty; [`guarded`] turns the panic into a RuntimeError.
    fn deref(&self) -> &Parts {
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
    pub fn parts(&self) -> Option<&Parts> {
        self.parts.get()
    }

    /// Sets the contents; false if they are already set.
    pub fn fill(&self, parts: Parts) -> bool {
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

/// The arrays in the list `value`.
fn arrays<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyUntypedArray>>> {
    let expected = "a list of arrays, one per layer";
    let entries = try_to_list(value)?.ok_or_else(|| wrong_type(argument, expected, value))?;
    let array = |(k, entry)| numbers(&format!("{argument}[{k}]"), &entry);
    try_collect_results(argument, entries.iter().enumerate().map(array))
}

/// The sizes n_1, …, n_L that these parameters imply.
fn sizes_of(
    weights: &[Bound<'_, PyUntypedArray>],
    biases: &[Bound<'_, PyUntypedArray>],
) -> Result<Vec<usize>, Error> {
    if weights.is_empty() {
        return Err(Error::value("weights", "one matrix or more", "none"));
    }
    if biases.len() != weights.len() {
        let expected = format!("{} vectors, one per matrix of weights", weights.len());
        return Err(Error::value("biases", expected, biases.len()));
    }
    let mut sizes = Vec::new();
    try_reserve("sizes", &mut sizes, weights.len() + 1)?;
    for (k, (weight, bias)) in weights.iter().zip(biases).enumerate() {
        let &[n_out, n_in] = weight.shape() else {
            let got = format!("shape {}", ShapeDisplay(weight.shape()));
            return Err(Error::value(format!("weights[{k}]"), "a matrix", got));
        };
        if n_in == 0 || n_out == 0 {
            let got = format!("shape {}", ShapeDisplay(weight.shape()));
            let expected = "a matrix with no side of 0";
            return Err(Error::value(format!("weights[{k}]"), expected, got));
        }
        let expected = *sizes.last().unwrap_or(&n_in);
        if n_in != expected {
            let (expected, got) = ([n_out, expected], [n_out, n_in]);
            return Err(Error::shape(format!("weights[{k}]"), &expected, &got));
        }
        if bias.shape() != [n_out] {
            return Err(Error::shape(format!("biases[{k}]"), &[n_out], bias.shape()));
        }
        if k == 0 {
            sizes.push(n_in);
        }
        sizes.push(n_out);
    }
    Ok(sizes)
}

#[pymethods]
impl PyNetwork {
    /// A network with copies of the given parameters.
    ///
    /// Parameters
    /// ----------
    /// weights, biases : sequence of array_like
    ///     W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,).
    /// hidden : str or list of str, default "sigmoid"
    ///     σ of the hidden layers: one name for all, or a list with one name for each. Any of
    ///     `bpfast.ACTIVATIONS` except softmax.
    /// output : str, default "sigmoid"
    ///     σ of the output layer. One of `bpfast.ACTIVATIONS`.
    /// cost : str or callable, default "quadratic"
    ///     One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with C_x of shape (n,) and
    ///     nabla_a = ∇_a C_x of shape (n, n_L).
    /// dtype : dtype, optional
    ///     float32 or float64. By default float32 if all arrays are float32, else float64.
    ///
    /// Returns
    /// -------
    /// Network
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     Shapes do not match, a name is unknown, softmax is used in a hidden layer or for a single
    ///     output, or the output does not go with the cost.
    /// TypeError
    ///     An array is not of real numbers, or another argument has the wrong type.
    /// MemoryError
    ///     The parameters cannot be allocated.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network.from_parameters([[[2.0]]], [[1.0]], output="identity")
    /// >>> net.forward([[3.0]])
    /// array([[7.]])
    #[classmethod]
    #[pyo3(
        signature = (weights, biases, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), dtype=None),
        text_signature = "(weights, biases, *, hidden='sigmoid', output='sigmoid', cost='quadratic', dtype=None)"
    )]
    #[allow(clippy::too_many_arguments)] // as Python calls it
    fn from_parameters<'py>(
        cls: &Bound<'py, PyType>,
        weights: &Bound<'py, PyAny>,
        biases: &Bound<'py, PyAny>,
        hidden: Name<'py>,
        output: Name<'py>,
        cost: Name<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        guarded(|| {
            let py = cls.py();
            let (weights, biases) = (arrays("weights", weights)?, arrays("biases", biases)?);
            let sizes = sizes_of(&weights, &biases)?;
            let dtype = match dtype {
                Some(dtype) => Dtype::parse(dtype)?,
                None => Dtype::common(weights.iter().chain(&biases)),
            };
            let config = Config::parse(py, &sizes, hidden, &output, cost)?;
            let architecture = Self::zeros_of(cls, config, dtype)?;
            let vector = &architecture.get().vector;
            vector.weights(py)?.get().copy_all(py, &weights)?;
            vector.biases(py)?.get().copy_all(py, &biases)?;
            Ok(architecture)
        })
    }

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
            self.vector
                .weights(value.py())?
                .get()
                .copy_all(value.py(), &arrays)
        })
    }

    /// Writable views of `params`, where ``biases[k]`` is b^(k+2) of shape (n_(k+2),).
    ///
    /// Assigning a list of arrays, or an array to an item, copies the values in.
    #[getter]
    fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        guarded(|| self.vector.biases(py))
    }

    #[setter]
    fn set_biases(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let arrays = arrays("biases", value)?;
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
