//! The methods of `Network` that compute. Those whose cost may be a callable are in the public class.

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList};

use crate::model::cost::Cost;
use crate::python::api::gradient::Gradient;
use crate::python::api::network::PyNetwork;
use crate::python::api::trace::Trace;
use crate::python::api::typed_network::with_typed_network;
use crate::python::call::errors::{guarded, guarded_object, wrong_type};
use crate::python::convert::dropout::StepDropout;
use crate::python::convert::name::Name;
use crate::python::convert::targets::Weighting;

#[pymethods]
impl PyNetwork {
    /// a^L for each row of x: z^l = a^(l-1) (W^l)ᵀ + b^l, a^l = σ_l(z^l), with a^1 = x.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1)
    ///     The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix or
    ///     array only the stored elements are computed with; formats other than CSR are converted by
    ///     ``tocsr()`` at each call. Duplicates are summed, as in ``toarray()``.
    /// out : ndarray, (n, n_L), optional
    ///     Where to write: of the network's dtype, C-contiguous, writeable, sharing no memory with x.
    ///
    /// Returns
    /// -------
    /// ndarray, (n, n_L)
    ///     ``out``, or a new array.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     x has another shape or no rows, has masked values, or is sparse with damaged ``indices`` or
    ///     ``indptr``; or ``out`` has another shape or layout, is read-only or shares memory with x.
    /// TypeError
    ///     x is not of real numbers, or ``out`` is not an array of the network's dtype.
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
        guarded(|| with_typed_network!(self, typed => Ok(typed.forward(x, out)?.into_any())))
    }

    /// ``net(x)`` is ``net.forward(x)``.
    #[pyo3(signature = (x, *, out=None))]
    fn __call__<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| self.forward(x, out))
    }

    /// The whole forward pass: z^l and a^l of every layer.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1)
    ///     The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix or
    ///     array only the stored elements are computed with; formats other than CSR are converted by
    ///     ``tocsr()`` at each call. Duplicates are summed, as in ``toarray()``.
    ///
    /// Returns
    /// -------
    /// Trace
    ///     ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1); ``a[0]`` is a copy of x, dense even if x is
    ///     sparse.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     x has another shape or no rows, has masked values, or is sparse with damaged ``indices`` or
    ///     ``indptr``.
    /// TypeError
    ///     x is not of real numbers.
    ///
    /// References
    /// ----------
    /// Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation 25.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 3, 1], init="zeros")
    /// >>> [a.shape for a in net.trace([[1, 2]]).a]
    /// [(1, 2), (1, 3), (1, 1)]
    fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        guarded(|| with_typed_network!(self, typed => typed.trace(x)))
    }

    /// C, for the public class: y is an array, or, if the cost is a callable, what it returned for a^L.
    #[pyo3(name = "_cost", signature = (x, y, sample_weight, reduction))]
    fn cost<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let (weighting, is_total) = Weighting::of_cost(sample_weight, reduction)?;
            with_typed_network!(self, typed => {
                if is_total {
                    let cost = typed.cost(x, y, &weighting)?;
                    return Ok(PyFloat::new(x.py(), cost).into_any());
                }
                Ok(typed.costs(x, y, &weighting)?.into_any())
            })
        })
    }

    /// δ^2, …, δ^L; arguments as for `_cost`.
    #[pyo3(name = "_errors", signature = (x, y, sample_weight, reduction))]
    fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let weighting = Weighting::parse(sample_weight, reduction)?;
            with_typed_network!(self, typed => typed.errors(x, y, &weighting))
        })
    }

    /// C and its gradient; arguments as for `_cost`.
    #[pyo3(name = "_backprop", signature = (x, y, sample_weight, reduction, out))]
    fn backprop<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let weighting = Weighting::parse(sample_weight, reduction)?;
            with_typed_network!(self, typed => {
                let gradient = typed.gradient(x.py(), out)?;
                typed.backprop(x, y, (sample_weight, &weighting), gradient.get(), None)?;
                Ok(gradient)
            })
        })
    }

    /// The sum of C_x and its gradient over a part of the examples of a step. `dropout` is the rates of the
    /// hidden layers, the seed, the step, and the place of each example in the step.
    #[pyo3(name = "_backprop_dropout", signature = (x, y, sample_weight, out, dropout))]
    fn backprop_dropout<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        out: &Bound<'py, PyAny>,
        dropout: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let weighting = Weighting::of_examples(sample_weight)?;
            let dropout = StepDropout::parse(dropout)?;
            with_typed_network!(self, typed => {
                let gradient = typed.gradient(x.py(), Some(out))?;
                let weights = (sample_weight, &weighting);
                typed.backprop(x, y, weights, gradient.get(), Some(&dropout))?;
                Ok(gradient)
            })
        })
    }

    /// For a callable cost, before it is called: x and sample_weight as arrays of their dtypes. Arguments
    /// that are invalid whatever the cost returns are refused.
    #[pyo3(name = "_prepare", signature = (x, y, sample_weight, reduction, out))]
    fn prepare<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(x.py(), || {
            let weighting = Weighting::parse(sample_weight, reduction)?;
            with_typed_network!(self, typed => typed.prepare(x, y, sample_weight, &weighting, out))
        })
    }

    /// The same for `_cost`.
    #[pyo3(name = "_prepare_cost", signature = (x, y, sample_weight, reduction))]
    fn prepare_cost<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(x.py(), || {
            let (weighting, _) = Weighting::of_cost(sample_weight, reduction)?;
            with_typed_network!(self, typed => typed.prepare(x, y, sample_weight, &weighting, None))
        })
    }

    /// What a callable cost takes, (n, n_L): a^L, or z^L if it has `takes_z`. `dropout` as for
    /// `_backprop_dropout`.
    #[pyo3(name = "_outputs", signature = (x, dropout=None))]
    fn outputs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        dropout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let dropout = dropout.map(StepDropout::parse).transpose()?;
            with_typed_network!(self, typed => {
                Ok(typed.outputs(x, dropout.as_ref())?.into_any())
            })
        })
    }

    /// A checksum of x.
    #[pyo3(name = "_checksum", signature = (x))]
    fn checksum<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(
            x.py(),
            || with_typed_network!(self, typed => typed.checksum_of_inputs(x)),
        )
    }

    /// A forward pass, for a backward pass that follows.
    #[pyo3(name = "_stored_forward", signature = (x))]
    fn stored_forward(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        guarded(|| with_typed_network!(self, typed => typed.stored_forward(x)))
    }

    /// Whether the cost is a callable that takes z^L.
    #[getter(_takes_z)]
    fn takes_z(&self) -> PyResult<bool> {
        guarded(|| Ok(self.architecture().cost() == Cost::CustomOfZ))
    }

    /// The cost, if it is a callable.
    #[getter(_custom_cost)]
    fn custom_cost<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyAny>>> {
        guarded(|| Ok(self.config.custom.as_ref().map(|cost| cost.bind(py))))
    }
}

#[pymethods]
impl Gradient {
    #[new]
    fn new(net: &Bound<'_, PyAny>) -> PyResult<Self> {
        guarded(|| {
            let Ok(network) = net.cast::<PyNetwork>() else {
                return Err(wrong_type("net", "a Network", net));
            };
            Self::zeros(
                net.py(),
                network.get().architecture(),
                network.get().dtype(),
            )
        })
    }
}
