//! Consecutive steps on loaded data: the implementation of `Trainer` for each element type.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::base::alloc::{try_collect_results, try_reserve};
use crate::base::error::Error;
use crate::data::Inputs;
use crate::engine::plan::Plan;
use crate::model::architecture::Architecture;
use crate::pool::Team;
use crate::python::api::network::PyNetwork;
use crate::python::api::threads;
use crate::python::api::trainer::data::TrainerData;
use crate::python::borrow::{
    Access, BorrowScope, Element, MemoryOrder, NewArray, ReadArray, WriteArray,
};
use crate::python::call::detach::detached;
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::optimizer_arrays::params_and_state;
use crate::train::monitor::Monitors;
use crate::train::{Report, Settings, StepSeries, TrainScratch};

/// The steps of a series.
pub struct Steps<'a, 'py> {
    /// The learning rates of the steps.
    pub rates: &'a ReadArray<'py, f64, Ix1>,
    /// The number of steps that the optimizer has done before.
    pub before: u64,
    /// The optimizer's state.
    pub state: &'a [Bound<'py, PyAny>],
}

/// Data, buffers, and the position in the epoch.
pub struct TrainerState<T: Element> {
    pub data: Option<TrainerData<T>>,
    /// The order of the epoch's examples, and how many of them are done.
    pub order: Vec<u32>,
    pub done: usize,
    /// How many of them the last series has done.
    pub last_examples: usize,
    /// How many examples the costs in `report` are of.
    pub examples: usize,
    /// A checksum of x of the next step's examples, from before a callable cost gets its outputs.
    checksum: u64,
    scratch: TrainScratch<T>,
    pub monitors: Monitors<T>,
    pub report: Report,
}

impl<T: Element> Default for TrainerState<T> {
    fn default() -> Self {
        Self {
            data: None,
            order: Vec::new(),
            done: 0,
            last_examples: 0,
            examples: 0,
            checksum: 0,
            scratch: TrainScratch::default(),
            monitors: Monitors::default(),
            report: Report::default(),
        }
    }
}

impl<T: Element> TrainerState<T> {
    /// Takes x, y and sample_weight, as `Trainer.load` describes.
    ///
    /// # Errors
    /// They do not match the network.
    pub fn load(
        &mut self,
        net: &PyNetwork,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        sparse: f64,
    ) -> PyResult<()> {
        let data = TrainerData::load(net, x, y, sample_weight, sparse)?;
        self.order.clear();
        try_reserve("order of the examples", &mut self.order, data.n)?;
        self.order.extend((0..).take(data.n));
        self.done = 0;
        self.data = Some(data);
        Ok(())
    }

    /// Takes the x and y of another trainer, as `Trainer.share` describes.
    ///
    /// # Errors
    /// They do not match the network.
    pub fn share(
        &mut self,
        net: &PyNetwork,
        other: &Self,
        sample_weight: Option<&Bound<'_, PyAny>>,
        py: Python<'_>,
    ) -> PyResult<()> {
        let no_examples = || Error::value("x", "examples to train on", "none");
        let data = other.data.as_ref().ok_or_else(no_examples)?;
        self.data = Some(data.shared(net, sample_weight, py)?);
        Ok(())
    }

