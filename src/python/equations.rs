//! BP1, BP2, BP3 and BP4, each by itself. They run on the calling thread.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray2, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use super::arrays::{Element, Span, empty, input, numbers, output, readwrite};
use super::config::{Config, Dtype, Named};
use super::custom;
use super::targets::{Weighting, Y};
use crate::activation::Activation;
use crate::backward;
use crate::error::{Error, Shape};
use crate::interrupt::{Pulse, Stop};
use crate::workspace::reserve;

/// Runs `body` with `$T` the number type that `arrays` have in common.
macro_rules! with_type {
    ($arrays:expr, $T:ident => $body:expr) => {
        match Dtype::common($arrays.into_iter()) {
            Dtype::Float32 => {
                type $T = f32;
                $body
            }
            Dtype::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}

/// BP1: δ^L = ∇_a C ⊙ σ'(z^L), the Jacobian product for softmax.
///
/// Parameters
/// ----------
/// z : array_like, (n, n_L)
///     z^L. float32 gives float32, all else float64.
/// y, sample_weight, reduction
///     As for `Network.cost`.
/// output, cost
///     As for `Network`.
/// out : ndarray, (n, n_L), optional
///     Where to write: of z's dtype, C-contiguous, writeable, apart from the inputs.
///
/// Returns
/// -------
/// ndarray, (n, n_L)
///     δ^L = ∂C/∂z^L, with the factor 1/n, or s_x / Σ s_x, of C.
///
/// Raises
/// ------
/// ValueError, TypeError
///     As for `Network` and `Network.cost`.
///
/// References
/// ----------
/// Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP1.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.bp1([[0.0]], [[1.0]])  # (1/2 - 1) · 1/4
/// array([[-0.125]])
#[pyfunction]
#[pyo3(
    signature = (z, y, *, output="sigmoid", cost=Named::Default("quadratic"), sample_weight=None, reduction="mean", out=None),
    text_signature = "(z, y, *, output='sigmoid', cost='quadratic', sample_weight=None, reduction='mean', out=None)"
)]
pub fn bp1<'py>(
    z: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    output: &str,
    cost: Named<'py>,
    sample_weight: Option<&Bound<'py, PyAny>>,
    reduction: &str,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let z = matrix_like("z", z)?;
    let weighting = Weighting::parse(sample_weight, reduction)?;
    let [n, width] = [z.shape()[0], z.shape()[1]];
    let named = Named::Default("identity");
    let config = Config::parse(z.py(), &[width, width], named, output, cost)?;
    with_type!([&z], T => {
        let z = input::<T, Ix2>("z", &z)?;
        let delta = bp1_of::<T>(&config, &z, y, &weighting, out, n)?;
        Ok(delta.into_any())
    })
}

fn bp1_of<'py, T: Element>(
    config: &Config,
    z: &PyReadonlyArray2<'py, T>,
    y: &Bound<'py, PyAny>,
    weighting: &Weighting<'py>,
    out: Option<&Bound<'py, PyAny>>,
    n: usize,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let (py, network) = (z.py(), &*config.network);
    if n == 0 {
        return Err(Error::value("z", "one example or more", "an empty batch").into());
    }
    let activation = network.output();
    let a = empty::<T, Ix2>(py, z.shape())?;
    let mut place = readwrite(&a)?;
    place.as_slice_mut()?.copy_from_slice(z.as_slice()?);
    activation.apply(place.as_slice_mut()?, network.n_outputs());
    drop(place);
    let y = match &config.custom {
        Some(cost) => {
            let shape = [n, network.n_outputs()];
            Y::Values(custom::call(cost.bind(py), a.as_any(), y, shape)?.nabla_a)
        }
        None => Y::parse(network, n, y)?,
    };
    let targets = weighting.apply(y.targets(network, n)?, n)?;
    let delta = output_of::<T>(out, py, z.shape(), &[Span::of(z), y.span()])?;
    let a = input::<T, Ix2>("a", &a)?;
    let (cost, z, a) = (network.cost(), z.as_slice()?, a.as_slice()?);
    backward::bp1(
        cost,
        activation,
        z,
        a,
        &targets,
        0..n,
        readwrite(&delta)?.as_slice_mut()?,
    );
    Ok(delta)
}

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l).
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_(l+1))
///     δ^(l+1).
/// weights : array_like, (n_(l+1), n_l)
///     W^(l+1).
/// z : array_like, (n, n_l)
///     z^l. All three float32: float32, else float64.
/// activation : str, default "sigmoid"
///     σ_l; not softmax.
/// out : ndarray, (n, n_l), optional
///     Where to write: of that dtype, C-contiguous, writeable, apart from the inputs.
///
/// Returns
/// -------
/// ndarray, (n, n_l)
///     δ^l.
///
/// Raises
/// ------
/// ValueError, TypeError
///     Shapes that do not fit, an unknown activation, what is no array of real numbers.
///
/// References
/// ----------
/// Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP2.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.bp2([[1.0]], [[2.0, 4.0]], [[0.0, 0.0]])  # 1 · w · 1/4
/// array([[0.5, 1. ]])
#[pyfunction]
#[pyo3(signature = (delta, weights, z, *, activation="sigmoid", out=None))]
pub fn bp2<'py>(
    delta: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    z: &Bound<'py, PyAny>,
    activation: &str,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (delta, weights) = (
        matrix_like("delta", delta)?,
        matrix_like("weights", weights)?,
    );
    let z = matrix_like("z", z)?;
    let activation = hidden_activation(activation)?;
    let [n, n_next] = [delta.shape()[0], delta.shape()[1]];
    let width = weights.shape()[1];
    check_shape("weights", &weights, [n_next, width])?;
    check_shape("z", &z, [n, width])?;
    with_type!([&delta, &weights, &z], T => {
        let transposed = weights.call_method0("transpose")?;
        let delta = input::<T, Ix2>("delta", &delta)?;
        let weights = input::<T, Ix2>("weights", &transposed)?;
        let z = input::<T, Ix2>("z", &z)?;
        let spans = [Span::of(&delta), Span::of(&weights), Span::of(&z)];
        let result = output_of::<T>(out, z.py(), z.shape(), &spans)?;
        let z = z.as_slice()?;
        let mut a = Vec::new();
        reserve(&mut a, z.len(), 1)?;
        a.copy_from_slice(z);
        activation.apply(&mut a, width);
        let mut place = readwrite(&result)?;
        let (delta, weights, place) = (delta.as_slice()?, weights.as_slice()?, place.as_slice_mut()?);
        let stop = Stop::default();
        let pulse = Pulse::helper(&stop);
        backward::bp2(delta, weights, activation, (z, &a), place, width, &pulse);
        Ok(result.into_any())
    })
}

