//! Where a backward pass begins: at the cost, or at derivatives by the outputs that the user gives.

use numpy::ndarray::Ix2;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::error::Error;
use crate::data::Targets;
use crate::inside::derivatives::{Derivatives, Seed};
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::stored::LayerSlices;
use crate::python::borrow::{Element, NamedInput, ReadArray};
use crate::python::convert::arrays::{check_shape, input};
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::{TargetsOrCosts, Weighting};

/// The user's arguments.
#[derive(Clone, Copy)]
pub enum SeedArguments<'a, 'py> {
    /// y, or what a callable cost returned.
    Cost(&'a Bound<'py, PyAny>, &'a Weighting<'py>),
    /// v = ∂C/∂a^L, or ∂C/∂z^L if true.
    Output(&'a Bound<'py, PyAny>, bool),
}

impl<'a, 'py> SeedArguments<'a, 'py> {
    /// The user's y or v.
    pub fn named(self) -> NamedInput<'a, 'py> {
        match self {
            Self::Cost(y, _) => ("y", Some(y)),
            Self::Output(v, _) => ("v", Some(v)),
        }
    }

    /// The sample weights as an array.
    pub fn weights(self) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Cost(_, weighting) => weighting.object(),
            Self::Output(..) => None,
        }
    }
}

/// The same, borrowed or converted.
pub enum SeedArrays<'a, 'py, T: Element> {
    Cost(TargetsOrCosts<'py, T>, &'a Weighting<'py>),
    Output(ReadArray<'py, T, Ix2>, bool),
}

impl<T: Element> TypedNetwork<'_, T> {
    /// # Errors
    /// Wrong types or shapes.
    pub fn seed<'a, 'py>(
        &self,
        x: &InputArray<'py, T>,
        arguments: SeedArguments<'a, 'py>,
    ) -> PyResult<SeedArrays<'a, 'py, T>> {
        match arguments {
            SeedArguments::Cost(y, weighting) => {
                Ok(SeedArrays::Cost(self.targets_or_costs(x, y)?, weighting))
            }
            SeedArguments::Output(v, at_z) => {
                let architecture = self.architecture();
                if architecture.n_outputs() == 1
                    && let Ok(array) = v.cast::<PyUntypedArray>()
                    && array.ndim() == 1
                {
                    let n = array.len();
                    let got = format!("({n},); v[:, None] has the shape ({n}, 1)");
                    return Err(Error::value("v", "shape (n, 1)", got).into());
                }
                let v = input::<T, Ix2>("v", v)?;
                let n = x.inputs(architecture)?.len();
                check_shape("v", &[n, architecture.n_outputs()], v.shape())?;
                Ok(SeedArrays::Output(v, at_z))
            }
        }
    }

    /// The targets for `n` examples; unused if there is no cost.
    ///
    /// # Errors
    /// Shapes do not match, labels are out of range, or weights are invalid.
    pub fn seed_targets<'a>(
        &self,
        seed: &'a SeedArrays<'_, '_, T>,
        n: usize,
    ) -> PyResult<Targets<'a, T>> {
        match seed {
            SeedArrays::Cost(targets, weighting) => Ok(self.targets(targets, weighting, n)?),
            SeedArrays::Output(..) => Ok(Targets::none(n)),
        }
    }
}

impl<T: Element> SeedArrays<'_, '_, T> {
    /// # Errors
    /// Python code has changed an array in place in the meantime.
    pub fn derivatives<'a>(
        &'a self,
        targets: &'a Targets<'a, T>,
        known: Option<&'a LayerSlices<'a, T>>,
    ) -> PyResult<Derivatives<'a, T>> {
        let seed = match self {
            Self::Cost(..) => Seed::Cost(targets),
            Self::Output(v, true) => Seed::WeightedInput(v.as_slice()?),
            Self::Output(v, false) => Seed::Output(v.as_slice()?),
        };
        let stored = known.map(LayerSlices::stored);
        Ok(Derivatives { seed, stored })
    }
}
