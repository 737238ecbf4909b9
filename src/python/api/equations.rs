//! BP2, BP3 and BP4 as separate functions. They run on the calling thread, with the GIL released.

use numpy::ndarray::{Dimension, Ix1, Ix2};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{CancelToken, ELEMENT_WORK, cancellable};
use crate::base::error::{Error, ShapeDisplay};
use crate::engine::equations;
use crate::kernels::gemm::Matrix;
use crate::model::activation::Activation;
use crate::python::borrow::Element;
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::{check_shape, input, numbers};
use crate::python::convert::dtype::Dtype;
use crate::python::convert::name::Name;
use crate::python::convert::output::Output;

/// Runs `body` with `$T` the common element type of `arrays`.
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

pub(super) use with_type;

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l).
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_(l+1))
///     δ^(l+1).
/// weights : array_like, (n_(l+1), n_l)
///     W^(l+1).
/// z : array_like, (n, n_l)
///     z^l. If all three are float32 the result is float32, else float64.
/// activation : str, default "sigmoid"
///     σ_l; not softmax.
/// out : ndarray, (n, n_l), optional
///     Where to write: of the result's dtype, C-contiguous, writeable, sharing no memory with inputs.
///
/// Returns
/// -------
/// ndarray, (n, n_l)
///     δ^l.
///
/// Raises
/// ------
/// ValueError
///     Shapes do not match, there are no rows, or the activation is unknown or softmax; or ``out`` has
///     another shape or layout, is read-only or shares memory.
/// TypeError
///     An argument is not of real numbers, the activation is no string, or ``out`` has another dtype.
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
#[pyo3(
    signature = (delta, weights, z, *, activation=Name::Default("sigmoid"), out=None),
    text_signature = "(delta, weights, z, *, activation='sigmoid', out=None)"
)]
pub fn bp2<'py>(
    delta: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    z: &Bound<'py, PyAny>,
    activation: Name<'py>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    guarded(|| {
        let inputs = [
            ("delta", Some(delta)),
            ("weights", Some(weights)),
            ("z", Some(z)),
        ];
        let delta = matrix_like("delta", delta)?;
        let weights = matrix_like("weights", weights)?;
        let z = matrix_like("z", z)?;
        let activation = activation.text("activation")?;
        let activation = Activation::hidden_from_name("activation", &activation)?;
        let [n, n_next] = matrix_shape("delta", &delta)?;
        let [_, width] = matrix_shape("weights", &weights)?;
        check_shape("weights", &[n_next, width], weights.shape())?;
        check_shape("z", &[n, width], z.shape())?;
        with_type!([&delta, &weights, &z], T => {
            let delta = input::<T, Ix2>("delta", &delta)?;
            let weights = input::<T, Ix2>("weights", &weights)?;
            let z = input::<T, Ix2>("z", &z)?;
            let result = Output::<T, Ix2>::parse(out, z.py(), z.shape(), &inputs)?;
            let (py, delta, weights, z) = (z.py(), delta.as_slice()?, weights.as_slice()?, z.as_slice()?);
            let a = activations(py, activation, z, width)?;
            let weights = Matrix::by_rows(weights, n_next, width).transposed();
            write(py, result, n.saturating_mul(n_next * width), |out, cancel| {
                equations::bp2(delta, weights, activation, (z, &a), out, cancel)
            })
        })
    })
}

/// BP3: ∂C/∂b^l = Σ_x δ^l.
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_l)
///     δ^l. float32 gives float32, everything else float64.
/// out : ndarray, (n_l,), optional
///     Where to write: of the result's dtype, C-contiguous, writeable, sharing no memory with delta.
///
/// Returns
/// -------
/// ndarray, (n_l,)
///     ∂C/∂b^l.
///
/// Raises
/// ------
/// ValueError
///     delta has other than two axes, or no rows; or ``out`` has another shape or layout, is read-only or
///     shares memory.
/// TypeError
///     delta is not of real numbers, or ``out`` has another dtype.
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
    guarded(|| {
        let inputs = [("delta", Some(delta))];
        let delta = matrix_like("delta", delta)?;
        with_type!([&delta], T => {
            let delta = input::<T, Ix2>("delta", &delta)?;
            let py = delta.py();
            let result = Output::<T, Ix1>::parse(out, py, &[delta.shape()[1]], &inputs)?;
            let delta = delta.as_slice()?;
            write(py, result, delta.len(), |out, cancel| equations::bp3(delta, out, cancel))
        })
    })
}

