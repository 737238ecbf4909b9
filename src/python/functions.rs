//! The functional form: the same calls on plain lists of weights and biases.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::config::Name;
use super::network::PyNetwork;
use super::results::Trace;
use super::run::with_engine;
use super::targets::Weighting;

/// a^L of a network given by its weights and biases.
///
/// Parameters
/// ----------
/// weights, biases : sequence of array_like
///     W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,). All float32: the call
///     computes in float32, else in float64.
/// x : array_like or SciPy sparse, (n, n_1)
///     Converted to that dtype; sparse as for `Network.forward`.
/// hidden, output : str
///     As for `Network`.
///
/// Returns
/// -------
/// ndarray, (n, n_L)
///
/// Raises
/// ------
/// ValueError, TypeError
///     As for `Network.from_parameters` and `Network.forward`.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.forward([[[2.0]]], [[1.0]], [[3.0]], output="identity")
/// array([[7.]])
#[pyfunction]
#[pyo3(
    signature = (weights, biases, x, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid")),
    text_signature = "(weights, biases, x, *, hidden='sigmoid', output='sigmoid')"
)]
pub fn forward<'py>(
    weights: &Bound<'py, PyAny>,
    biases: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    hidden: Name<'py>,
    output: Name<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let cost = Name::Default("quadratic");
    let network = PyNetwork::with_parameters(weights, biases, hidden, output, cost, None)?;
    with_engine!(network, engine => Ok(engine.forward(x, None)?.into_any()))
}

/// z^l and a^l of every layer of a network given by its weights and biases.
///
/// Parameters
/// ----------
/// weights, biases, x, hidden, output
///     As for `forward`.
///
/// Returns
/// -------
/// Trace
///     As of `Network.trace`.
///
/// Raises
/// ------
/// ValueError, TypeError
///     As for `forward`.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> z, a = bpfast.trace([[[2.0]]], [[1.0]], [[3.0]], output="relu")
/// >>> z, a
/// ([array([[7.]])], [array([[3.]]), array([[7.]])])
#[pyfunction]
#[pyo3(
    signature = (weights, biases, x, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid")),
    text_signature = "(weights, biases, x, *, hidden='sigmoid', output='sigmoid')"
)]
pub fn trace<'py>(
    weights: &Bound<'py, PyAny>,
    biases: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    hidden: Name<'py>,
    output: Name<'py>,
) -> PyResult<Trace> {
    let cost = Name::Default("quadratic");
    let network = PyNetwork::with_parameters(weights, biases, hidden, output, cost, None)?;
    with_engine!(network, engine => engine.trace(x))
}

/// C, the cost of a batch, for a network given by its weights and biases.
///
/// Parameters
/// ----------
/// weights, biases, x, hidden, output
///     As for `forward`.
/// y, sample_weight, reduction
///     As for `Network.cost`.
/// cost : str or callable
///     As for `Network`.
///
/// Returns
/// -------
/// float
///
/// Raises
/// ------
/// ValueError, TypeError
///     As for `forward` and `Network.cost`.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.cost([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
/// 2.0
#[pyfunction]
#[pyo3(
    signature = (weights, biases, x, y, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), sample_weight=None, reduction=Name::Default("mean")),
    text_signature = "(weights, biases, x, y, *, hidden='sigmoid', output='sigmoid', cost='quadratic', sample_weight=None, reduction='mean')"
)]
pub fn cost<'py>(
    weights: &Bound<'py, PyAny>,
    biases: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    hidden: Name<'py>,
    output: Name<'py>,
    cost: Name<'py>,
    sample_weight: Option<&Bound<'py, PyAny>>,
    reduction: Name<'py>,
) -> PyResult<f64> {
    let network = PyNetwork::with_parameters(weights, biases, hidden, output, cost, None)?;
    let weighting = Weighting::parse(sample_weight, reduction)?;
    with_engine!(network, engine => engine.cost(x, y, &weighting))
}

/// The errors δ^l = ∂C/∂z^l of a network given by its weights and biases (BP1, BP2).
///
/// Parameters
/// ----------
/// weights, biases, x, y, hidden, output, cost, sample_weight, reduction
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
/// >>> bpfast.errors([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
/// [array([[2.]])]
#[pyfunction]
#[pyo3(
    signature = (weights, biases, x, y, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), sample_weight=None, reduction=Name::Default("mean")),
    text_signature = "(weights, biases, x, y, *, hidden='sigmoid', output='sigmoid', cost='quadratic', sample_weight=None, reduction='mean')"
)]
pub fn errors<'py>(
    weights: &Bound<'py, PyAny>,
    biases: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    hidden: Name<'py>,
    output: Name<'py>,
    cost: Name<'py>,
    sample_weight: Option<&Bound<'py, PyAny>>,
    reduction: Name<'py>,
) -> PyResult<Bound<'py, PyList>> {
    let network = PyNetwork::with_parameters(weights, biases, hidden, output, cost, None)?;
    let weighting = Weighting::parse(sample_weight, reduction)?;
    with_engine!(network, engine => engine.errors(x, y, &weighting))
}

/// C and its gradient for a network given by its weights and biases (BP1 to BP4).
///
/// Parameters
/// ----------
/// weights, biases, x, y, hidden, output, cost, sample_weight, reduction
///     As for `cost`.
///
/// Returns
/// -------
/// cost : float
///     C.
/// nabla_w : list of ndarray
///     ∂C/∂W^l for l = 2, …, L, each (n_l, n_(l-1)).
/// nabla_b : list of ndarray
///     ∂C/∂b^l for l = 2, …, L, each (n_l,).
///
/// Raises
/// ------
/// ValueError, TypeError
///     As for `cost`.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.backprop([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
/// (2.0, [array([[6.]])], [array([2.])])
#[pyfunction]
#[pyo3(
    signature = (weights, biases, x, y, *, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), sample_weight=None, reduction=Name::Default("mean")),
    text_signature = "(weights, biases, x, y, *, hidden='sigmoid', output='sigmoid', cost='quadratic', sample_weight=None, reduction='mean')"
)]
pub fn backprop<'py>(
    weights: &Bound<'py, PyAny>,
    biases: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    hidden: Name<'py>,
    output: Name<'py>,
    cost: Name<'py>,
    sample_weight: Option<&Bound<'py, PyAny>>,
    reduction: Name<'py>,
) -> PyResult<(f64, Bound<'py, PyList>, Bound<'py, PyList>)> {
    let py = x.py();
    let network = PyNetwork::with_parameters(weights, biases, hidden, output, cost, None)?;
    let weighting = Weighting::parse(sample_weight, reduction)?;
    with_engine!(network, engine => {
        let gradient = engine.gradient(py, None)?;
        let gradient = gradient.get();
        engine.backprop(x, y, sample_weight, &weighting, gradient)?;
        let nabla_w = gradient.vector.weights(py)?.get().to_list(py)?;
        let nabla_b = gradient.vector.biases(py)?.get().to_list(py)?;
        Ok((gradient.cost(), nabla_w, nabla_b))
    })
}
