//! From Python's arrays to a call of the core and back: borrow, check, call, return.

use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Ix2;
use numpy::{PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::arrays::{Element, empty, output};
use super::claims::Hold;
use super::config::{Config, Dtype};
use super::custom;
use super::detach::detached;
use super::inputs::X;
use super::memory::{WriteArray, readonly, readwrite};
use super::overlap::check_out_apart;
use super::owned::{Owned, Reading};
use super::results::{Gradient, Trace};
use super::targets::{Weighting, Y};
use super::threads;
use super::vector::Vector;
use crate::batch::{Call, Scratch};
use crate::error::Result;
use crate::examples::{Inputs, Targets};
use crate::network::Network;
use crate::plan::Plan;
use crate::pool::Team;

/// Buffers that a network keeps from call to call; a second thread's call takes fresh ones.
pub type Slot<T> = Mutex<Option<Scratch<T>>>;

/// A network with its parameters, ready to be called, in the number type `T`.
pub struct Engine<'a, T: Element> {
    pub config: &'a Config,
    pub params: &'a Vector,
    pub slot: &'a Slot<T>,
}

impl<T: Element> Engine<'_, T> {
    /// a^L, (n, n_L), into `out` or a fresh array.
    pub fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        self.outputs(x.py(), &X::parse(x)?, out)
    }

    fn outputs<'py>(
        &self,
        py: Python<'py>,
        x: &X<'py, T>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let inputs = x.inputs(self.network())?;
        let shape = [inputs.len(), self.network().n_outputs()];
        let numbers = self.numbers()?;
        let [x, indices, indptr] = x.given();
        let given = [x, indices, indptr, Some(numbers.array(py))];
        let array = output::<T, Ix2>(out, py, &shape, &given)?;
        let params = numbers.read(py, "params")?;
        let mut place = readwrite("out", &array)?;
        let a = place.as_slice_mut()?;
        self.run(py, &params, inputs, |call, scratch| {
            call.forward(scratch, a)
        })?;
        Ok(array)
    }

    /// z^l and a^l.
    pub fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        let py = x.py();
        let x = X::parse(x)?;
        let inputs = x.inputs(self.network())?;
        let params = self.numbers()?.read(py, "params")?;
        let (z, a) = (
            self.arrays(py, inputs.len())?,
            self.arrays(py, inputs.len())?,
        );
        let (mut z_places, mut a_places) = (places(&z)?, places(&a)?);
        let (mut z_slices, mut a_slices) = (slices(&mut z_places)?, slices(&mut a_places)?);
        self.run(py, &params, inputs, |call, scratch| {
            call.trace(scratch, &mut z_slices, &mut a_slices)
        })?;
        let first = empty::<T, Ix2>(py, &[inputs.len(), self.network().n_inputs()])?;
        inputs.write_dense(readwrite("out", &first)?.as_slice_mut()?);
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
        let py = x.py();
        let x = X::parse(x)?;
        let inputs = x.inputs(self.network())?;
        let n = inputs.len();
        if let Some(called) = self.call_custom(&x, n, y)? {
            return self.total(&called, weighting, n);
        }
        let y = self.parse_named(n, y)?;
        let targets = self.targets(&y, weighting, n)?;
        let params = self.numbers()?.read(py, "params")?;
        self.run(py, &params, inputs, |call, scratch| {
            call.cost(&targets, scratch)
        })
    }

    /// δ^2, …, δ^L.
    pub fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weighting: &Weighting<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = x.py();
        let x = X::parse(x)?;
        let inputs = x.inputs(self.network())?;
        let n = inputs.len();
        let (y, _) = self.parse_y(&x, n, y)?;
        let targets = self.targets(&y, weighting, n)?;
        let params = self.numbers()?.read(py, "params")?;
        let delta = self.arrays(py, n)?;
        let mut delta_places = places(&delta)?;
        let mut delta_slices = slices(&mut delta_places)?;
        self.run(py, &params, inputs, |call, scratch| {
            call.errors(&targets, scratch, &mut delta_slices)
        })?;
        PyList::new(py, delta)
    }

    /// C and the gradient, into `gradient`. `sample_weight` is what `weighting` was made from.
    pub fn backprop(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        weighting: &Weighting<'_>,
        gradient: &Gradient,
    ) -> PyResult<()> {
        let py = x.py();
        let result = gradient.vector.numbers::<T>()?;
        let x = X::parse(x)?;
        let [given, indices, indptr] = x.given();
        check_out_apart(
            result.array(py).as_untyped(),
            &[given, indices, indptr, Some(y), sample_weight],
        )?;
        let inputs = x.inputs(self.network())?;
        let n = inputs.len();
        let (y, called) = self.parse_y(&x, n, y)?;
        let targets = self.targets(&y, weighting, n)?;
        let params = self.numbers()?.read(py, "params")?;
        let place = result.write(py, "out", Hold::Writes)?;
        let numbers = &mut *place.numbers;
        let cost = self.run(py, &params, inputs, |call, scratch| {
            call.backprop(&targets, scratch, numbers)
        })?;
        gradient.set_cost(match called {
            Some(called) => self.total(&called, weighting, n)?,
            None => cost,
        });
        Ok(())
    }

    /// A gradient to write to: `out`, checked, or a fresh one.
    pub fn gradient<'py>(
        &self,
        py: Python<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let dtype = self.params.dtype;
        let Some(out) = out else {
            return Bound::new(py, Gradient::zeros(py, &self.config.network, dtype)?);
        };
        let Ok(gradient) = out.cast::<Gradient>() else {
            return Err(super::errors::wrong_type("out", "a Gradient", out));
        };
        gradient.get().check(self.network(), dtype)?;
        gradient.get().vector.check_writeable(py, "out")?;
        Ok(gradient.clone())
    }

    fn network(&self) -> &Network {
        &self.config.network
    }

    fn numbers(&self) -> PyResult<&Owned<T>> {
        self.params.numbers::<T>()
    }

    fn targets<'a>(
        &self,
        y: &'a Y<'_, T>,
        weighting: &'a Weighting<'_>,
        n: usize,
    ) -> Result<Targets<'a, T>> {
        let network = self.network();
        weighting.apply(y.targets(network.n_outputs(), network.cost(), n)?, n)
    }

    /// One array (n, n_l) for each l = 2 … L.
    fn arrays<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Vec<Bound<'py, PyArray2<T>>>> {
        let layers = self.network().layers().iter();
        layers
            .map(|layer| empty::<T, Ix2>(py, &[n, layer.n_out]))
            .collect()
    }

    /// y, or ∇_a C in its place where the cost is a callable, which is then called.
    fn parse_y<'py>(
        &self,
        x: &X<'py, T>,
        n: usize,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<(Y<'py, T>, Option<custom::Called<'py, T>>)> {
        match self.call_custom(x, n, y)? {
            Some(called) => {
                let nabla_a = readonly("cost: nabla_a", &called.nabla_a)?;
                Ok((Y::Values(nabla_a), Some(called)))
            }
            None => Ok((self.parse_named(n, y)?, None)),
        }
    }

    /// y, for a cost that has a name.
    fn parse_named<'py>(&self, n: usize, y: &Bound<'py, PyAny>) -> PyResult<Y<'py, T>> {
        let network = self.network();
        Y::parse(network.n_outputs(), network.cost(), n, y)
    }

    /// Calls the cost, if it is a callable, with the outputs of the whole batch.
    fn call_custom<'py>(
        &self,
        x: &X<'py, T>,
        n: usize,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Option<custom::Called<'py, T>>> {
        let Some(cost) = &self.config.custom else {
            return Ok(None);
        };
        let py = y.py();
        let shape = [n, self.network().n_outputs()];
        let a = self.outputs(py, x, None)?;
        custom::call(cost.bind(py), a.as_any(), y, shape).map(Some)
    }

    /// C from the C_x of a callable.
    fn total(
        &self,
        called: &custom::Called<'_, T>,
        weighting: &Weighting<'_>,
        n: usize,
    ) -> PyResult<f64> {
        let width = self.network().n_outputs();
        let targets = Targets::values(width, n, called.nabla_a.as_array())?;
        Ok(weighting.apply(targets, n)?.total(called.costs.as_slice()?))
    }

    /// Runs `work` with as many threads as are worth it and allowed.
    fn run<R: Send>(
        &self,
        py: Python<'_>,
        params: &Reading<'_, T>,
        inputs: Inputs<'_, T>,
        work: impl FnOnce(&Call<'_, T>, &mut Scratch<T>) -> Result<R> + Send,
    ) -> PyResult<R> {
        let network = self.network();
        let plan = Plan::of(network, &inputs, threads::in_force(py)?);
        let params = params.numbers;
        let team = Team::assemble(plan.threads);
        let mut scratch = lock(self.slot).take().unwrap_or_default();
        let size = inputs.work(network);
        let buffers = &mut scratch;
        // The team ends before the GIL is waited for.
        let outcome = detached(py, size, move |question| {
            let call = Call::planned(network, params, inputs, plan, &team, question);
            let outcome = work(&call, buffers);
            if outcome.is_err() && team.is_parents() {
                // What the parent's threads have left half-changed is not freed.
                std::mem::forget(std::mem::take(buffers));
            }
            outcome
        });
        if outcome.is_ok() {
            *lock(self.slot) = Some(scratch); // else what it holds is given back
        }
        outcome
    }
}