    /// a^L of the examples of the next step, (n, n_L), with the same dropout as in that step.
    ///
    /// # Errors
    /// Memory runs out, the call is cancelled, or an array is in use.
    pub fn outputs<'py>(
        &mut self,
        py: Python<'py>,
        net: &PyNetwork,
        settings: &Settings,
        steps_before: u64,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let architecture = net.architecture();
        let Self {
            data: Some(data),
            order,
            done,
            checksum,
            scratch,
            ..
        } = self
        else {
            return Err(Error::value("x", "examples to train on", "none").into());
        };
        let order = first(&order[*done..], settings.batch_size);
        let mut outputs = NewArray::<T, Ix2>::empty(py, &[order.len(), architecture.n_outputs()])?;
        let params = net.vector.numbers::<T>()?.read("params")?;
        let borrowed = data.borrow(py)?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, targets) = borrowed.examples(architecture, data.n)?;
        let (params, out) = (&*params, outputs.as_slice_mut());
        let team = team(allowed, architecture, &inputs, settings, data.n);
        let work = inputs.row_range(&(0..order.len())).work(architecture);
        let outcome = detached(py, work, |should_cancel| {
            *checksum = checksum_of(&inputs, order);
            let series = StepSeries {
                architecture,
                settings,
                inputs,
                targets,
                costs: None,
                order,
                rates: &[],
                steps_before,
                team: &team,
                should_cancel,
            };
            series.outputs(scratch, params, out)
        });
        leak_after_fork(&team, scratch, &outcome);
        outcome?;
        Ok(outputs.into_array())
    }

    /// The examples of the next step.
    pub fn next_rows(&self, batch_size: usize) -> &[u32] {
        first(&self.order[self.done..], batch_size)
    }

    /// y, in the form that a callable cost takes.
    pub fn y<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.data.as_ref().map(|data| data.y(py))
    }

    /// Does the next steps, one for each of `rates`. Returns whether it stopped at values that are not
    /// finite; `report` has the steps that were done. With a callable cost it does one step, and `returned`
    /// is what the cost returned for the outputs; without one it is not looked at.
    ///
    /// # Errors
    /// Memory runs out, the call is cancelled, the cost returned invalid values, or an array is in use.
    pub fn run(
        &mut self,
        py: Python<'_>,
        net: &PyNetwork,
        settings: &Settings,
        steps: &Steps<'_, '_>,
        returned: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let Steps {
            rates,
            before: steps_before,
            state,
        } = *steps;
        (self.report.steps, self.report.diverged, self.last_examples) = (0, false, 0);
        let architecture = net.architecture();
        let rows = self.next_rows(settings.batch_size).len();
        let shape = [rows, architecture.n_outputs()];
        let is_custom = net.config.custom.is_some();
        let costs = is_custom.then(|| CustomCosts::<T>::parse(returned, shape));
        let costs = costs.transpose()?;
        let Self {
            data,
            order,
            done,
            last_examples,
            examples,
            checksum,
            scratch,
            monitors,
            report,
        } = self;
        let Some(data) = data else {
            return Ok(false);
        };
        net.vector.check_writeable(py, "params")?;
        let mut params = net.vector.numbers::<T>()?.train(py, "params")?;
        let borrowed = data.borrow(py)?;
        let mut scope = BorrowScope::new();
        scope.include("params", net.vector.flat(py)?.cast()?, Access::Train)?;
        let state = state.iter();
        let mut state: Vec<WriteArray<'_, T, Ix1>> = try_collect_results(
            "state",
            state.map(|state| scope.write("state", state.cast::<PyArray1<T>>()?, MemoryOrder::C)),
        )?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let params_and_state = params_and_state(&mut params, &mut state)?;
        let (inputs, targets) = borrowed.examples(architecture, data.n)?;
        let costs = costs.as_ref().map(CustomCosts::slices).transpose()?;
        let rates = rates.as_slice()?;
        let rows = rates.len().saturating_mul(settings.batch_size);
        let order = first(&order[*done..], rows);
        let team = team(allowed, architecture, &inputs, settings, data.n);
        let work = inputs.row_range(&(0..order.len())).work(architecture);
        let outcome = detached(py, work, |should_cancel| {
            if costs.is_some() && checksum_of(&inputs, order) != *checksum {
                let expected = "to leave x unchanged";
                return Err(Error::value("cost", expected, "other numbers"));
            }
            let series = StepSeries {
                architecture,
                settings,
                inputs,
                targets,
                costs,
                order,
                rates,
                steps_before,
                team: &team,
                should_cancel,
            };
            series.run(scratch, monitors, params_and_state, report)
        });
        leak_after_fork(&team, scratch, &outcome);
        let rows = report.steps.saturating_mul(settings.batch_size);
        *last_examples = rows.min(order.len());
        *done += *last_examples;
        *examples += *last_examples;
        outcome?;
        Ok(report.diverged)
    }
}

/// A checksum of x of the examples in `order`.
fn checksum_of<T: Element>(inputs: &Inputs<'_, T>, order: &[u32]) -> u64 {
    inputs.checksum_of_rows(order.iter().map(|&row| row as usize))
}

/// In a forked child, memory that the parent's threads were writing must not be freed.
fn leak_after_fork<T: Element, R>(
    team: &Team,
    scratch: &mut TrainScratch<T>,
    outcome: &PyResult<R>,
) {
    if outcome.is_err() && team.is_forked_child() {
        std::mem::forget(std::mem::take(scratch));
    }
}

/// The first `count` rows, or all if there are fewer.
fn first(rows: &[u32], count: usize) -> &[u32] {
    &rows[..rows.len().min(count)]
}

/// A team of as many threads as pay off for a step, at most `allowed`.
fn team<T: Element>(
    allowed: usize,
    architecture: &Architecture,
    inputs: &Inputs<'_, T>,
    settings: &Settings,
    n: usize,
) -> Team {
    let first = inputs.row_range(&(0..settings.batch_size.min(n)));
    let plan = Plan::of(architecture, &first, allowed);
    Team::assemble(plan.threads)
}
