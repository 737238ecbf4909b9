//! What `Network.fit` runs its epochs on: data, settings and buffers, kept from run to run.

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
use super::optimizers::Given;
use super::overlap::{Span, check_apart};
use super::stepped::side_by_side;
use super::targets::Kept as KeptTargets;
use super::threads;
use crate::error::Error;
use crate::interrupt::{ELEMENT_WORK, watch};
use crate::plan::Plan;
use crate::pool::Team;
use crate::random::permutation;
use crate::train::{Report, Run, Scratch, Settings};

/// The steps of an epoch, run by run, on data that stay here.
#[pyclass(module = "bpfast._core")]
pub struct Trainer {
    net: Py<PyNetwork>,
    settings: Settings,
    inner: Inner,
}

enum Inner {
    Float32(State<f32>),
    Float64(State<f64>),
}

/// What changes from run to run.
struct State<T: Element> {
    data: Option<Data<T>>,
    /// The examples of the epoch in their order, and how many of them are done.
    order: Vec<u32>,
    done: usize,
    /// How many of them the last run has done.
    of_run: usize,
    scratch: Scratch<T>,
    report: Report,
}

struct Data<T: Element> {
    n: usize,
    x: Stored<T>,
    y: KeptTargets<T>,
    sample_weight: Option<Py<PyArray1<f64>>>,
}

macro_rules! with_state {
    ($inner:expr, $state:ident => $body:expr) => {
        match $inner {
            Inner::Float32($state) => $body,
            Inner::Float64($state) => $body,
        }
    };
}

#[pymethods]
impl Trainer {
    #[new]
    fn new(
        net: Py<PyNetwork>,
        given: Given,
        batch_size: usize,
        l1: f64,
        l2: f64,
        clip_norm: Option<f64>,
        max_norm: Option<f64>,
        dropout: Vec<f64>,
        seed: u64,
        check_finite: bool,
    ) -> Self {
        let inner = match net.get().dtype() {
            super::config::Dtype::Float32 => Inner::Float32(State::default()),
            super::config::Dtype::Float64 => Inner::Float64(State::default()),
        };
        let settings = Settings {
            rule: given.rule,
            weight_decay: given.weight_decay,
            l2,
            l1,
            clip_norm,
            max_norm,
            dropout,
            seed,
            batch_size,
            check_finite,
        };
        Self {
            net,
            settings,
            inner,
        }
    }

    /// Takes x, y and sample_weight, checked, for the runs to come, in the order in which they are.
    /// Where at most a share of x, `sparse`, is not 0, these numbers alone are kept.
    #[pyo3(signature = (x, y, sample_weight=None, sparse=0.0))]
    fn load(
        &mut self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        sparse: f64,
    ) -> PyResult<()> {
        with_state!(&mut self.inner, state => {
            state.load(self.net.get(), x, y, sample_weight, sparse)
        })
    }

    /// Begins an epoch: in the random order of `seed` and `epoch`, or as the examples stand.
    #[pyo3(signature = (epoch, seed=None))]
    fn begin(&mut self, py: Python<'_>, epoch: u64, seed: Option<u64>) -> PyResult<()> {
        with_state!(&mut self.inner, state => {
            match seed {
                Some(seed) => shuffle(py, seed, epoch, &mut state.order)?,
                None => state.order.iter_mut().zip(0..).for_each(|(place, row)| *place = row),
            }
            state.done = 0;
        });
        Ok(())
    }

    /// Does the next steps of the epoch, one for each of `rates`, with what `optimizer` keeps;
    /// whether they ended because something is not finite. After an exception too, `report` tells
    /// of the steps that are done, and `optimizer` has counted them.
    fn run(
        &mut self,
        rates: &Bound<'_, PyAny>,
        optimizer: &Bound<'_, PyAny>,
        kept: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let py = optimizer.py();
        let rates = input::<f64, Ix1>("rates", rates)?;
        let rates = rates.as_slice()?;
        let steps_before = optimizer.getattr("_steps")?.extract()?;
        let rows: Vec<Vec<Bound<'_, PyAny>>> = kept.getattr("numbers")?.extract()?;
        let numbers: Vec<_> = rows.into_iter().flatten().collect(); // each row is of one array
        with_state!(&mut self.inner, state => {
            let net = self.net.get();
            let outcome = state.run(py, net, &self.settings, rates, steps_before, &numbers);
            // Here, because between two lines of Python Ctrl-C may come.
            if state.report.steps > 0 {
                optimizer.setattr("_kept", (!numbers.is_empty()).then_some(kept))?;
                optimizer.setattr("_single", true)?;
                optimizer.setattr("_steps", steps_before + state.report.steps as u64)?;
            }
            outcome
        })
    }

    /// The examples of the next step.
    fn next_rows<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        with_state!(&self.inner, state => {
            let end = state.done.saturating_add(self.settings.batch_size);
            PyArray1::from_slice(py, &state.order[state.done..end.min(state.order.len())])
        })
    }

    /// Of the last run: its steps, examples, Σ s_x C_x and Σ s_x.
    #[getter]
    fn report(&self) -> (usize, usize, f64, f64) {
        with_state!(&self.inner, state => {
            let Report { steps, cost, weight, .. } = state.report;
            (steps, state.of_run, cost, weight)
        })
    }

    /// The number of examples.
    fn __len__(&self) -> usize {
        with_state!(&self.inner, state => state.order.len())
    }
}

/// 0, …, n − 1 in the random order of `seed` and `epoch`.
#[pyfunction(name = "permutation")]
pub fn random_order(
    py: Python<'_>,
    seed: u64,
    epoch: u64,
    n: usize,
) -> PyResult<Bound<'_, PyArray1<u32>>> {
    let mut order = vec![0; n];
    shuffle(py, seed, epoch, &mut order)?;
    Ok(PyArray1::from_vec(py, order))
}

/// Puts 0, …, n − 1 in the random order of `seed` and `epoch`.
fn shuffle(py: Python<'_>, seed: u64, epoch: u64, order: &mut [u32]) -> PyResult<()> {
    let work = order.len().saturating_mul(ELEMENT_WORK);
    detached(py, work, |question| {
        watch(question, |pulse| {
            permutation(seed, epoch, order, pulse);
            Ok(())
        })
    })
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
    fn load(
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
                crate::examples::check_weights(n, weights.as_slice()?)?;
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

    fn run(
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
        let team = Team::assemble(Plan::of(network, &first, threads::in_force()?).threads);
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