/// BP3: ∂C/∂b^l = Σ_x δ^l.
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_l)
///     δ^l. float32 gives float32, all else float64.
/// out : ndarray, (n_l,), optional
///     Where to write: of that dtype, C-contiguous, writeable, apart from delta.
///
/// Returns
/// -------
/// ndarray, (n_l,)
///
/// Raises
/// ------
/// ValueError, TypeError
///     delta is no matrix, or not of real numbers.
///
/// References
/// ----------
/// Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP3.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.bp3([[1.0, 2.0], [3.0, 4.0]])
/// array([4., 6.])
#[pyfunction]
#[pyo3(signature = (delta, *, out=None))]
pub fn bp3<'py>(
    delta: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let delta = matrix_like("delta", delta)?;
    with_type!([&delta], T => {
        let delta = input::<T, Ix2>("delta", &delta)?;
        let shape = [delta.shape()[1]];
        let result = output::<T, Ix1>(out, delta.py(), &shape, &[Span::of(&delta)])?;
        backward::bp3(delta.as_slice()?, readwrite(&result)?.as_slice_mut()?);
        Ok(result.into_any())
    })
}

/// BP4: ∂C/∂W^l = (δ^l)ᵀ a^(l-1).
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_l)
///     δ^l.
/// a : array_like, (n, n_(l-1))
///     a^(l-1). Both float32: float32, else float64.
/// out : ndarray, (n_l, n_(l-1)), optional
///     Where to write: of that dtype, C-contiguous, writeable, apart from the inputs.
///
/// Returns
/// -------
/// ndarray, (n_l, n_(l-1))
///
/// Raises
/// ------
/// ValueError, TypeError
///     Shapes that do not fit, what is no array of real numbers.
///
/// References
/// ----------
/// Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP4.
///
/// Examples
/// --------
/// >>> import bpfast
/// >>> bpfast.bp4([[1.0, 2.0]], [[3.0]])
/// array([[3.],
///        [6.]])
#[pyfunction]
#[pyo3(signature = (delta, a, *, out=None))]
pub fn bp4<'py>(
    delta: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (delta, a) = (matrix_like("delta", delta)?, matrix_like("a", a)?);
    let n = delta.shape()[0];
    let n_in = a.shape()[1];
    check_shape("a", &a, [n, n_in])?;
    with_type!([&delta, &a], T => {
        let (delta, a) = (input::<T, Ix2>("delta", &delta)?, input::<T, Ix2>("a", &a)?);
        let shape = [delta.shape()[1], n_in];
        let spans = [Span::of(&delta), Span::of(&a)];
        let result = output_of::<T>(out, a.py(), &shape, &spans)?;
        let (delta, a) = (delta.as_slice()?, a.as_slice()?);
        // The core writes (n_in, n_out) = aᵀ δ; with a and δ exchanged that is δᵀ a.
        let mut place = readwrite(&result)?;
        let stop = Stop::default();
        backward::bp4(a, delta, place.as_slice_mut()?, n, &Pulse::helper(&stop));
        Ok(result.into_any())
    })
}

fn output_of<'py, T: Element>(
    out: Option<&Bound<'py, PyAny>>,
    py: Python<'py>,
    shape: &[usize],
    inputs: &[Span],
) -> PyResult<Bound<'py, PyArray2<T>>> {
    output::<T, Ix2>(out, py, shape, inputs)
}

/// An array of real numbers with two dimensions, neither of them 0.
fn matrix_like<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = numbers(argument, value)?;
    if array.ndim() == 2 && array.len() > 0 {
        return Ok(array);
    }
    let got = format!("shape {}", Shape(array.shape()));
    Err(Error::value(argument, "two dimensions, neither of them 0", got).into())
}

fn check_shape(
    argument: &str,
    array: &Bound<'_, PyUntypedArray>,
    expected: [usize; 2],
) -> Result<(), Error> {
    if array.shape() == expected {
        return Ok(());
    }
    Err(Error::shape(argument, &expected, array.shape()))
}

fn hidden_activation(name: &str) -> Result<Activation, Error> {
    match Activation::from_name("activation", name)? {
        Activation::Softmax => Err(Error::value(
            "activation",
            "an activation that acts on each neuron by itself",
            "'softmax', which goes with the output alone",
        )),
        activation => Ok(activation),
    }
}
