//! Norms and their limits, for trainings whose steps are written in Python.

use numpy::ndarray::Ix1;
use pyo3::prelude::*;

use crate::base::cancel::ELEMENT_WORK;
use crate::kernels::elementwise::norms::norm as norm_of;
use crate::python::api::network::PyNetwork;
use crate::python::borrow::Element;
use crate::python::call::detach::detached;
use crate::python::call::errors::{guarded, guarded_object};
use crate::python::convert::arrays::input;
use crate::python::convert::dtype::Dtype;
use crate::train::norms::{self, MaxNormBuffers};

/// √Σ x² of a vector, converted to float64. It has the same bits on every machine, and neither overflows nor
/// underflows where the norm does not.
#[pyfunction]
pub fn norm<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(values.py(), || {
        let values_array = input::<f64, Ix1>("values", values)?;
        let numbers = values_array.as_slice()?;
        detached(values.py(), numbers.len(), |_| Ok(norm_of(numbers)))
    })
}

/// Scales each neuron's incoming weights to a norm of at most `longest`, as a step of `Network.fit` does.
#[pyfunction]
pub fn apply_max_norm(py: Python<'_>, net: &PyNetwork, longest: f64) -> PyResult<()> {
    guarded(|| match net.dtype() {
        Dtype::Float32 => apply::<f32>(py, net, longest),
        Dtype::Float64 => apply::<f64>(py, net, longest),
    })
}

fn apply<T: Element>(py: Python<'_>, net: &PyNetwork, longest: f64) -> PyResult<()> {
    let (architecture, mut buffers) = (net.architecture(), MaxNormBuffers::default());
    buffers.reserve(architecture)?;
    let mut params = net.vector.numbers::<T>()?.write("params")?;
    let params = &mut *params;
    detached(py, params.len().saturating_mul(ELEMENT_WORK / 16), |_| {
        norms::apply_max_norm(architecture, params, longest, &mut buffers);
        Ok(())
    })
}
