//! The methods of `Network` for derivatives by x inside a cost, for the public class.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::python::api::gradient::Gradient;
use crate::python::api::network::PyNetwork;
use crate::python::api::typed_network::with_typed_network;
use crate::python::call::errors::guarded;
use crate::python::convert::name::Name;
use crate::python::convert::targets::Weighting;

/// sample_weight and reduction.
type Weights<'py> = (Option<Bound<'py, PyAny>>, Name<'py>);

#[pymethods]
impl PyNetwork {
    /// (a^L, first derivatives, second derivatives or None).
    #[pyo3(name = "_taylor", signature = (x, directions, order))]
    fn taylor<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        directions: &Bound<'py, PyAny>,
        order: usize,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(|| {
            with_typed_network!(self, typed => {
                typed.taylor(x, directions, order)?.into_pyobject(x.py())
            })
        })
    }

    /// x, directions and sample_weight as arrays of their dtypes. Arguments that are invalid whatever the cost
    /// returns are refused.
    #[pyo3(name = "_prepare_taylor", signature = (x, directions, order, weights, out))]
    fn prepare_taylor<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        directions: &Bound<'py, PyAny>,
        order: usize,
        weights: Weights<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(|| {
            let (sample_weight, reduction) = weights;
            let sample_weight = sample_weight.as_ref();
            let weights = (sample_weight, &Weighting::parse(sample_weight, reduction)?);
            with_typed_network!(self, typed => {
                typed.prepare_taylor(x, directions, order, weights, out)?.into_pyobject(x.py())
            })
        })
    }

    /// C and its gradient, for what the cost returned; other arguments as `_prepare_taylor` returned them.
    #[pyo3(name = "_backprop_taylor", signature = (examples, order, returned, weights, out))]
    fn backprop_taylor<'py>(
        &self,
        examples: (Bound<'py, PyAny>, Bound<'py, PyAny>),
        order: usize,
        returned: &Bound<'py, PyAny>,
        weights: Weights<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let (x, directions) = &examples;
            let (sample_weight, reduction) = weights;
            let sample_weight = sample_weight.as_ref();
            let weights = (sample_weight, &Weighting::parse(sample_weight, reduction)?);
            with_typed_network!(self, typed => {
                let gradient = typed.gradient(x.py(), out)?;
                typed.backprop_taylor((x, directions), order, returned, weights, gradient.get())?;
                Ok(gradient)
            })
        })
    }
}
