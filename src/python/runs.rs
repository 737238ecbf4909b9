//! Runs of steps on data that stay: what `Trainer` does, in the number type of its network.

use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Ix1;
use numpy::{PyArray1, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::arrays::{Element, input, numpy_function};
use super::claims::Hold;
use super::custom;
use super::detach::detached;
use super::inputs::Stored;
use super::memory::{ReadArray, WriteArray, readwrite};
use super::network::PyNetwork;
use super::overlap::{Span, check_apart};
use super::stepped::side_by_side;
use super::targets::Kept as KeptTargets;
use super::threads;
use crate::error::Error;
use crate::plan::Plan;
use crate::pool::Team;
use crate::train::{Report, Run, Scratch, Settings};

/// Data and buffers, and what changes from run to run.
pub struct State<T: Element> {
    data: Option<Data<T>>,
    /// The examples of the epoch in their order, and how many of them are done.
    pub order: Vec<u32>,
    pub done: usize,
    /// How many of them the last run has done.
    pub of_run: usize,
    scratch: Scratch<T>,
    pub report: Report,
}

struct Data<T: Element> {
    n: usize,
    x: Stored<T>,
    y: KeptTargets<T>,
    sample_weight: Option<Py<PyArray1<f64>>>,
}

impl<T: Element> Default for State<T> {
    fn default() -> Self {
        Self {
            data: None,
            order: Vec::new(),
            done: 0,
            of_run: 0,
            scratch: Scratch::default(),
            report: Report::default(),
        }
    }
}

impl<T: Element> State<T> {
    /// Takes x, y and sample_weight, as `Trainer.load` says.
    ///
    /// # Errors
    /// They do not fit the network.
    pub fn load(
        &mut self,
        net: &PyNetwork,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        sparse: f64,
    ) -> PyResult<()> {
        let py = y.py();
        // The steps write to the parameters while they read these.
        let params = net.vector.flat(py)?.cast_into()?;
        let mut spans = vec![Span::new("params".into(), params, true)];
        let given = [
            ("x", Some(x)),
            ("y", Some(y)),
            ("sample_weight", sample_weight),
        ];
        for (name, value) in given {
            if let Some(Ok(array)) = value.map(|value| value.cast::<PyUntypedArray>()) {
                spans.push(Span::new(name.into(), array.clone(), false));
            }
        }
        check_apart(spans)?;
        let mut x = Stored::<T>::parse(x)?;
        let n = x.borrow(py)?.inputs(net.network())?.len();
        if u32::try_from(n).is_err() {
            let expected = format!("at most {} examples", u32::MAX);
            return Err(Error::value("x", expected, n).into());
        }
        let custom = net.config.custom.is_some();
        let y = KeptTargets::<T>::parse(net.network(), custom, n, y)?;
        let sample_weight = sample_weight
            .map(|weights| {
                let weights = input::<f64, Ix1>("sample_weight", weights)?;
                crate::examples::targets::check_weights(n, weights.as_slice()?)?;
                PyResult::Ok(weights.as_any().cast::<PyArray1<f64>>()?.clone().unbind())
            })
            .transpose()?;
        if sparse > 0.0 {
            x = x.without_zeros(py, sparse)?;
        }
        self.order.clear();
        self.order.extend((0..).take(n));
        self.done = 0;
        self.data = Some(Data {
            n,
            x,
            y,
            sample_weight,
        });
        Ok(())
    }

    /// Does the next steps, one for each of `rates`: whether something is not finite. `report` says
    /// how far it came.
    ///
    /// # Errors
    /// No memory, interrupted, what a custom cost raised, or arrays in use.
    pub fn run(
        &mut self,
        py: Python<'_>,
        net: &PyNetwork,
        settings: &Settings,
        rates: &[f64],
        steps_before: u64,
        kept: &[Bound<'_, PyAny>],
    ) -> PyResult<bool> {
        let Self {
            data,
            order,
            done,
            of_run,
            scratch,
            report,
        } = self;
        (*report, *of_run) = (Report::default(), 0);
        let Some(data) = data else {
            return Ok(false);
        };
        let network = net.network();
        let x = data.x.borrow(py)?;
        let inputs = x.inputs(network)?;
        let y = data.y.borrow(py)?;
        let weights = data.sample_weight.as_ref();
        let weights = weights.map(|weights| input::<f64, Ix1>("sample_weight", weights.bind(py)));
        let weights = weights.transpose()?;
        let weights = weights.as_ref().map(ReadArray::as_slice).transpose()?;
        let targets = y.targets(network, data.n)?.with_weights(weights);
        if inputs.len() != data.n || weights.is_some_and(|weights| weights.len() != data.n) {
            return Err(
                Error::value("x", format!("{} examples as before", data.n), "others").into(),
            );
        }

        let mut kept: Vec<WriteArray<'_, T, Ix1>> = kept
            .iter()
            .map(|kept| readwrite("state", kept.cast::<PyArray1<T>>()?))
            .collect::<PyResult<_>>()?;
        net.vector.check_writeable(py, "params")?;
        let params = net.vector.numbers::<T>()?;
        let params = params.write(py, "params", Hold::Trains)?;
        let changed = side_by_side(params.numbers, &mut kept)?;

        let rows = rates.len().saturating_mul(settings.batch_size);
        let rows = rows.min(order.len() - *done);
        let order = &order[*done..*done + rows];
        let first = inputs.part(&(0..settings.batch_size.min(data.n)));
        let team = Team::assemble(Plan::of(network, &first, threads::in_force(py)?).threads);
        let work = inputs.part(&(0..rows)).work(network);

        let raised: Mutex<Option<PyErr>> = Mutex::new(None);
        let call = net.config.custom.as_ref().map(|cost| {
            let (y, raised) = (&data.y, &raised);
            move |rows: &[u32], outputs: &[T], nabla: &mut [T]| {
                Python::attach(|py| call_custom(py, cost, y, rows, outputs, nabla)).map_err(
                    |error| {
                        *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        Error::interrupted()
                    },
                )
            }
        });
        let outcome = detached(py, work, |question| {
            let run = Run {
                network,
                settings,
                inputs,
                targets,
                custom: call.as_ref().map(|call| call as _),
                order,
                rates,
                steps_before,
                team: &team,
                question,
            };
            run.run(scratch, changed, report)
        });
        if outcome.is_err() && team.is_parents() {
            // What the parent's threads have left half-changed is not freed.
            std::mem::forget(std::mem::take(scratch));
        }
        *of_run = report.steps.saturating_mul(settings.batch_size).min(rows);
        *done += *of_run;
        if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        outcome?;
        Ok(report.diverged)
    }
}

/// Calls the user's cost with a^L of the examples `rows`: their C_x, and ∇_a C into `nabla`.
fn call_custom<T: Element>(
    py: Python<'_>,
    cost: &Py<PyAny>,
    y: &KeptTargets<T>,
    rows: &[u32],
    outputs: &[T],
    nabla: &mut [T],
) -> PyResult<Vec<f64>> {
    let shape = [rows.len(), outputs.len() / rows.len()];
    let a = PyArray1::from_slice(py, outputs);
    let a = a.call_method1("reshape", (PyTuple::new(py, shape)?,))?;
    let index = PyArray1::from_slice(py, rows);
    let y = numpy_function(py, "take")?.call1((y.object(py), index, 0))?;
    let called = custom::call::<T>(cost.bind(py), &a, &y, shape)?;
    nabla.copy_from_slice(called.nabla_a.as_slice()?);
    Ok(called.costs.as_slice()?.to_vec())
}
