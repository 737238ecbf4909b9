//! `Network.from_parameters`: a network from lists of weights and biases.

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::base::alloc::{try_collect, try_collect_results, try_reserve};
use crate::base::error::{Error, ShapeDisplay};
use crate::python::api::network::PyNetwork;
use crate::python::borrow::call_python::try_to_list;
use crate::python::call::errors::{guarded, wrong_type};
use crate::python::convert::arrays::numbers;
use crate::python::convert::config::Config;
use crate::python::convert::dtype::Dtype;
use crate::python::convert::name::Name;

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
    #[allow(clippy::too_many_arguments)] // the signature of `Network.from_parameters` in Python
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
            let weights = arrays("weights", weights)?;
            let biases = bias_arrays(biases, weights.len())?;
            let sizes = sizes_of(&weights, &biases)?;
            let dtype = match dtype {
                Some(dtype) => Dtype::parse(dtype)?,
                None => Dtype::common(weights.iter().chain(biases.iter().flatten())),
            };
            let has_biases = try_collect("biases", biases.iter().map(Option::is_some))?;
            let config = Config::parse(py, &sizes, hidden, &output, cost, Some(&has_biases))?;
            let net = Self::zeros_of(cls, config, dtype)?;
            let vector = &net.get().vector;
            let weights = try_collect("weights", weights.into_iter().map(Some))?;
            vector.weights(py)?.get().copy_all(py, &weights)?;
            vector.biases(py)?.get().copy_all(py, &biases)?;
            Ok(net)
        })
    }
}

/// The arrays in the list `value`.
pub(super) fn arrays<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyUntypedArray>>> {
    let expected = "a list of arrays, one per layer";
    let entries = try_to_list(value)?.ok_or_else(|| wrong_type(argument, expected, value))?;
    let array = |(k, entry)| numbers(&format!("{argument}[{k}]"), &entry);
    try_collect_results(argument, entries.iter().enumerate().map(array))
}

/// The vectors in the list `value`, None for layers without biases; None in its place is a list of `layers`
/// times None.
pub(super) fn bias_arrays<'py>(
    value: &Bound<'py, PyAny>,
    layers: usize,
) -> PyResult<Vec<Option<Bound<'py, PyUntypedArray>>>> {
    if value.is_none() {
        return Ok(try_collect("biases", std::iter::repeat_n(None, layers))?);
    }
    let expected = "a list of arrays, one per layer";
    let entries = try_to_list(value)?.ok_or_else(|| wrong_type("biases", expected, value))?;
    let array = |(k, entry): (usize, Bound<'py, PyAny>)| {
        if entry.is_none() {
            return Ok(None);
        }
        numbers(&format!("biases[{k}]"), &entry).map(Some)
    };
    try_collect_results("biases", entries.iter().enumerate().map(array))
}

/// The sizes n_1, …, n_L that these parameters imply.
fn sizes_of(
    weights: &[Bound<'_, PyUntypedArray>],
    biases: &[Option<Bound<'_, PyUntypedArray>>],
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
            let hint = transposed_hint(weights);
            let got = format!("{}{hint}", ShapeDisplay(&[n_out, n_in]));
            let expected = format!("shape {}", ShapeDisplay(&[n_out, expected]));
            return Err(Error::value(format!("weights[{k}]"), expected, got));
        }
        if let Some(bias) = bias.as_ref().filter(|bias| bias.shape() != [n_out]) {
            let hint = match bias.shape() {
                [1, length] | [length, 1] if *length == n_out => "; one axis is .ravel()",
                _ => transposed_hint(weights),
            };
            let got = format!("{}{hint}", ShapeDisplay(bias.shape()));
            let expected = format!("shape {}", ShapeDisplay(&[n_out]));
            return Err(Error::value(format!("biases[{k}]"), expected, got));
        }
        if k == 0 {
            sizes.push(n_in);
        }
        sizes.push(n_out);
    }
    Ok(sizes)
}

/// A hint if the matrices fit each other transposed, as (n_in, n_out).
fn transposed_hint(weights: &[Bound<'_, PyUntypedArray>]) -> &'static str {
    let fit = weights
        .windows(2)
        .all(|pair| match (pair[0].shape(), pair[1].shape()) {
            ([_, out], [n_in, _]) => out == n_in,
            _ => false,
        });
    if fit && weights.len() > 1 {
        "; W^l has the shape (n_l, n_(l-1)): pass weights[k].T of each"
    } else {
        ""
    }
}
