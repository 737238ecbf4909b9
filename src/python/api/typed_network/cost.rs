//! `cost`, in total and of each example.

use numpy::PyArray1;
use numpy::ndarray::Ix1;
use pyo3::prelude::*;

use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::stored::InputOrTrace;
use crate::python::borrow::{Element, NewArray};

use crate::python::convert::targets::Weighting;

impl<T: Element> TypedNetwork<'_, T> {
    /// C.
    pub fn cost(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weighting: &Weighting<'_>,
    ) -> PyResult<f64> {
        let (py, x) = (x.py(), InputOrTrace::parse(x, self)?);
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(self.architecture())?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        if let Some(costs) = targets_or_costs.costs()? {
            return Ok(targets.total(costs));
        }
        self.run(
            py,
            allowed,
            &params,
            inputs,
            |call, scratch| match &slices {
                None => call.cost(&targets, scratch),
                Some(slices) => call.cost_stored(&targets, slices.stored(), scratch),
            },
        )
    }

    /// s_x C_x of each example, (n,).
    pub fn costs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (py, x) = (x.py(), InputOrTrace::parse(x, self)?);
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let n = x.x.inputs(self.architecture())?.len();
        let mut out = NewArray::<f64, Ix1>::empty(py, &[n])?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(self.architecture())?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        let costs = out.as_slice_mut();
        match targets_or_costs.costs()? {
            Some(of_examples) => costs.copy_from_slice(of_examples),
            None => self.run(
                py,
                allowed,
                &params,
                inputs,
                |call, scratch| match &slices {
                    None => call.costs(&targets, scratch, costs),
                    Some(slices) => call.costs_stored(&targets, slices.stored(), scratch, costs),
                },
            )?,
        }
        targets.weigh(out.as_slice_mut());
        Ok(out.into_array())
    }
}
