//! `Gradient` as an array: `__array__`, and arithmetic as of its flat vector.

use numpy::{PyArrayDescr, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::python::api::gradient::Gradient;
use crate::python::borrow::call_python::{call, call_method, import_from, numpy_function};
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::{as_array, is_plain, is_plain_numbers};

/// `operator.name(left, right)`.
fn binary<'py>(
    name: &str,
    left: &Bound<'py, PyAny>,
    right: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(&import_from(left.py(), "operator", name)?, (left, right))
}

#[pymethods]
impl Gradient {
    /// The flat vector of all partial derivatives, as ``numpy.asarray`` asks for it.
    ///
    /// Parameters
    /// ----------
    /// dtype : dtype, optional
    ///     Default: the dtype of the gradient.
    /// copy : bool, optional
    ///     True: a copy. False: a view, `flat`. Default: a view, or a copy if `dtype` differs.
    ///
    /// Returns
    /// -------
    /// ndarray
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     ``copy=False`` with another dtype.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast, numpy as np
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> g = net.backprop([[1.0]], [[2.0]])
    /// >>> np.asarray(g)
    /// array([-2., -2.])
    /// >>> net.params -= 0.5 * g
    /// >>> net.params
    /// array([1., 1.])
    #[pyo3(signature = (dtype=None, *, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let flat = self.vector.flat(py)?;
            let own = flat.cast::<numpy::PyUntypedArray>()?.dtype();
            let expected = match dtype {
                Some(dtype) => {
                    call(&numpy_function(py, "dtype")?, (dtype,))?.cast_into::<PyArrayDescr>()?
                }
                None => own.clone(),
            };
            if own.eq(&expected)? {
                return if copy == Some(true) {
                    self.vector.copied(py)
                } else {
                    Ok(flat)
                };
            }
            if copy == Some(false) {
                let message =
                    format!("copy: expected True or None with dtype {expected}, got False");
                return Err(PyValueError::new_err(message));
            }
            call_method(&self.vector.copied(py)?, "astype", (expected,))
        })
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("add", other)
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("add", other)
    }

    fn __sub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("sub", other)
    }

    fn __rsub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("sub", other)
    }

    fn __mul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("mul", other)
    }

    fn __rmul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("mul", other)
    }

    fn __truediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("truediv", other)
    }

    fn __rtruediv__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("truediv", other)
    }

    fn __matmul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("matmul", other)
    }

    fn __rmatmul__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("matmul", other)
    }

    fn __pow__<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        _modulo: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.left_of("pow", other)
    }

    fn __rpow__<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        _modulo: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.right_of("pow", other)
    }

    fn __neg__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.operator(py, "neg")
    }

    fn __pos__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.operator(py, "pos")
    }

    fn __abs__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.operator(py, "abs")
    }

    fn __iadd__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place("iadd", other)
    }

    fn __isub__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place("isub", other)
    }

    fn __imul__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place("imul", other)
    }

    fn __itruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place("itruediv", other)
    }
}

impl Gradient {
    /// `operator.name(flat)`.
    fn operator<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            call(
                &import_from(py, "operator", name)?,
                (self.vector.flat(py)?,),
            )
        })
    }

    /// `operator.name(flat, other)`.
    fn left_of<'py>(&self, name: &str, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| binary(name, &self.vector.flat(other.py())?, other))
    }

    /// `operator.name(flat, other)`, which changes `flat`. A mask would be ignored, so it is refused.
    fn in_place(&self, name: &str, other: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| {
            let flat = self.vector.flat(other.py())?;
            if is_plain(other) || is_plain_numbers(other) {
                return binary(name, &flat, other).map(|_| ());
            }
            let array = as_array("other", other)?;
            binary(name, &flat, &array).map(|_| ())
        })
    }

    /// `operator.name(other, flat)`.
    fn right_of<'py>(&self, name: &str, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| binary(name, other, &self.vector.flat(other.py())?))
    }
}
