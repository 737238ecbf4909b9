//! Calls of the core with Python's arrays: borrow, validate, call, return.

mod backprop;
mod cost;
mod curvature;
mod derivatives;
mod forward;
mod per_example;
mod scratch;
mod seed;
mod stored;
mod taylor;

pub use curvature::SecondDerivatives;
pub use scratch::{ScratchSlot, ScratchSlots};
pub use seed::SeedArguments;

use numpy::ndarray::Ix2;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::base::alloc::{try_collect, try_collect_results};
use crate::base::error::Result;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::engine::plan::Plan;
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::pool::Team;
use crate::python::api::flat_vector::FlatVector;
use crate::python::borrow::{Element, NewArray, OwnedVector, ReadGuard};
use crate::python::call::detach::detached;
use crate::python::convert::config::Config;
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::TargetsOrCosts;
use crate::python::convert::targets::{TargetArray, Weighting};

/// A network with its parameters, prepared for a call, with the element type `T`.
pub struct TypedNetwork<'a, T: Element> {
    pub config: &'a Config,
    pub params: &'a FlatVector,
    pub scratch_slot: &'a ScratchSlot<T>,
}

impl<T: Element> TypedNetwork<'_, T> {
    fn architecture(&self) -> &Architecture {
        &self.config.architecture
    }

    fn numbers(&self) -> PyResult<&OwnedVector<T>> {
        self.params.numbers::<T>()
    }

    fn targets<'a>(
        &self,
        targets_or_costs: &'a TargetsOrCosts<'_, T>,
        weighting: &'a Weighting<'_>,
        n: usize,
    ) -> Result<Targets<'a, T>> {
        let architecture = self.architecture();
        weighting.apply(
            targets_or_costs.targets(architecture.n_outputs(), architecture.cost(), n)?,
            n,
        )
    }

    /// y, or what a callable cost returned.
    fn targets_or_costs<'py>(
        &self,
        x: &InputArray<'py, T>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<TargetsOrCosts<'py, T>> {
        let architecture = self.architecture();
        let (n, width) = (x.inputs(architecture)?.len(), architecture.n_outputs());
        if self.config.custom.is_some() {
            return Ok(TargetsOrCosts::Costs(CustomCosts::parse(y, [n, width])?));
        }
        Ok(TargetsOrCosts::TargetArray(TargetArray::parse(
            width,
            architecture.cost(),
            n,
            y,
        )?))
    }

    /// One array (n, n_l) for each l = 2 … L.
    fn arrays<'py>(&self, py: Python<'py>, n: usize) -> PyResult<NewArrays<'py, T>> {
        let layers = self.architecture().layers().iter();
        let arrays = layers.map(|layer| NewArray::empty(py, &[n, layer.n_out]));
        try_collect_results("layers", arrays)
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
        let network = Network::new(self.architecture(), params);
        self.run_network(py, allowed, network, (inputs, 0), work)
    }

    /// The same for a part of the network, or with a number of directional derivatives of every layer.
    fn run_network<R: Send>(
        &self,
        py: Python<'_>,
        allowed: usize,
        network: Network<'_, T>,
        (inputs, derivatives): (Inputs<'_, T>, usize),
        work: impl FnOnce(&Call<'_, T>, &mut Scratch<T>) -> Result<R> + Send,
    ) -> PyResult<R> {
        let architecture = network.architecture;
        let plan = Plan::with_derivatives(architecture, &inputs, allowed, derivatives);
        let team = Team::assemble(plan.threads);
        let mut scratch = scratch::lock(self.scratch_slot).take().unwrap_or_default();
        let size = inputs.work(architecture).saturating_mul(1 + derivatives);
        let buffers = &mut scratch;
        // The team ends before this thread waits for the GIL.
        let outcome = detached(py, size, move |should_cancel| {
            let call = Call::planned(network, inputs, plan, &team, should_cancel);
            let outcome = work(&call, buffers);
            if outcome.is_err() && team.is_forked_child() {
                // In a forked child, memory that the parent's threads were writing must not be freed.
                std::mem::forget(std::mem::take(buffers));
            }
            outcome
        });
        if outcome.is_ok() {
            *scratch::lock(self.scratch_slot) = Some(scratch); // if another call has stored buffers, those are freed
        }
        outcome
    }
}

type NewArrays<'py, T> = Vec<NewArray<'py, T, Ix2>>;

fn slices<'a, T: Element>(arrays: &'a mut NewArrays<'_, T>) -> Result<Vec<&'a mut [T]>> {
    try_collect("layers", arrays.iter_mut().map(NewArray::as_slice_mut))
}

/// The arrays, for Python.
fn list<'py, T: Element>(
    py: Python<'py>,
    arrays: NewArrays<'py, T>,
) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, arrays.into_iter().map(NewArray::into_array))
}

/// Calls `f` with the engine of the network's dtype.
macro_rules! with_typed_network {
    ($net:expr, $typed:ident => $body:expr) => {
        match &$net.scratch_slots {
            $crate::python::api::typed_network::ScratchSlots::Float32(scratch_slot) => {
                let $typed = $net.typed(scratch_slot);
                $body
            }
            $crate::python::api::typed_network::ScratchSlots::Float64(scratch_slot) => {
                let $typed = $net.typed(scratch_slot);
                $body
            }
        }
    };
}
pub(crate) use with_typed_network;
