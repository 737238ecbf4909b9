//! `errors` and `backprop`, and the gradient that `backprop` writes to.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::inside::derivatives::{Derivatives, Seed};
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::trace::Trace;
use crate::python::api::typed_network::stored::{InputOrTrace, LayerSlices};
use crate::python::api::typed_network::{TypedNetwork, list, slices};
use crate::python::borrow::{Element, NamedInput, check_out_disjoint};
use crate::python::call::errors::wrong_type;
use crate::python::convert::dropout::StepDropout;
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::Weighting;

impl<T: Element> TypedNetwork<'_, T> {
    /// δ^2, …, δ^L.
    pub fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let mut delta = self.arrays(py, x.x.inputs(architecture)?.len())?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, known) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        let mut delta_slices = slices(&mut delta)?;
        let derivatives = Derivatives {
            seed: Seed::Cost(&targets),
            stored: known.as_ref().map(LayerSlices::stored),
        };
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.errors_of(&derivatives, scratch, &mut delta_slices)
        })?;
        list(py, delta)
    }

    /// Computes C and the gradient into `gradient`. `weighting` was made from `sample_weight`.
    pub fn backprop<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        (sample_weight, weighting): (Option<&Bound<'py, PyAny>>, &Weighting<'py>),
        gradient: &Gradient,
        dropout: Option<&StepDropout<'py>>,
    ) -> PyResult<()> {
        let (py, x) = (x.py(), InputOrTrace::parse(x, self)?);
        let out = gradient.vector.flat(py)?;
        let others = [("y", Some(y)), ("sample_weight", sample_weight)];
        x.check_out_disjoint(out.cast()?, &others)?;
        let targets_or_costs = self.targets_or_costs(&x.x, y)?;
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, known) = (x.x.inputs(self.architecture())?, x.slices()?);
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        let costs = targets_or_costs.costs()?;
        let dropout = dropout.map(|dropout| dropout.of_examples(inputs.len()));
        let dropout = dropout.transpose()?;
        if known.is_some() && dropout.is_some() {
            let message = "x: expected the examples with dropout, got a Trace";
            return Err(PyTypeError::new_err(message));
        }
        let numbers = &mut *out;
        let cost = self.run(py, allowed, &params, inputs, |call, scratch| match &known {
            None => (*call)
                .with_dropout(dropout)
                .backprop(&targets, scratch, numbers),
            Some(known) => call.backprop_stored(&targets, known.stored(), scratch, numbers),
        })?;
        gradient.set_cost(costs.map_or(cost, |costs| targets.total(costs)));
        Ok(())
    }

    /// For a callable cost: x and the weights as arrays of their dtypes. Arguments that are invalid
    /// whatever the cost returns are refused here, before it is called.
    pub fn prepare<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        weighting: &Weighting<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
        if x.is_instance_of::<Trace>() {
            let expected = "the examples where the cost is a callable";
            let message = format!("x: expected {expected}, got a Trace; its a[0] has the examples");
            return Err(PyTypeError::new_err(message));
        }
        let gradient = out.map(|out| self.checked(out)).transpose()?;
        let x = InputArray::<T>::parse(x)?;
        if let Some(gradient) = gradient {
            check_gradient_disjoint(gradient.get(), &x, y, sample_weight)?;
        }
        x.inputs(self.architecture())?;
        Ok((x.object(), weighting.object()))
    }

    /// The gradient to write to: `out`, after validation, or a new one.
    pub fn gradient<'py>(
        &self,
        py: Python<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        match out {
            Some(out) => self.checked(out).cloned(),
            None => Bound::new(
                py,
                Gradient::zeros(py, &self.config.architecture, self.params.dtype)?,
            ),
        }
    }

    /// The same, which shares no memory with x, its trace, or `others`.
    pub fn gradient_apart_from<'py>(
        &self,
        py: Python<'py>,
        out: Option<&Bound<'py, PyAny>>,
        x: &InputOrTrace<'py, T>,
        others: &[NamedInput<'_, 'py>],
    ) -> PyResult<Bound<'py, Gradient>> {
        let gradient = self.gradient(py, out)?;
        if out.is_some() {
            let flat = gradient.get().vector.flat(py)?;
            x.check_out_disjoint(flat.cast()?, others)?;
        }
        Ok(gradient)
    }

    /// `out` as a gradient, after validation.
    fn checked<'a, 'py>(&self, out: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, Gradient>> {
        let Ok(gradient) = out.cast::<Gradient>() else {
            return Err(wrong_type("out", "a Gradient", out));
        };
        gradient
            .get()
            .check(self.architecture(), self.params.dtype)?;
        gradient.get().vector.check_writeable(out.py(), "out")?;
        Ok(gradient)
    }
}

/// # Errors
/// The gradient shares memory with one of the user's arrays.
pub(super) fn check_gradient_disjoint<T: Element>(
    gradient: &Gradient,
    x: &InputArray<'_, T>,
    y: &Bound<'_, PyAny>,
    sample_weight: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let out = gradient.vector.flat(y.py())?;
    check_out_disjoint(out.cast()?, &x.named())?;
    let others = [("y", Some(y)), ("sample_weight", sample_weight)];
    check_out_disjoint(out.cast()?, &others)
}