/// BP4: ∂C/∂W^l = (δ^l)ᵀ a^(l-1).
///
/// Parameters
/// ----------
/// delta : array_like, (n, n_l)
///     δ^l.
/// a : array_like, (n, n_(l-1))
///     a^(l-1). If both are float32 the result is float32, else float64.
/// out : ndarray, (n_l, n_(l-1)), optional
///     Where to write: of the result's dtype, C-contiguous, writeable, sharing no memory with inputs.
///
/// Returns
/// -------
/// ndarray, (n_l, n_(l-1))
///     ∂C/∂W^l.
///
/// Raises
/// ------
/// ValueError
///     Shapes do not match, or there are no rows; or ``out`` has another shape or layout, is read-only or
///     shares memory.
/// TypeError
///     An argument is not of real numbers, or ``out`` has another dtype.
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
    guarded(|| {
        let inputs = [("delta", Some(delta)), ("a", Some(a))];
        let (delta, a) = (matrix_like("delta", delta)?, matrix_like("a", a)?);
        let [n, n_out] = matrix_shape("delta", &delta)?;
        let [_, n_in] = matrix_shape("a", &a)?;
        check_shape("a", &[n, n_in], a.shape())?;
        with_type!([&delta, &a], T => {
            let (delta, a) = (input::<T, Ix2>("delta", &delta)?, input::<T, Ix2>("a", &a)?);
            let py = a.py();
            let result = Output::<T, Ix2>::parse(out, py, &[n_out, n_in], &inputs)?;
            let (delta, a) = (delta.as_slice()?, a.as_slice()?);
            // The core computes aᵀ δ, (n_in, n_out); with a and δ exchanged this is δᵀ a.
            write(py, result, n_in.saturating_mul(delta.len()), |out, cancel| {
                equations::bp4(a, delta, out, n, cancel)
            })
        })
    })
}

/// Runs `work`, of about `size` multiply-adds, on the memory of `result` with the GIL released.
pub fn write<'py, T: Element, D: Dimension>(
    py: Python<'py>,
    mut result: Output<'py, T, D>,
    size: usize,
    work: impl FnOnce(&mut [T], &CancelToken<'_>) -> Result<(), Error> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let numbers = result.as_slice_mut()?;
    detached(py, size, |should_cancel| {
        cancellable(should_cancel, |cancel| work(numbers, cancel))
    })?;
    Ok(result.into_array().into_any())
}

/// a = σ(z).
pub fn activations<T: Element>(
    py: Python<'_>,
    activation: Activation,
    z: &[T],
    width: usize,
) -> PyResult<Vec<T>> {
    let mut a = Vec::new();
    detached(py, z.len() * ELEMENT_WORK, |should_cancel| {
        cancellable(should_cancel, |cancel| {
            grow_workspace(&mut a, z.len(), 1, cancel)?;
            a.iter_mut().zip(z).for_each(|(a, &z)| *a = z);
            activation.apply(&mut a, width, cancel);
            Ok(())
        })
    })?;
    Ok(a)
}

/// A two-dimensional array of real numbers, with no side of length 0.
pub fn matrix_like<'py>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = numbers(argument, value)?;
    matrix_shape(argument, &array)?;
    Ok(array)
}

/// The shape of such an array, checked again since Python code may have changed it.
fn matrix_shape(argument: &str, array: &Bound<'_, PyUntypedArray>) -> Result<[usize; 2], Error> {
    match array.shape() {
        &[rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        shape => {
            let got = format!("shape {}", ShapeDisplay(shape));
            Err(Error::value(
                argument,
                "two dimensions, neither of them 0",
                got,
            ))
        }
    }
}
