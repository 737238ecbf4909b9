//! The class `Network`.

use std::sync::Arc;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::arrays::{Element, numbers};
use super::config::{Config, Dtype, Named, parse_sizes};
use super::errors::wrong_type;
use super::initialise;
use super::results::{Gradient, Trace, Vector, Views};
use super::run::{Engine, Slot, Slots, with_engine};
use super::targets::Weighting;
use crate::error::{Error, Shape};
use crate::network::Network;

/// A fully connected network: sizes, activations, a cost, and its parameters.
///
/// Layer 1 is the input. For l = 2 … L, z^l = a^(l-1) (W^l)ᵀ + b^l and a^l = σ_l(z^l).
///
/// Parameters
/// ----------
/// sizes : sequence of int
///     n_1, …, n_L: the numbers of neurons, two layers or more.
/// hidden : str or list of str, default "sigmoid"
///     σ of the hidden layers: one name for all, or a list with one for each. One of
///     `bpfast.ACTIVATIONS` but softmax.
/// output : str, default "sigmoid"
///     σ of the output layer. One of `bpfast.ACTIVATIONS`.
/// cost : str or callable, default "quadratic"
///     One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with a of shape (n, n_L), y as it
///     was given, C_x of shape (n,) and nabla_a = ∇_a C_x of shape (n, n_L). A callable runs on
///     the calling thread, once a call, on the whole batch.
/// dtype : dtype, default float64
///     float32 or float64. All of the network's numbers have it, and x is converted to it.
/// init : str, default "nielsen"
///     "nielsen": weights of variance 1/n_in, biases of variance 1. "nielsen_large": all of
///     variance 1. "xavier": weights of variance 2/(n_in + n_out), biases 0. "he": weights of
///     variance 2/n_in, biases 0. "zeros". All drawn from normal distributions of mean 0.
/// seed : None, int, SeedSequence or Generator
///     What `numpy.random.default_rng` takes. The same seed gives the same parameters; float32
///     networks start from those of float64, rounded.
///
/// Raises
/// ------
/// ValueError
///     Fewer than two sizes, a size below 1, unknown names, a number of hidden activations that
///     does not fit, softmax in a hidden layer, or an output that the cost is not defined on:
///     cross_entropy takes sigmoid and softmax, log_likelihood softmax, poisson sigmoid, softplus
///     and softmax, the others anything.
/// TypeError
///     An argument of another type, a dtype other than float32 and float64.
/// MemoryError
///     The parameters cannot be allocated.
///
/// Notes
/// -----
/// Two networks are equal when they are configured the same, whatever their parameters.
/// Networks can be copied and pickled.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> net = bpfast.Network([784, 30, 10], seed=0)
/// >>> net
/// <bpfast.Network 784-30-10: hidden sigmoid, output sigmoid, cost quadratic, float64, 23860 parameters>
/// >>> net.weights[0].shape, net.biases[0].shape
/// ((30, 784), (30,))
#[pyclass(name = "Network", module = "bpfast", frozen, subclass)]
pub struct PyNetwork {
    config: Config,
    vector: Vector,
    pub slots: Slots,
}

impl PyNetwork {
    /// A network whose parameters are not set.
    fn empty(py: Python<'_>, config: Config, dtype: Dtype) -> PyResult<Self> {
        Ok(Self {
            vector: Vector::empty(py, Arc::clone(&config.network), dtype)?,
            config,
            slots: Slots::new(dtype),
        })
    }

    /// A network with copies of `weights` and `biases`.
    ///
    /// # Errors
    /// Arrays that do not fit together, and all that [`Config::parse`] refuses.
    pub fn with_parameters<'py>(
        weights: &Bound<'py, PyAny>,
        biases: &Bound<'py, PyAny>,
        hidden: Named<'py>,
        output: &str,
        cost: Named<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let py = weights.py();
        let (weights, biases) = (arrays("weights", weights)?, arrays("biases", biases)?);
        let sizes = sizes_of(&weights, &biases)?;
        let dtype = match dtype {
            Some(dtype) => Dtype::parse(dtype)?,
            None => Dtype::common(weights.iter().chain(&biases)),
        };
        let network = Self::empty(py, Config::parse(py, &sizes, hidden, output, cost)?, dtype)?;
        network.vector.weights(py)?.get().copy_all(py, &weights)?;
        network.vector.biases(py)?.get().copy_all(py, &biases)?;
        Ok(network)
    }

    /// Sizes, activations and cost.
    pub fn network(&self) -> &Arc<Network> {
        &self.config.network
    }

    /// The dtype of its numbers.
    pub fn dtype(&self) -> Dtype {
        self.vector.dtype
    }

    /// The network ready to be called.
    pub fn engine<'a, T: Element>(&'a self, slot: &'a Slot<T>) -> Engine<'a, T> {
        Engine {
            config: &self.config,
            params: &self.vector,
            slot,
        }
    }
}