fn lock<T: 'static>(slot: &Slot<T>) -> std::sync::MutexGuard<'_, Option<Scratch<T>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

type Places<'py, T> = Vec<WriteArray<'py, T, Ix2>>;

fn places<'py, T: Element>(arrays: &[Bound<'py, PyArray2<T>>]) -> PyResult<Places<'py, T>> {
    let arrays = arrays.iter();
    arrays.map(|array| readwrite("out", array)).collect()
}

fn slices<'a, T: Element>(places: &'a mut Places<'_, T>) -> PyResult<Vec<&'a mut [T]>> {
    let slice = |place: &'a mut WriteArray<'_, T, Ix2>| Ok(place.as_slice_mut()?);
    places.iter_mut().map(slice).collect()
}

/// Runs `f` of the engine's number type.
macro_rules! with_engine {
    ($net:expr, $engine:ident => $body:expr) => {
        match &$net.slots {
            $crate::python::run::Slots::Float32(slot) => {
                let $engine = $net.engine(slot);
                $body
            }
            $crate::python::run::Slots::Float64(slot) => {
                let $engine = $net.engine(slot);
                $body
            }
        }
    };
}
pub(crate) use with_engine;

/// The slot of a network's dtype.
pub enum Slots {
    Float32(Slot<f32>),
    Float64(Slot<f64>),
}

impl Slots {
    /// An empty slot.
    pub fn new(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Float32 => Self::Float32(Mutex::default()),
            Dtype::Float64 => Self::Float64(Mutex::default()),
        }
    }
}
