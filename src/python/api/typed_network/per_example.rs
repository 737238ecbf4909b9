//! Gradients of single examples: all of them, their norms, their clipped sum, and their squares.

use numpy::ndarray::{Ix2, IxDyn};
use numpy::{PyArray2, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::base::error::Error;
use crate::inside::clip::ClippedSum;
use crate::inside::moments::Statistics;
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::seed::{SeedArguments, SeedArrays};
use crate::python::api::typed_network::stored::InputOrTrace;
use crate::python::borrow::{Element, NewArray};
use crate::python::convert::output::{Output, check_out};

impl<T: Element> TypedNetwork<'_, T> {
    /// ∂C_x of each example, (n, P), in `out` or a new array.
    pub fn per_example_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        arguments: SeedArguments<'_, 'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let seed = self.seed(&x.x, arguments)?;
        let shape = [x.x.inputs(architecture)?.len(), architecture.n_params()];
        let numbers = self.numbers()?;
        if let Some(out) = out {
            let array = check_out::<T, Ix2>(out, &shape, &[])?.as_untyped();
            let weights = arguments.weights();
            let others = [arguments.named(), ("sample_weight", weights.as_ref())];
            x.check_out_disjoint(array, &others)?;
            numbers.check_out_disjoint(array)?;
        }
        let mut out = Output::<T, Ix2>::parse(out, py, &shape, &[])?;
        let params = numbers.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&seed, inputs.len())?;
        let derivatives = seed.derivatives(&targets, slices.as_ref())?;
        let numbers = out.as_slice_mut()?;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.per_example_gradients(derivatives, scratch, numbers)
        })?;
        Ok(out.into_array())
    }

    /// ‖∂C_x‖ of each example, (n,); or ‖∂C_x/∂(W^l, b^l)‖ of each layer too, (n, L − 1).
    pub fn per_example_norms<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        seed: SeedArguments<'_, 'py>,
        per_layer: bool,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let seed = self.seed(&x.x, seed)?;
        let n = x.x.inputs(architecture)?.len();
        let shape = [n, architecture.layers().len()];
        let shape = if per_layer { &shape[..] } else { &shape[..1] };
        let mut out = NewArray::<f64, IxDyn>::empty(py, shape)?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&seed, n)?;
        let derivatives = seed.derivatives(&targets, slices.as_ref())?;
        let numbers = out.as_slice_mut();
        self.run(py, allowed, &params, inputs, |call, scratch| {
            if per_layer {
                call.per_example_layer_norms(&derivatives, scratch, numbers)
            } else {
                call.per_example_norms(&derivatives, scratch, numbers)
            }
        })?;
        Ok(out.into_array())
    }

    /// The sum of the clipped gradients.
    pub fn clipped<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        seed: SeedArguments<'_, 'py>,
        sum: ClippedSum,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let arrays = self.seed(&x.x, seed)?;
        let gradient = self.gradient_apart_from(py, out, &x, &[seed.named()])?;
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.get().vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&arrays, inputs.len())?;
        let derivatives = arrays.derivatives(&targets, slices.as_ref())?;
        let numbers = &mut *out;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.clipped(derivatives, sum, scratch, numbers)
        })?;
        drop(out);
        gradient.get().set_cost(f64::NAN);
        Ok(gradient)
    }

    /// Σ_x (∂C_x/∂p)² of each parameter p.
    pub fn squared_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        seed: SeedArguments<'_, 'py>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let seed = self.seed(&x.x, seed)?;
        let gradient = self.gradient(py, None)?;
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.get().vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&seed, inputs.len())?;
        let derivatives = seed.derivatives(&targets, slices.as_ref())?;
        let numbers = &mut *out;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.squared_gradients(derivatives, scratch, numbers)
        })?;
        drop(out);
        gradient.get().set_cost(f64::NAN);
        Ok(gradient)
    }

    /// Mean, variance and standard deviation of ∂C_x over the examples.
    pub fn gradient_statistics<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        seed: SeedArguments<'_, 'py>,
    ) -> PyResult<[Bound<'py, Gradient>; 3]> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let seed = self.seed(&x.x, seed)?;
        let n = x.x.inputs(architecture)?.len();
        // For one example all is validated, and the error comes last.
        self.seed_targets(&seed, n)?;
        if n < 2 {
            return Err(Error::value("x", "at least two examples", n).into());
        }
        let new = || self.gradient(py, None);
        let gradients = [new()?, new()?, new()?];
        let params = self.numbers()?.read("params")?;
        let [mean, variance, deviation] = &gradients;
        let mut mean_out = mean.get().vector.numbers::<T>()?.write("out")?;
        let mut variance_out = variance.get().vector.numbers::<T>()?.write("out")?;
        let mut deviation_out = deviation.get().vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&seed, n)?;
        let derivatives = seed.derivatives(&targets, slices.as_ref())?;
        let costs = match &seed {
            SeedArrays::Cost(targets_or_costs, _) => targets_or_costs.costs()?,
            SeedArrays::Output(..) => None,
        };
        let statistics = Statistics {
            mean: &mut mean_out,
            variance: &mut variance_out,
            deviation: &mut deviation_out,
        };
        let cost = self.run(py, allowed, &params, inputs, |call, scratch| {
            call.gradient_statistics(derivatives, scratch, statistics)
        })?;
        let cost = costs.map_or(cost, |costs| targets.total(costs));
        drop((mean_out, variance_out, deviation_out));
        for gradient in &gradients {
            gradient.get().set_cost(f64::NAN);
        }
        #[allow(clippy::cast_precision_loss)] // fewer than 2^53 examples
        mean.get().set_cost(cost / n as f64);
        Ok(gradients)
    }
}
