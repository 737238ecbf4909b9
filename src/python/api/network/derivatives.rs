//! The methods of `Network` for derivatives beyond the gradient, for the public class.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::inside::clip::ClippedSum;
use crate::python::api::gradient::Gradient;
use crate::python::api::network::PyNetwork;
use crate::python::api::typed_network::{SecondDerivatives, SeedArguments, with_typed_network};
use crate::python::call::errors::{guarded, guarded_object};
use crate::python::convert::name::Name;
use crate::python::convert::targets::Weighting;

/// x, y, `sample_weight` and reduction.
type ExampleArguments<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Name<'py>,
);

#[pymethods]
impl PyNetwork {
    /// a^L from z^l of the layer at `index`; it must exist.
    #[pyo3(name = "_forward_from", signature = (index, z))]
    fn forward_from<'py>(
        &self,
        index: usize,
        z: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| with_typed_network!(self, typed => Ok(typed.forward_from(index, z)?.into_any())))
    }

    /// Whether a derivative reads z^l, for each l = 2 … L. Refuses a trace of another network or of other
    /// parameters.
    #[pyo3(name = "_check_trace")]
    fn check_trace<'py>(&self, trace: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(
            trace.py(),
            || with_typed_network!(self, typed => typed.check_trace(trace)),
        )
    }

    /// (Gradient, ∂/∂x) of Σ v · a^L, or of Σ v · z^L; None for what `by` does not ask for.
    #[pyo3(name = "_vjp", signature = (x, v, at_z, by, out))]
    fn vjp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        at_z: bool,
        by: (bool, bool),
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(|| {
            let seed = SeedArguments::Output(v, at_z);
            with_typed_network!(self, typed => {
                typed.derivatives(x, seed, by, out)?.into_pyobject(x.py())
            })
        })
    }

    /// (a^L, its derivative along dx and dparams).
    #[pyo3(name = "_jvp", signature = (x, dx, dparams))]
    fn jvp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        dx: Option<&Bound<'py, PyAny>>,
        dparams: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(
            || with_typed_network!(self, typed => PyTuple::new(x.py(), typed.jvp(x, dx, dparams)?)),
        )
    }

    /// ∂C/∂x; arguments as for `_cost`.
    #[pyo3(name = "_input_gradient", signature = (x, y, sample_weight, reduction))]
    fn input_gradient<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let weighting = Weighting::parse(sample_weight, reduction)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => {
                typed.derivatives(x, seed, (false, true), None)?.into_pyobject(x.py())?.get_item(1)
            })
        })
    }

    /// s_x ∂C_x, (n, P); arguments as for `_cost`.
    #[pyo3(name = "_per_example_gradients", signature = (x, y, sample_weight, out))]
    fn per_example_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let weighting = Weighting::of_examples(sample_weight)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => {
                Ok(typed.per_example_gradients(x, seed, out)?.into_any())
            })
        })
    }

    /// The gradient of v · a^L, or of v · z^L, of each example, (n, P).
    #[pyo3(name = "_per_example_vjp", signature = (x, v, at_z))]
    fn per_example_vjp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        at_z: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let seed = SeedArguments::Output(v, at_z);
            with_typed_network!(self, typed => {
                Ok(typed.per_example_gradients(x, seed, None)?.into_any())
            })
        })
    }

    /// ‖s_x ∂C_x‖, (n,), or by layer, (n, L − 1); other arguments as for `_cost`.
    #[pyo3(name = "_per_example_norms", signature = (x, y, sample_weight, per_layer))]
    fn per_example_norms<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        per_layer: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let weighting = Weighting::of_examples(sample_weight)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => {
                Ok(typed.per_example_norms(x, seed, per_layer)?.into_any())
            })
        })
    }

    /// The sum of the clipped ∂C_x. `options`: c, whether the sum is 0, seed and deviation of the noise or None,
    /// and the divisor, or None for the number of examples. Other arguments as for `_cost`.
    #[pyo3(name = "_clipped", signature = (x, y, options, out))]
    fn clipped<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        options: (f64, bool, Option<(u64, f64)>, Option<f64>),
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let (max_norm, is_empty, noise, divisor) = options;
        let sum = ClippedSum {
            max_norm,
            is_empty,
            noise,
            divisor,
        };
        guarded(|| {
            let weighting = Weighting::of_examples(None)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => typed.clipped(x, seed, sum, out))
        })
    }

    /// Σ_x (s_x ∂C_x)², element by element; arguments as for `_cost`.
    #[pyo3(name = "_squared_gradients", signature = (x, y, sample_weight))]
    fn squared_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let weighting = Weighting::of_examples(sample_weight)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => typed.squared_gradients(x, seed))
        })
    }

    /// (mean, variance, standard deviation) of ∂C_x over the examples; arguments as for `_cost`.
    #[pyo3(name = "_gradient_statistics", signature = (x, y))]
    fn gradient_statistics<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(|| {
            let weighting = Weighting::of_examples(None)?;
            let seed = SeedArguments::Cost(y, &weighting);
            with_typed_network!(self, typed => {
                PyTuple::new(x.py(), typed.gradient_statistics(x, seed)?)
            })
        })
    }

    /// The diagonal of Σ_x s_x² Jᵀ H J, the Gauss–Newton matrix; arguments as for `_cost`.
    #[pyo3(name = "_gauss_newton_diagonal", signature = (x, y, sample_weight))]
    fn gauss_newton_diagonal<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let weighting = Weighting::of_examples(sample_weight)?;
            with_typed_network!(self, typed => typed.gauss_newton_diagonal(x, y, &weighting))
        })
    }

    /// The product of v with a matrix of second derivatives of C: "hessian", "ggn" or "empirical_fisher".
    /// `known`: δ^2, …, δ^L, or None.
    #[pyo3(name = "_curvature_product", signature = (matrix, examples, v, known, out))]
    fn curvature_product<'py>(
        &self,
        matrix: Name<'py>,
        examples: ExampleArguments<'py>,
        v: &Bound<'py, PyAny>,
        known: Option<&Bound<'py, PyList>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        guarded(|| {
            let (x, y, sample_weight, reduction) = examples;
            let weighting = Weighting::parse(sample_weight.as_ref(), reduction)?;
            let matrix = SecondDerivatives::from_name(&matrix.text("matrix")?)?;
            with_typed_network!(self, typed => {
                typed.curvature_product(matrix, (&x, &y), v, &weighting, (known, out))
            })
        })
    }
}
