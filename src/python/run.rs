//! From Python's arrays to a call of the core and back: borrow, check, detach, call, return.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Ix2;
use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::arrays::{Element, Span, check_apart, empty, input, matrix, output, readwrite};
use super::config::{Config, Dtype};
use super::custom;
use super::errors::from_panic;
use super::results::{Gradient, Trace};
use super::targets::{Weighting, Y};
use super::threads;
use super::vector::Vector;
use crate::batch::{Call, Scratch};
use crate::error::{Kind, Result};
use crate::examples::{Inputs, Targets};
use crate::network::Network;
use crate::plan::Plan;
use crate::pool::Team;

/// Calls of fewer multiply-adds keep the GIL: they end within some 20 µs, and a thread that has
/// given the GIL away may wait 5 ms to have it back.
const ATTACHED_WORK: usize = 1 << 18;

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
        let py = x.py();
        let (params, x) = (self.params(py)?, input::<T, Ix2>("x", x)?);
        let inputs = self.inputs(&x)?;
        let shape = [inputs.len(), self.network().n_outputs()];
        let array = output::<T, Ix2>(out, py, &shape, &[Span::of(&x), Span::of(&params)])?;
        let mut place = readwrite(&array)?;
        let a = place.as_slice_mut()?;
        self.run(py, &params, inputs, |call, scratch| {
            call.forward(scratch, a)
        })?;
        Ok(array)
    }

    /// z^l and a^l.
    pub fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        let py = x.py();
        let (params, x) = (self.params(py)?, input::<T, Ix2>("x", x)?);
        let inputs = self.inputs(&x)?;
        let (z, a) = (
            self.arrays(py, inputs.len())?,
            self.arrays(py, inputs.len())?,
        );
        let (mut z_places, mut a_places) = (places(&z)?, places(&a)?);
        let (mut z_slices, mut a_slices) = (slices(&mut z_places)?, slices(&mut a_places)?);
        self.run(py, &params, inputs, |call, scratch| {
            call.trace(scratch, &mut z_slices, &mut a_slices)
        })?;
        let first = empty::<T, Ix2>(py, x.shape())?;
        readwrite(&first)?
            .as_slice_mut()?
            .copy_from_slice(x.as_slice()?);
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
        let (params, x) = (self.params(py)?, input::<T, Ix2>("x", x)?);
        let inputs = self.inputs(&x)?;
        let n = inputs.len();
        if let Some(called) = self.call_custom(&params, &x, y)? {
            return self.total(&called, weighting, n);
        }
        let y = Y::<T>::parse(self.network(), n, y)?;
        let targets = weighting.apply(y.targets(self.network(), n)?, n)?;
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
        let (params, x) = (self.params(py)?, input::<T, Ix2>("x", x)?);
        let inputs = self.inputs(&x)?;
        let n = inputs.len();
        let (y, _) = self.targets(&params, &x, y)?;
        let targets = weighting.apply(y.targets(self.network(), n)?, n)?;
        let delta = self.arrays(py, n)?;
        let mut delta_places = places(&delta)?;
        let mut delta_slices = slices(&mut delta_places)?;
        self.run(py, &params, inputs, |call, scratch| {
            call.errors(&targets, scratch, &mut delta_slices)
        })?;
        PyList::new(py, delta)
    }

    /// C and the gradient, into `gradient`.
    pub fn backprop(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weighting: &Weighting<'_>,
        gradient: &Gradient,
    ) -> PyResult<()> {
        let py = x.py();
        let (params, x) = (self.params(py)?, input::<T, Ix2>("x", x)?);
        let inputs = self.inputs(&x)?;
        let n = inputs.len();
        let (y, called) = self.targets(&params, &x, y)?;
        let targets = weighting.apply(y.targets(self.network(), n)?, n)?;
        let array = gradient.vector.array::<T>(py)?;
        let weights = weighting
            .sample_weight
            .as_ref()
            .map(|weights| Span::of(weights));
        let used = [Span::of(&x), y.span(), weights.unwrap_or(Span::of(&x))];
        check_apart(Span::of(&array), &used)?;
        let mut place = readwrite(&array)?;
        let numbers = place.as_slice_mut()?;
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
            return Bound::new(py, Gradient::empty(py, &self.config.network, dtype)?);
        };
        let Ok(gradient) = out.cast::<Gradient>() else {
            return Err(super::errors::wrong_type("out", "a Gradient", out));
        };
        gradient.get().check(self.network(), dtype)?;
        gradient.get().vector.check_writeable::<T>(py)?;
        Ok(gradient.clone())
    }

    fn network(&self) -> &Network {
        &self.config.network
    }

    fn params<'py>(&self, py: Python<'py>) -> PyResult<PyReadonlyArray1<'py, T>> {
        Ok(self.params.array::<T>(py)?.try_readonly()?)
    }

    fn inputs<'a>(&self, x: &'a PyReadonlyArray2<'_, T>) -> Result<Inputs<'a, T>> {
        Inputs::new(self.network(), matrix(x))
    }

    /// One array (n, n_l) for each l = 2 … L.
    fn arrays<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Vec<Bound<'py, PyArray2<T>>>> {
        let layers = self.network().layers().iter();
        layers
            .map(|layer| empty::<T, Ix2>(py, &[n, layer.n_out]))
            .collect()
    }

    /// y, or ∇_a C in its place where the cost is a callable, which is then called.
    fn targets<'py>(
        &self,
        params: &PyReadonlyArray1<'py, T>,
        x: &PyReadonlyArray2<'py, T>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<(Y<'py, T>, Option<custom::Called<'py, T>>)> {
        match self.call_custom(params, x, y)? {
            Some(called) => Ok((Y::Values(called.nabla_a.clone()), Some(called))),
            None => Ok((Y::parse(self.network(), x.shape()[0], y)?, None)),
        }
    }

    /// Calls the cost, if it is a callable, with the outputs of the whole batch.
    fn call_custom<'py>(
        &self,
        params: &PyReadonlyArray1<'py, T>,
        x: &PyReadonlyArray2<'py, T>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Option<custom::Called<'py, T>>> {
        let Some(cost) = &self.config.custom else {
            return Ok(None);
        };
        let py = y.py();
        let shape = [x.shape()[0], self.network().n_outputs()];
        let a = empty::<T, Ix2>(py, &shape)?;
        let mut place = readwrite(&a)?;
        let numbers = place.as_slice_mut()?;
        self.run(py, params, self.inputs(x)?, |call, scratch| {
            call.forward(scratch, numbers)
        })?;
        drop(place);
        custom::call(cost.bind(py), a.as_any(), y, shape).map(Some)
    }

    /// C from the C_x of a callable.
    fn total(
        &self,
        called: &custom::Called<'_, T>,
        weighting: &Weighting<'_>,
        n: usize,
    ) -> PyResult<f64> {
        let targets = Targets::values(self.network(), n, matrix(&called.nabla_a))?;
        Ok(weighting.apply(targets, n)?.total(called.costs.as_slice()?))
    }

    /// Runs `work` with the GIL released, on a team of threads.
    fn run<R: Send>(
        &self,
        py: Python<'_>,
        params: &PyReadonlyArray1<'_, T>,
        inputs: Inputs<'_, T>,
        work: impl FnOnce(&Call<'_, T>, &mut Scratch<T>) -> Result<R> + Send,
    ) -> PyResult<R> {
        let network = self.network();
        let plan = Plan::new(network, inputs.len(), size_of::<T>());
        let team = Team::assemble(plan.useful_threads(threads::in_force()?));
        let raised = Mutex::new(None);
        #[allow(clippy::redundant_closure_for_method_calls)] // the method is not general enough
        let question = || match Python::attach(|py| py.check_signals()) {
            Ok(()) => false,
            Err(error) => {
                *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                true
            }
        };
        let params = params.as_slice()?;
        let mut scratch = lock(self.slot).take().unwrap_or_default();
        let guarded = || {
            let call = Call::new(network, params, inputs, &team, &question);
            catch_unwind(AssertUnwindSafe(|| work(&call, &mut scratch)))
        };
        let outcome = if inputs.len().saturating_mul(network.n_weights()) < ATTACHED_WORK {
            guarded()
        } else {
            py.detach(guarded)
        };
        *lock(self.slot) = Some(scratch);
        let raised = raised.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (outcome, raised) {
            (Ok(Err(error)), Some(raised)) if error.kind() == Kind::Interrupted => Err(raised),
            (Ok(result), _) => result.map_err(Into::into),
            (Err(panic), _) => Err(from_panic(&*panic)),
        }
    }
}

fn lock<T>(slot: &Slot<T>) -> std::sync::MutexGuard<'_, Option<Scratch<T>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

type Places<'py, T> = Vec<numpy::PyReadwriteArray2<'py, T>>;

fn places<'py, T: Element>(arrays: &[Bound<'py, PyArray2<T>>]) -> PyResult<Places<'py, T>> {
    arrays.iter().map(readwrite).collect()
}

fn slices<'a, T: Element>(places: &'a mut Places<'_, T>) -> PyResult<Vec<&'a mut [T]>> {
    let slice = |place: &'a mut numpy::PyReadwriteArray2<'_, T>| Ok(place.as_slice_mut()?);
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
