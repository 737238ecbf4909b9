//! `vjp`, `jvp` and `input_gradient`.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::error::Error;
use crate::inside::derivatives::{Derivatives, Seed};
use crate::inside::tangent::Direction;
use crate::model::network::Network;
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::stored::{InputOrTrace, LayerSlices};
use crate::python::borrow::{Element, ReadArray, readwrite};
use crate::python::convert::arrays::{empty, input};
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::Weighting;

/// A gradient and ∂C/∂x, each if it was asked for.
type Both<'py, T> = (
    Option<Bound<'py, Gradient>>,
    Option<Bound<'py, PyArray2<T>>>,
);

impl<T: Element> TypedNetwork<'_, T> {
    /// The derivatives of Σ v · a^L, or of Σ v · z^L if `at_z`, by the parameters and by x.
    pub fn vjp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        at_z: bool,
        (by_params, by_x): (bool, bool),
    ) -> PyResult<Both<'py, T>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, architecture)?;
        let v = input::<T, Ix2>("v", v)?;
        let n = x.x.inputs(architecture)?.len();
        check_shape("v", &[n, architecture.n_outputs()], v.shape())?;
        let gradient = by_params.then(|| self.gradient(py, None)).transpose()?;
        let dx = self.new_dx(py, n, by_x)?;
        let params = self.numbers()?.read("params")?;
        let vector = gradient
            .as_ref()
            .map(|gradient| gradient.get().vector.numbers::<T>());
        let mut out = vector
            .transpose()?
            .map(|vector| vector.write("out"))
            .transpose()?;
        let mut dx_out = dx.as_ref().map(|dx| readwrite("out", dx)).transpose()?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices, v) = (x.x.inputs(architecture)?, x.slices()?, v.as_slice()?);
        let derivatives = Derivatives {
            seed: if at_z {
                Seed::WeightedInput(v)
            } else {
                Seed::Output(v)
            },
            stored: slices.as_ref().map(LayerSlices::stored),
        };
        let numbers = out.as_deref_mut();
        let dx_slice = dx_out.as_mut().map(|dx| dx.as_slice_mut()).transpose()?;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.derivatives(derivatives, scratch, numbers, dx_slice)
        })?;
        drop(out);
        if let Some(gradient) = &gradient {
            gradient.get().set_cost(f64::NAN);
        }
        Ok((gradient, dx))
    }

    /// ∂C/∂x, (n, n_1).
    pub fn input_gradient<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, x) = (x.py(), InputArray::parse(x)?);
        let targets_or_costs = self.targets_or_costs(&x, y)?;
        let n = x.inputs(self.architecture())?.len();
        let dx = empty::<T, Ix2>(py, &[n, self.architecture().n_inputs()])?;
        let params = self.numbers()?.read("params")?;
        let mut out = readwrite("out", &dx)?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(self.architecture())?;
        let targets = self.targets(&targets_or_costs, weighting, inputs.len())?;
        let derivatives = Derivatives {
            seed: Seed::Cost(&targets),
            stored: None,
        };
        let dx_slice = Some(out.as_slice_mut()?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.derivatives(derivatives, scratch, None, dx_slice)
        })?;
        Ok(dx)
    }

    /// a^L and its derivative along a direction.
    pub fn jvp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        dx: Option<&Bound<'py, PyAny>>,
        dparams: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<[Bound<'py, PyArray2<T>>; 2]> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, architecture)?;
        let n = x.x.inputs(architecture)?.len();
        let dx = dx.map(|dx| input::<T, Ix2>("dx", dx)).transpose()?;
        if let Some(dx) = &dx {
            check_shape("dx", &[n, architecture.n_inputs()], dx.shape())?;
        }
        let dparams = dparams.map(|v| self.direction("dparams", v)).transpose()?;
        let shape = [n, architecture.n_outputs()];
        let (a, da) = (empty::<T, Ix2>(py, &shape)?, empty::<T, Ix2>(py, &shape)?);
        let params = self.numbers()?.read("params")?;
        let (mut a_out, mut da_out) = (readwrite("out", &a)?, readwrite("out", &da)?);
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let dparams = dparams.as_ref().map(ReadArray::as_slice).transpose()?;
        let direction = Direction {
            params: dparams.map(|v| Network::new(architecture, v)),
            x: dx.as_ref().map(ReadArray::as_slice).transpose()?,
        };
        let stored = slices.as_ref().map(LayerSlices::stored);
        let (a_slice, da_slice) = (a_out.as_slice_mut()?, da_out.as_slice_mut()?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.jvp(direction, stored, scratch, a_slice, da_slice)
        })?;
        drop((a_out, da_out));
        Ok([a, da])
    }

    /// A vector in the layout of the parameters.
    pub fn direction<'py>(
        &self,
        argument: &'static str,
        v: &Bound<'py, PyAny>,
    ) -> PyResult<ReadArray<'py, T, Ix1>> {
        let v = input::<T, Ix1>(argument, v)?;
        check_shape(argument, &[self.architecture().n_params()], v.shape())?;
        Ok(v)
    }

    fn new_dx<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        asked: bool,
    ) -> PyResult<Option<Bound<'py, PyArray2<T>>>> {
        let shape = [n, self.architecture().n_inputs()];
        asked.then(|| empty::<T, Ix2>(py, &shape)).transpose()
    }
}

pub fn check_shape(argument: &str, expected: &[usize], got: &[usize]) -> PyResult<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::shape(argument, expected, got).into())
}
