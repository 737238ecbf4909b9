//! Calls of the core with Python's arrays: borrow, validate, call, return.

use std::sync::{Mutex, PoisonError};

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::base::alloc::try_list;
use crate::base::error::Result;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::engine::plan::Plan;
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::pool::Team;
use crate::python::api::results::{Gradient, Trace};
use crate::python::api::threads;
use crate::python::api::vector::FlatVector;
use crate::python::borrow::{Element, Owned, ReadGuard, WriteArray, check_out_apart, readwrite};
use crate::python::call::detach::detached;
use crate::python::convert::arrays::{empty, output};
use crate::python::convert::config::{Config, Dtype};
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::inputs::XArray;
use crate::python::convert::targets::{Weighting, YArray};
use crate::python::convert::wanted::TargetsOrCosts;

/// The buffers that a network keeps between calls; a concurrent call allocates its own.
pub type ScratchSlot<T> = Mutex<Option<Scratch<T>>>;

/// A network with its parameters, prepared for a call, with the element type `T`.
pub struct Engine<'a, T: Element> {
    pub config: &'a Config,
    pub params: &'a FlatVector,
    pub scratch_slot: &'a ScratchSlot<T>,
}

impl<T: Element> Engine<'_, T> {
    /// a^L, (n, n_L), in `out` or a new array.
    pub fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = XArray::parse(x)?;
        let shape = [x.inputs(architecture)?.len(), architecture.n_outputs()];
        let array = output::<T, Ix2>(out, py, &shape, &x.given())?;
        let numbers = self.numbers()?;
        if out.is_some() {
            numbers.check_out_apart(array.as_untyped())?;
        }
        let params = numbers.read("params")?;
        let mut place = readwrite("out", &array)?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let (inputs, a) = (x.inputs(architecture)?, place.as_slice_mut()?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.forward(scratch, a)
        })?;
        Ok(array)
    }

    /// z^l and a^l.
    pub fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = XArray::parse(x)?;
        let n = x.inputs(architecture)?.len();
        let params = self.numbers()?.read("params")?;
        let (z, a) = (self.arrays(py, n)?, self.arrays(py, n)?);
        let first = empty::<T, Ix2>(py, &[n, architecture.n_inputs()])?;
        let (mut z_arrays, mut a_arrays) = (write_arrays(&z)?, write_arrays(&a)?);
        let mut first_place = readwrite("out", &first)?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(architecture)?;
        let (mut z_slices, mut a_slices) = (slices(&mut z_arrays)?, slices(&mut a_arrays)?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.trace(scratch, &mut z_slices, &mut a_slices)
        })?;
        inputs.write_dense(first_place.as_slice_mut()?);
        Ok(Trace {
            z: PyList::new(py, z)?.unbind(),
            a: PyList::new(py, std::iter::once(first).chain(a))?.unbind(),
        })
    }

    /// C.
    pub fn cost(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weighting: &Weighting<'_>,
    ) -> PyResult<f64> {
        let (py, x) = (x.py(), XArray::parse(x)?);
        let wanted = self.wanted(&x, y)?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(self.architecture())?;
        let targets = self.targets(&wanted, weighting, inputs.len())?;
        if let Some(costs) = wanted.costs()? {
            return Ok(targets.total(costs));
        }
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.cost(&targets, scratch)
        })
    }

    /// s_x C_x of each example, (n,).
    pub fn costs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (py, x) = (x.py(), XArray::parse(x)?);
        let wanted = self.wanted(&x, y)?;
        let array = empty::<f64, Ix1>(py, &[x.inputs(self.architecture())?.len()])?;
        let params = self.numbers()?.read("params")?;
        let mut place = readwrite("out", &array)?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(self.architecture())?;
        let targets = self.targets(&wanted, weighting, inputs.len())?;
        let costs = place.as_slice_mut()?;
        match wanted.costs()? {
            Some(of_examples) => costs.copy_from_slice(of_examples),
            None => self.run(py, allowed, &params, inputs, |call, scratch| {
                call.costs(&targets, scratch, costs)
            })?,
        }
        targets.weigh(place.as_slice_mut()?);
        drop(place);
        Ok(array)
    }

    /// δ^2, …, δ^L.
    pub fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, x) = (x.py(), XArray::parse(x)?);
        let wanted = self.wanted(&x, y)?;
        let delta = self.arrays(py, x.inputs(self.architecture())?.len())?;
        let params = self.numbers()?.read("params")?;
        let mut delta_arrays = write_arrays(&delta)?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(self.architecture())?;
        let targets = self.targets(&wanted, weighting, inputs.len())?;
        let mut delta_slices = slices(&mut delta_arrays)?;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.errors(&targets, scratch, &mut delta_slices)
        })?;
        PyList::new(py, delta)
    }

    /// Computes C and the gradient into `gradient`. `weighting` was made from `sample_weight`.
    pub fn backprop(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        weighting: &Weighting<'_>,
        gradient: &Gradient,
    ) -> PyResult<()> {
        let (py, x) = (x.py(), XArray::parse(x)?);
        check_apart(gradient, &x, y, sample_weight)?;
        let wanted = self.wanted(&x, y)?;
        let params = self.numbers()?.read("params")?;
        let mut place = gradient.vector.numbers::<T>()?.write("out")?;
        let allowed = threads::in_force(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(self.architecture())?;
        let targets = self.targets(&wanted, weighting, inputs.len())?;
        let costs = wanted.costs()?;
        let numbers = &mut *place;
        let cost = self.run(py, allowed, &params, inputs, |call, scratch| {
            call.backprop(&targets, scratch, numbers)
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
        let gradient = out.map(|out| self.checked(out)).transpose()?;
        let x = XArray::<T>::parse(x)?;
        if let Some(gradient) = gradient {
            check_apart(gradient.get(), &x, y, sample_weight)?;
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

    /// `out` as a gradient, after validation.
    fn checked<'a, 'py>(&self, out: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, Gradient>> {
        let Ok(gradient) = out.cast::<Gradient>() else {
            return Err(crate::python::call::errors::wrong_type(
                "out",
                "a Gradient",
                out,
            ));
        };
        gradient
            .get()
            .check(self.architecture(), self.params.dtype)?;
        gradient.get().vector.check_writeable(out.py(), "out")?;
        Ok(gradient)
    }

    fn architecture(&self) -> &Architecture {
        &self.config.architecture
    }

    fn numbers(&self) -> PyResult<&Owned<T>> {
        self.params.numbers::<T>()
    }

    fn targets<'a>(
        &self,
        wanted: &'a TargetsOrCosts<'_, T>,
        weighting: &'a Weighting<'_>,
        n: usize,
    ) -> Result<Targets<'a, T>> {
        let architecture = self.architecture();
        weighting.apply(
            wanted.targets(architecture.n_outputs(), architecture.cost(), n)?,
            n,
        )
    }

    /// y, or what a callable cost returned.
    fn wanted<'py>(
        &self,
        x: &XArray<'py, T>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<TargetsOrCosts<'py, T>> {
        let architecture = self.architecture();
        let (n, width) = (x.inputs(architecture)?.len(), architecture.n_outputs());
        if self.config.custom.is_some() {
            return Ok(TargetsOrCosts::Costs(CustomCosts::parse(y, [n, width])?));
        }
        Ok(TargetsOrCosts::YArray(YArray::parse(
            width,
            architecture.cost(),
            n,
            y,
        )?))
    }

    /// One array (n, n_l) for each l = 2 … L.
    fn arrays<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Vec<Bound<'py, PyArray2<T>>>> {
        let layers = self.architecture().layers().iter();
        let arrays = layers.map(|layer| empty::<T, Ix2>(py, &[n, layer.n_out]));
        try_list("layers", arrays)
    }

    /// Runs `work` with as many threads as pay off, at most `allowed`.
    fn run<R: Send>(
        &self,
        py: Python<'_>,
        allowed: usize,
        params: &ReadGuard<'_, T>,
        inputs: Inputs<'_, T>,
        work: impl FnOnce(&Call<'_, T>, &mut Scratch<T>) -> Result<R> + Send,
    ) -> PyResult<R> {
        let architecture = self.architecture();
        let plan = Plan::of(architecture, &inputs, allowed);
        let network = Network::new(architecture, params);
        let team = Team::assemble(plan.threads);
        let mut scratch = lock(self.scratch_slot).take().unwrap_or_default();
        let size = inputs.work(architecture);
        let buffers = &mut scratch;
        // The team ends before this thread waits for the GIL.
        let outcome = detached(py, size, move |should_cancel| {
            let call = Call::planned(network, inputs, plan, &team, should_cancel);
            let outcome = work(&call, buffers);
            if outcome.is_err() && team.is_parents() {
                // In a forked child, memory that the parent's threads were writing must not be freed.
                std::mem::forget(std::mem::take(buffers));
            }
            outcome
        });
        if outcome.is_ok() {
            *lock(self.scratch_slot) = Some(scratch); // if another call has stored buffers, those are freed
        }
        outcome
    }
}

/// # Errors The gradient shares memory with one of the user's arrays.
fn check_apart<T: Element>(
    gradient: &Gradient,
    x: &XArray<'_, T>,
    y: &Bound<'_, PyAny>,
    sample_weight: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let out = gradient.vector.flat(y.py())?;
    let [x, indices, indptr] = x.given();
    check_out_apart(out.cast()?, &[x, indices, indptr, Some(y), sample_weight])
}

fn lock<T: 'static>(
    scratch_slot: &ScratchSlot<T>,
) -> std::sync::MutexGuard<'_, Option<Scratch<T>>> {
    scratch_slot.lock().unwrap_or_else(PoisonError::into_inner)
}

type WriteArrays<'py, T> = Vec<WriteArray<'py, T, Ix2>>;

fn write_arrays<'py, T: Element>(
    arrays: &[Bound<'py, PyArray2<T>>],
) -> PyResult<WriteArrays<'py, T>> {
    let arrays = arrays.iter();
    try_list("layers", arrays.map(|array| readwrite("out", array)))
}

fn slices<'a, T: Element>(write_arrays: &'a mut WriteArrays<'_, T>) -> PyResult<Vec<&'a mut [T]>> {
    let slice = |place: &'a mut WriteArray<'_, T, Ix2>| Ok(place.as_slice_mut()?);
    try_list("layers", write_arrays.iter_mut().map(slice))
}

/// Calls `f` with the engine of the network's dtype.
macro_rules! with_engine {
    ($net:expr, $engine:ident => $body:expr) => {
        match &$net.scratch_slots {
            $crate::python::api::run::ScratchSlots::Float32(scratch_slot) => {
                let $engine = $net.engine(scratch_slot);
                $body
            }
            $crate::python::api::run::ScratchSlots::Float64(scratch_slot) => {
                let $engine = $net.engine(scratch_slot);
                $body
            }
        }
    };
}
pub(crate) use with_engine;

/// The slot of a network's dtype.
pub enum ScratchSlots {
    Float32(ScratchSlot<f32>),
    Float64(ScratchSlot<f64>),
}

impl ScratchSlots {
    /// An empty slot.
    pub fn new(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Float32 => Self::Float32(Mutex::default()),
            Dtype::Float64 => Self::Float64(Mutex::default()),
        }
    }
}
