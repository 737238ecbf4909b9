//! Products of a vector with matrices of second derivatives.

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::base::error::Error;
use crate::inside::gauss_newton::{CurvatureMatrix, CurvatureProduct};
use crate::inside::hessian::HessianProduct;
use crate::model::network::Network;
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::stored::{
    InputOrTrace, LayerSlices, layer_slices, of_layers,
};
use crate::python::borrow::Element;
use crate::python::convert::targets::Weighting;

/// A matrix of second derivatives of C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondDerivatives {
    Hessian,
    Product(CurvatureMatrix),
}

impl SecondDerivatives {
    /// # Errors
    /// No matrix has this name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        match name {
            "hessian" => Ok(Self::Hessian),
            "ggn" => Ok(Self::Product(CurvatureMatrix::GaussNewton)),
            "empirical_fisher" => Ok(Self::Product(CurvatureMatrix::EmpiricalFisher)),
            _ => {
                let names = ["hessian", "ggn", "empirical_fisher"];
                Err(Error::unknown_name("matrix", name, &names))
            }
        }
    }
}

impl<T: Element> TypedNetwork<'_, T> {
    /// The diagonal of the Gauss–Newton matrix whose factors are the squares of the weights.
    pub fn gauss_newton_diagonal<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let gradient = self.gradient(py, None)?;
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.get().vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        let stored = slices.as_ref().map(LayerSlices::stored);
        let numbers = &mut *out;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.gauss_newton_diagonal(&targets, stored, scratch, numbers)
        })?;
        drop(out);
        gradient.get().set_cost(f64::NAN);
        Ok(gradient)
    }

    /// The product of the matrix with `v`. `errors`: δ^2, …, δ^L, if they are known.
    pub fn curvature_product<'py>(
        &self,
        matrix: SecondDerivatives,
        (x, y): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
        v: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
        (errors, out): (Option<&Bound<'py, PyList>>, Option<&Bound<'py, PyAny>>),
    ) -> PyResult<Bound<'py, Gradient>> {
        let (py, architecture) = (x.py(), self.architecture());
        let only_gradients = matrix == SecondDerivatives::Product(CurvatureMatrix::EmpiricalFisher);
        if self.config.custom.is_some() && !only_gradients {
            let expected = "a cost by name, whose second derivatives are known";
            return Err(Error::value("cost", expected, "a callable").into());
        }
        let x = InputOrTrace::parse(x, self)?;
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let n = x.x.inputs(architecture)?.len();
        let weights = weighting.object();
        let others = [
            ("y", Some(y)),
            ("v", Some(v)),
            ("sample_weight", weights.as_ref()),
            ("errors", errors.map(Bound::as_any)),
        ];
        let gradient = self.gradient_apart_from(py, out, &x, &others)?;
        let v = self.direction("v", v)?;
        let errors = match errors {
            Some(list) if list.len() == architecture.layers().len() => {
                Some(of_layers::<T>("errors", list, 0, n, architecture)?)
            }
            Some(list) => {
                let expected = format!("{} arrays", architecture.layers().len());
                return Err(Error::value("errors", expected, list.len()).into());
            }
            None => None,
        };
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.get().vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, n)?;
        let direction = Network::new(architecture, v.as_slice()?);
        let stored = slices.as_ref().map(LayerSlices::stored);
        let errors = errors
            .as_ref()
            .map(|errors| layer_slices(errors))
            .transpose()?;
        let numbers = &mut *out;
        self.run(py, allowed, &params, inputs, |call, scratch| match matrix {
            SecondDerivatives::Hessian => {
                let product = HessianProduct {
                    targets: &targets,
                    direction,
                    stored,
                    errors: errors.as_deref(),
                };
                call.hvp(&product, scratch, numbers)
            }
            SecondDerivatives::Product(matrix) => {
                let product = CurvatureProduct {
                    matrix,
                    targets: &targets,
                    direction,
                    stored,
                };
                call.curvature_product(&product, scratch, numbers)
            }
        })?;
        drop(out);
        gradient.get().set_cost(f64::NAN);
        Ok(gradient)
    }
}