/// The arrays in the list `value`.
fn arrays<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyUntypedArray>>> {
    let expected = "a list of arrays, one per layer";
    let entries = value
        .try_iter()
        .map_err(|_| wrong_type(argument, expected, value))?;
    let array = |(k, entry): (usize, PyResult<_>)| numbers(&format!("{argument}[{k}]"), &entry?);
    entries.enumerate().map(array).collect()
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
    let mut sizes = Vec::with_capacity(weights.len() + 1);
    for (k, (weight, bias)) in weights.iter().zip(biases).enumerate() {
        let &[n_out, n_in] = weight.shape() else {
            let got = format!("shape {}", Shape(weight.shape()));
            return Err(Error::value(format!("weights[{k}]"), "a matrix", got));
        };
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
    #[new]
    #[pyo3(
        signature = (sizes, *, hidden=Named::Default("sigmoid"), output="sigmoid", cost=Named::Default("quadratic"), dtype=None, init="nielsen", seed=None),
        text_signature = "(sizes, *, hidden='sigmoid', output='sigmoid', cost='quadratic', dtype=None, init='nielsen', seed=None)"
    )]
    fn new<'py>(
        sizes: &Bound<'py, PyAny>,
        hidden: Named<'py>,
        output: &str,
        cost: Named<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        init: &str,
        seed: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let py = sizes.py();
        let config = Config::parse(py, &parse_sizes(sizes)?, hidden, output, cost)?;
        let dtype = dtype.map_or(Ok(Dtype::Float64), Dtype::parse)?;
        let network = Self::empty(py, config, dtype)?;
        initialise::draw(py, network.network(), &network.vector, init, seed)?;
        Ok(network)
    }

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
        signature = (weights, biases, *, hidden=Named::Default("sigmoid"), output="sigmoid", cost=Named::Default("quadratic"), dtype=None),
        text_signature = "(weights, biases, *, hidden='sigmoid', output='sigmoid', cost='quadratic', dtype=None)"
    )]
    fn from_parameters<'py>(
        cls: &Bound<'py, PyType>,
        weights: &Bound<'py, PyAny>,
        biases: &Bound<'py, PyAny>,
        hidden: Named<'py>,
        output: &str,
        cost: Named<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let network = Self::with_parameters(weights, biases, hidden, output, cost, dtype)?;
        network.instance_of(cls)
    }

    /// The parameters as one vector, writable: for each layer (W^l)ᵀ row by row, then b^l.
    ///
    /// Assigning to it copies the numbers in.
    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.vector.flat(py)
    }

    #[setter]
    fn set_params(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.vector.set_flat(value, "params")
    }

    /// ``weights[k]`` is W^(k+2), (n_(k+2), n_(k+1)): a writable view of `params`.
    ///
    /// Assigning a list of arrays, or an array to an item, copies the numbers in.
    #[getter]
    fn weights(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        self.vector.weights(py)
    }

    #[setter]
    fn set_weights(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let arrays = arrays("weights", value)?;
        self.vector
            .weights(value.py())?
            .get()
            .copy_all(value.py(), &arrays)
    }

    /// ``biases[k]`` is b^(k+2), (n_(k+2),): a writable view of `params`.
    ///
    /// Assigning a list of arrays, or an array to an item, copies the numbers in.
    #[getter]
    fn biases(&self, py: Python<'_>) -> PyResult<Py<Views>> {
        self.vector.biases(py)
    }

    #[setter]
    fn set_biases(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let arrays = arrays("biases", value)?;
        self.vector
            .biases(value.py())?
            .get()
            .copy_all(value.py(), &arrays)
    }

    /// n_1, …, n_L.
    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.network().sizes())
    }

    /// The dtype of all its numbers.
    #[getter(dtype)]
    fn dtype_object<'py>(&self, py: Python<'py>) -> Bound<'py, numpy::PyArrayDescr> {
        self.dtype().descr(py)
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
        self.config.to_dict(py, self.dtype())
    }

    /// a^L for each row of x.
    ///
    /// Parameters
    /// ----------
    /// x : array_like, (n, n_1)
    ///     Any array of real numbers, converted to the network's dtype where it has another.
    /// out : ndarray, (n, n_L), optional
    ///     Where to write: of the network's dtype, C-contiguous, writeable, apart from x.
    ///
    /// Returns
    /// -------
    /// ndarray, (n, n_L)
    ///     ``out``, or a fresh array.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     x of another shape or with no rows; ``out`` not as it must be.
    /// TypeError
    ///     x is not of real numbers; ``out`` is no array of the dtype.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 1], init="zeros")
    /// >>> net.forward([[1, 2], [3, 4]])
    /// array([[0.5],
    ///        [0.5]])
    #[pyo3(signature = (x, *, out=None))]
    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_engine!(self, engine => Ok(engine.forward(x, out)?.into_any()))
    }

    /// ``net(x)`` is ``net.forward(x)``.
    #[pyo3(signature = (x, *, out=None))]
    fn __call__<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.forward(x, out)
    }

    /// All of the forward pass: z^l and a^l of every layer.
    ///
    /// Parameters
    /// ----------
    /// x : array_like, (n, n_1)
    ///     As for `forward`.
    ///
    /// Returns
    /// -------
    /// Trace
    ///     ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1), ``a[0]`` a copy of x.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for `forward`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 3, 1], init="zeros")
    /// >>> [a.shape for a in net.trace([[1, 2]]).a]
    /// [(1, 2), (1, 3), (1, 1)]
    fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        with_engine!(self, engine => engine.trace(x))
    }

    /// C, the cost of a batch: Σ s_x C_x / Σ s_x, or Σ s_x C_x.
    ///
    /// Parameters
    /// ----------
    /// x : array_like, (n, n_1)
    ///     As for `forward`.
    /// y : array_like, (n, n_L) or (n,)
    ///     The outputs wanted. With cross_entropy and log_likelihood also integer class labels of
    ///     shape (n,), from 0 to n_L - 1 (0 or 1 where n_L = 1). A cost that is a callable gets y
    ///     as it is given.
    /// sample_weight : array_like, (n,), optional
    ///     s_x: finite, not negative. Left out: 1 for each example.
    /// reduction : {"mean", "sum"}, default "mean"
    ///     Whether to divide by Σ s_x.
    ///
    /// Returns
    /// -------
    /// float
    ///     Added up in float64.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     Shapes that do not fit, no rows, labels out of range or with a cost that takes none,
    ///     weights that are negative, not finite or, for the mean, all zero.
    /// TypeError
    ///     An argument is not of real numbers.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> net.cost([[1], [2]], [[1], [3]])  # (1/2 + 9/2) / 2
    /// 2.5
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction="mean"))]
    fn cost(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        reduction: &str,
    ) -> PyResult<f64> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => engine.cost(x, y, &weighting))
    }

    /// The errors δ^l = ∂C/∂z^l of every layer (BP1, BP2).
    ///
    /// C is the cost of the batch, so a row of δ^l has the factor 1/n, or s_x / Σ s_x, in it.
    ///
    /// Parameters
    /// ----------
    /// x, y, sample_weight, reduction
    ///     As for `cost`.
    ///
    /// Returns
    /// -------
    /// list of ndarray
    ///     δ^2, …, δ^L, each (n, n_l).
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for `cost`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> net.errors([[1], [2]], [[1], [3]])
    /// [array([[-0.5],
    ///        [-1.5]])]
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction="mean"))]
    fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: &str,
    ) -> PyResult<Bound<'py, pyo3::types::PyList>> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => engine.errors(x, y, &weighting))
    }

    /// C and its gradient by backpropagation (BP1 to BP4) over the batch, on all cores.
    ///
    /// Parameters
    /// ----------
    /// x, y, sample_weight, reduction
    ///     As for `cost`.
    /// out : Gradient, optional
    ///     Where to write: a gradient of this network, or of one with its sizes and dtype. Its
    ///     numbers are not whole if the call is interrupted.
    ///
    /// Returns
    /// -------
    /// Gradient
    ///     ``out``, or a fresh one.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     As for `cost`; ``out`` is of other sizes, read-only, or overlaps an input.
    /// TypeError
    ///     As for `cost`; ``out`` is no Gradient of the dtype.
    ///
    /// Notes
    /// -----
    /// The same bits at any number of threads and on any run.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> g = net.backprop([[1], [2]], [[1], [3]])
    /// >>> g.cost, g.flat  # ∂C/∂w = Σ δ x, ∂C/∂b = Σ δ
    /// (2.5, array([-3.5, -2. ]))
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction="mean", out=None))]
    fn backprop<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: &str,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => {
            let gradient = engine.gradient(x.py(), out)?;
            engine.backprop(x, y, &weighting, gradient.get())?;
            Ok(gradient)
        })
    }

    /// The same network in another dtype, its parameters converted.
    ///
    /// Parameters
    /// ----------
    /// dtype : dtype
    ///     float32 or float64.
    ///
    /// Returns
    /// -------
    /// Network
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> bpfast.Network([2, 1]).astype("float32").dtype
    /// dtype('float32')
    fn astype<'py>(
        slf: &Bound<'py, Self>,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let other = Self::empty(py, this.config.clone_ref(py), Dtype::parse(dtype)?)?;
        other.vector.set_flat(&this.vector.flat(py)?, "params")?;
        other.instance_of(&slf.get_type())
    }

    /// A copy with parameters of its own.
    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("copy")?.call_method1("copy", (slf,))
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let arguments = self.config.to_dict(py, self.dtype())?;
        let sizes = PyTuple::new(py, [PyTuple::new(py, self.network().sizes())?])?;
        arguments.del_item("sizes")?;
        arguments.set_item("init", "zeros")?;
        Ok((sizes, arguments))
    }

    fn __getstate__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let params = slf.get().vector.flat(py)?.call_method0("copy")?;
        let attributes = match slf.getattr_opt("__dict__")? {
            Some(attributes) => attributes,
            None => py.None().into_bound(py),
        };
        Ok((params, attributes))
    }

    fn __setstate__(
        slf: &Bound<'_, Self>,
        state: (Bound<'_, PyAny>, Bound<'_, PyAny>),
    ) -> PyResult<()> {
        let (params, attributes) = state;
        slf.get().set_params(&params)?;
        if !attributes.is_none() {
            slf.getattr("__dict__")?
                .call_method1("update", (attributes,))?;
        }
        Ok(())
    }

    fn __eq__(&self, other: &Self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.dtype() == other.dtype() && self.config.equals(&other.config, py)?)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.network().hash(&mut hasher);
        self.dtype().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let network = this.network();
        let join = |parts: Vec<String>, by: &str| parts.join(by);
        let sizes = join(
            network.sizes().iter().map(ToString::to_string).collect(),
            "-",
        );
        let layers = network.layers();
        let mut hidden: Vec<_> = layers[..layers.len() - 1]
            .iter()
            .map(|layer| layer.activation.name().to_owned())
            .collect();
        if hidden.windows(2).all(|pair| pair[0] == pair[1]) {
            hidden.truncate(1);
        }
        let hidden = match hidden.len() {
            0 => String::new(),
            _ => format!("hidden {}, ", join(hidden, " ")),
        };
        let cost = match &this.config.custom {
            Some(cost) => cost.bind(slf.py()).repr()?.to_string(),
            None => network.cost().name().to_owned(),
        };
        Ok(format!(
            "<bpfast.{} {sizes}: {hidden}output {}, cost {cost}, {}, {} parameters>",
            slf.get_type().name()?,
            network.output().name(),
            this.dtype().name(),
            network.n_params(),
        ))
    }
}

impl PyNetwork {
    /// This network as an object of `class`, which is `Network` or a subclass of it.
    fn instance_of<'py>(self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let network = Bound::new(py, self)?;
        if class.is(py.get_type::<Self>()) {
            return Ok(network.into_any());
        }
        let (sizes, arguments) = network.get().__getnewargs_ex__(py)?;
        let instance = class.call(sizes, Some(&arguments))?;
        instance.setattr("params", network.get().vector.flat(py)?)?;
        Ok(instance)
    }
}
