//! The targets of a batch: y, or what a callable cost returned for its outputs.

use pyo3::prelude::*;

use crate::base::error::Result;
use crate::data::Targets;
use crate::model::cost::Cost;
use crate::python::borrow::Element;
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::targets::YArray;

/// One of the two, borrowed or converted.
pub enum TargetsOrCosts<'py, T: Element> {
    YArray(YArray<'py, T>),
    Costs(CustomCosts<'py, T>),
}

impl<T: Element> TargetsOrCosts<'_, T> {
    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, width: usize, cost: Cost, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::YArray(y) => y.targets(width, cost, n),
            Self::Costs(costs) => Targets::values(width, n, costs.nabla_a.as_matrix()?),
        }
    }

    /// The C_x of a callable cost.
    ///
    /// # Errors
    /// Python code has changed the array in place in the meantime.
    pub fn costs(&self) -> PyResult<Option<&[f64]>> {
        Ok(match self {
            Self::YArray(_) => None,
            Self::Costs(costs) => Some(costs.of_examples.as_slice()?),
        })
    }
}
