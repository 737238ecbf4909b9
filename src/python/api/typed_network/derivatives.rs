//! Derivatives by the parameters and by x, and along directions.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::inside::tangent::Direction;
use crate::model::network::Network;
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::seed::SeedArguments;
use crate::python::api::typed_network::stored::{InputOrTrace, LayerSlices};
use crate::python::borrow::{Element, NewArray, ReadArray};
use crate::python::convert::arrays::{check_shape, input};

/// A gradient and ∂C/∂x, each if it was asked for.
type Both<'py, T> = (
    Option<Bound<'py, Gradient>>,
    Option<Bound<'py, PyArray2<T>>>,
);

impl<T: Element> TypedNetwork<'_, T> {
    /// The derivatives of the cost, or of Σ v · a^L or Σ v · z^L, by the parameters and by x.
    pub fn derivatives<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        seed: SeedArguments<'_, 'py>,
        (by_params, by_x): (bool, bool),
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Both<'py, T>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let seed_arrays = self.seed(&x.x, seed)?;
        let n = x.x.inputs(architecture)?.len();
        let gradient = || self.gradient_apart_from(py, out, &x, &[seed.named()]);
        let gradient = by_params.then(gradient).transpose()?;
        let shape = [n, architecture.n_inputs()];
        let dx = by_x.then(|| NewArray::<T, Ix2>::empty(py, &shape));
        let mut dx = dx.transpose()?;
        let params = self.numbers()?.read("params")?;
        let vector = gradient
            .as_ref()
            .map(|gradient| gradient.get().vector.numbers::<T>());
        let mut out = vector
            .transpose()?
            .map(|vector| vector.write("out"))
            .transpose()?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let targets = self.seed_targets(&seed_arrays, n)?;
        let derivatives = seed_arrays.derivatives(&targets, slices.as_ref())?;
        let numbers = out.as_deref_mut();
        let dx_slice = dx.as_mut().map(NewArray::as_slice_mut);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.derivatives(derivatives, scratch, numbers, dx_slice)
        })?;
        drop(out);
        if let Some(gradient) = &gradient {
            gradient.get().set_cost(f64::NAN);
        }
        Ok((gradient, dx.map(NewArray::into_array)))
    }

    /// a^L and its derivative along a direction.
    pub fn jvp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        dx: Option<&Bound<'py, PyAny>>,
        dparams: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<[Bound<'py, PyArray2<T>>; 2]> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputOrTrace::parse(x, self)?;
        let n = x.x.inputs(architecture)?.len();
        let dx = dx.map(|dx| input::<T, Ix2>("dx", dx)).transpose()?;
        if let Some(dx) = &dx {
            check_shape("dx", &[n, architecture.n_inputs()], dx.shape())?;
        }
        let dparams = dparams.map(|v| self.direction("dparams", v)).transpose()?;
        let shape = [n, architecture.n_outputs()];
        let mut a = NewArray::<T, Ix2>::empty(py, &shape)?;
        let mut da = NewArray::<T, Ix2>::empty(py, &shape)?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, slices) = (x.x.inputs(architecture)?, x.slices()?);
        let dparams = dparams.as_ref().map(ReadArray::as_slice).transpose()?;
        let direction = Direction {
            params: dparams.map(|v| Network::new(architecture, v)),
            x: dx.as_ref().map(ReadArray::as_slice).transpose()?,
        };
        let stored = slices.as_ref().map(LayerSlices::stored);
        let (a_slice, da_slice) = (a.as_slice_mut(), da.as_slice_mut());
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.jvp(direction, stored, scratch, a_slice, da_slice)
        })?;
        Ok([a.into_array(), da.into_array()])
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
}
