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

use crate::base::alloc::{reserve_list, try_list};
use crate::base::error::{Error, Shape};
use crate::model::architecture::Architecture;
use crate::python::api::network::training::Last;
use crate::python::api::run::{Engine, ScratchSlot, ScratchSlots};
use crate::python::api::vector::{FlatVector, Views};
use crate::python::borrow::Element;
use crate::python::borrow::call_python::listed;
use crate::python::call::errors::{NOT_INITIALISED, guarded, wrong_type};
use crate::python::convert::arrays::numbers;
use crate::python::convert::config::{Config, Dtype, Name};

/// What `bpfast.Network` is in Rust. The public class is a subclass, in Python, with all that runs code
/// of the user's.
#[pyclass(name = "Network", module = "bpfast._core", frozen, subclass, weakref)]
pub struct PyNetwork {
    /// Not there between `__new__` and `__init__` of a subclass with an `__init__` of its own.
    parts: OnceLock<Parts>,
    /// Whether the class was called, and calls `__init__` next.
    pub is_new: AtomicBool,
    pub training: Last,
}

/// What a network is made of.
pub struct Parts {
    pub config: Config,
    pub vector: FlatVector,
    pub scratch_slots: ScratchSlots,
}

impl Parts {
    /// Those of a network whose parameters are 0.
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

    /// # Panics
    /// Nothing is there yet: [`guarded`] makes a RuntimeError of it.
    fn deref(&self) -> &Parts {
        self.parts
            .get()
            .unwrap_or_else(|| panic!("{}", NOT_INITIALISED))
    }
}

impl PyNetwork {
    /// A network with nothing in it.
    pub fn empty() -> Self {
        Self {
            parts: OnceLock::new(),
            is_new: AtomicBool::new(false),
            training: Last::default(),
        }
    }

    /// What it is made of, if that is there.
    pub fn parts(&self) -> Option<&Parts> {
        self.parts.get()
    }

    /// Puts `parts` in its place: whether nothing was there.
    pub fn fill(&self, parts: Parts) -> bool {
        self.parts.set(parts).is_ok()
    }

    /// Sizes, activations and cost.
    pub fn architecture(&self) -> &Arc<Architecture> {
        &self.config.architecture
    }

    /// The dtype of its numbers.
    pub fn dtype(&self) -> Dtype {
        self.vector.dtype
    }

    /// The network ready to be called.
    pub fn engine<'a, T: Element>(&'a self, scratch_slot: &'a ScratchSlot<T>) -> Engine<'a, T> {
        Engine {
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
    let entries = listed(value)?.ok_or_else(|| wrong_type(argument, expected, value))?;
    let array = |(k, entry)| numbers(&format!("{argument}[{k}]"), &entry);
    try_list(argument, entries.iter().enumerate().map(array))
}

/// n_1, …, n_L of a network with these parameters.
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
    reserve_list("sizes", &mut sizes, weights.len() + 1)?;
    for (k, (weight, bias)) in weights.iter().zip(biases).enumerate() {
        let &[n_out, n_in] = weight.shape() else {
            let got = format!("shape {}", Shape(weight.shape()));
            return Err(Error::value(format!("weights[{k}]"), "a matrix", got));
        };
        if n_in == 0 || n_out == 0 {
            let got = format!("shape {}", Shape(weight.shape()));
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
    /// hidden, output, cost
    ///     As for `Network`.
    /// dtype : dtype, optional
    ///     float32 or float64. Left out: float32 if all arrays are float32, else float64.
    ///
    /// Returns
    /// -------
    /// Network
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError, MemoryError
    ///     As for `Network`, and for arrays that do not fit together.
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

    /// The parameters as one writable vector, for each layer (W^l)ᵀ row by row, then b^l.
    ///
    /// Assigning to it copies the numbers in.
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
    /// Assigning a list of arrays, or an array to an item, copies the numbers in.
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
    /// Assigning a list of arrays, or an array to an item, copies the numbers in.
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

    /// The dtype of all its numbers.
    #[getter(dtype)]
    fn dtype_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArrayDescr>> {
        guarded(|| Ok(self.dtype().descr(py)))
    }

    /// The configuration, as the arguments of `Network` that would make it again.
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
