//! The class `Trainer`, which runs the epochs of `Network.fit`.

mod data;
pub mod epochs;
mod state;

use state::{Steps, TrainerState};

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray1, PyArray2};
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::base::alloc::{try_collect, try_collect_results, try_defaults};
use crate::base::cancel::{ELEMENT_WORK, cancellable};
use crate::base::random::permutation;
use crate::python::api::network::PyNetwork;
use crate::python::api::optimizers::{Hyperparameters, nested};
use crate::python::borrow::{NewArray, into_array};
use crate::python::call::cached::from_attributes;
use crate::python::call::detach::detached;
use crate::python::call::errors::{guarded, guarded_object};
use crate::python::convert::arrays::{from_slice, input};
use crate::python::convert::dtype::Dtype;
use crate::train::monitor::StepMonitor;
use crate::train::{Report, Settings};

/// The steps of an epoch on loaded data, in series of several steps.
#[pyclass(module = "bpfast._core")]
pub struct Trainer {
    net: Py<PyNetwork>,
    settings: Settings,
    inner: AnyTrainerState,
}

enum AnyTrainerState {
    Float32(TrainerState<f32>),
    Float64(TrainerState<f64>),
}

/// The attributes of the Python class `Settings` that a step uses.
struct StepSettings<'py> {
    l1: f64,
    l2: f64,
    clip_norm: Option<f64>,
    max_norm: Option<f64>,
    dropout: Bound<'py, PyAny>,
    seed: u64,
    check_finite: bool,
}

from_attributes!(StepSettings<'py> { l1, l2, clip_norm, max_norm, dropout, seed, check_finite });

macro_rules! with_state {
    ($inner:expr, $state:ident => $body:expr) => {
        match $inner {
            AnyTrainerState::Float32($state) => $body,
            AnyTrainerState::Float64($state) => $body,
        }
    };
}

#[pymethods]
impl Trainer {
    /// With `penalty_per_example`, the penalties of a step of fewer examples than `batch_size` are larger in
    /// proportion.
    #[new]
    #[pyo3(signature = (net, rule, batch_size, settings, penalty_per_example=false))]
    fn new(
        net: Py<PyNetwork>,
        rule: &Bound<'_, PyAny>,
        batch_size: usize,
        settings: &Bound<'_, PyAny>,
        penalty_per_example: bool,
    ) -> PyResult<Self> {
        guarded(|| {
            let rule: Hyperparameters = rule.extract()?;
            let settings: StepSettings<'_> = settings.extract()?;
            let inner = match net.get().dtype() {
                Dtype::Float32 => AnyTrainerState::Float32(TrainerState::default()),
                Dtype::Float64 => AnyTrainerState::Float64(TrainerState::default()),
            };
            let settings = Settings {
                rule: rule.rule,
                weight_decay: rule.weight_decay,
                l2: settings.l2,
                l1: settings.l1,
                penalty_per_example,
                clip_norm: settings.clip_norm,
                max_norm: settings.max_norm,
                dropout: try_collect_results(
                    "dropout",
                    (settings.dropout.try_iter()?).map(|rate| rate?.extract()),
                )?,
                seed: settings.seed,
                batch_size,
                check_finite: settings.check_finite,
            };
            Ok(Self {
                net,
                settings,
                inner,
            })
        })
    }

    /// Loads x, y and sample_weight, after validation, for the steps that follow. A step of n examples uses
    /// the gradient of Σ s_x C_x / n. If at most the fraction `sparse` of x is nonzero, x is stored as CSR.
    #[pyo3(signature = (x, y, sample_weight=None, sparse=0.0))]
    fn load(
        &mut self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        sparse: f64,
    ) -> PyResult<()> {
        guarded(|| {
            with_state!(&mut self.inner, state => {
                state.load(self.net.get(), x, y, sample_weight, sparse)
            })
        })
    }

    /// Takes the x and y that another trainer has loaded, without a copy, for `run_epochs`.
    #[pyo3(signature = (other, sample_weight=None))]
    fn share(
        &mut self,
        other: &Bound<'_, Self>,
        sample_weight: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        guarded(|| {
            let py = other.py();
            let (net, other) = (self.net.get(), other.try_borrow()?);
            match (&mut self.inner, &other.inner) {
                (AnyTrainerState::Float32(state), AnyTrainerState::Float32(other)) => {
                    state.share(net, other, sample_weight, py)
                }
                (AnyTrainerState::Float64(state), AnyTrainerState::Float64(other)) => {
                    state.share(net, other, sample_weight, py)
                }
                _ => Err(PyTypeError::new_err(
                    "other: expected a trainer of the same dtype",
                )),
            }
        })
    }

    /// Begins another mean of costs in `report`.
    fn reset_cost(&mut self) {
        with_state!(&mut self.inner, state => {
            (state.report, state.examples) = (Report::default(), 0);
        });
    }

    /// Starts an epoch over the loaded examples: in the random order of `seed` and `epoch`, or in their own
    /// order.
    #[pyo3(signature = (epoch, seed=None))]
    fn begin(&mut self, py: Python<'_>, epoch: u64, seed: Option<u64>) -> PyResult<()> {
        guarded(|| {
            with_state!(&mut self.inner, state => {
                match seed {
                    Some(seed) => shuffle(py, seed, epoch, &mut state.order)?,
                    None => state.order.iter_mut().zip(0..).for_each(|(index, row)| *index = row),
                }
                state.done = 0;
            });
            Ok(())
        })
    }

    /// For a callable cost: a^L of the examples of the next step of `optimizer`, with the same dropout as
    /// in that step.
    fn outputs<'py>(&mut self, optimizer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let (py, net) = (optimizer.py(), self.net.get());
            let steps_before = optimizer.getattr("_steps")?.extract()?;
            with_state!(&mut self.inner, state => {
                let outputs = state.outputs(py, net, &self.settings, steps_before)?;
                Ok(outputs.into_any())
            })
        })
    }

    /// Does the next steps of the epoch, one for each of `rates`, with the optimizer's state. Returns
    /// whether they stopped at values that are not finite. With a callable cost it does one step, and
    /// `returned` is what the cost returned for its outputs. Also after an exception, `report` has the
    /// completed steps, and `optimizer` has counted them.
    fn run(
        &mut self,
        rates: &Bound<'_, PyAny>,
        optimizer: &Bound<'_, PyAny>,
        state_arrays: &Bound<'_, PyAny>,
        returned: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        guarded(|| {
            let py = optimizer.py();
            let rates = input::<f64, Ix1>("rates", rates)?;
            let steps_before = optimizer.getattr("_steps")?.extract()?;
            let rows = nested("state", &state_arrays.getattr("numbers")?)?;
            let numbers = try_collect("state", rows.into_iter().flatten())?; // each row is of one array
            with_state!(&mut self.inner, state => {
                let net = self.net.get();
                let steps = Steps {
                    rates: &rates,
                    before: steps_before,
                    state: &numbers,
                };
                let outcome = state.run(py, net, &self.settings, &steps, returned);
                // Here, because Ctrl-C may be raised between two lines of Python.
                if state.report.steps > 0 {
                    optimizer.setattr("_state_arrays", (!numbers.is_empty()).then_some(state_arrays))?;
                    optimizer.setattr("_is_single", true)?;
                    optimizer.setattr("_steps", steps_before + state.report.steps as u64)?;
                }
                outcome
            })
        })
    }

    /// Records, of each step whose number is a multiple of `period`, what it computes for its mini-batch; with
    /// `cosine` also that of its gradient and the one of the last record. `records` numbers them from 0.
    fn monitor(&mut self, period: u64, cosine: bool) -> PyResult<()> {
        guarded(|| {
            with_state!(&mut self.inner, state => {
                Ok(state.monitors.add(StepMonitor::new(period, cosine))?)
            })
        })
    }

    /// Takes the new records of a monitor, (records, columns): step, cost, saturation and speed of each layer,
    /// gradient norm, update norm, signal-to-noise, and the cosine if it is recorded.
    fn records<'py>(
        &mut self,
        py: Python<'py>,
        monitor: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        guarded(|| {
            with_state!(&mut self.inner, state => {
                let monitor = &mut state.monitors.all[monitor];
                let columns = monitor.columns(self.net.get().architecture());
                let rows = monitor.rows().len() / columns;
                let mut records = NewArray::<f64, Ix2>::empty(py, &[rows, columns])?;
                records.as_slice_mut().copy_from_slice(monitor.rows());
                monitor.clear();
                Ok(records.into_array())
            })
        })
    }

    /// The examples of the next step.
    fn next_rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u32>>> {
        guarded(|| {
            with_state!(&self.inner, state => {
                from_slice(py, state.next_rows(self.settings.batch_size))
            })
        })
    }

    /// y of all examples.
    #[getter]
    fn y<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        with_state!(&self.inner, state => state.y(py))
    }

    /// The number of steps and of examples of the last series, and Σ s_x C_x / n over the n examples of all series
    /// since `reset_cost`.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(py, || {
            with_state!(&self.inner, state => {
                let Report { steps, cost, .. } = state.report;
                #[allow(clippy::cast_precision_loss)] // below 2^53
                let mean = cost.total().over(state.examples as f64);
                Ok((steps, state.last_examples, mean))
            })
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
    guarded(|| {
        let mut order = try_defaults("order of the examples", n)?;
        shuffle(py, seed, epoch, &mut order)?;
        Ok(into_array(py, order)?.cast_into()?)
    })
}

/// Writes 0, …, n − 1 in the random order of `seed` and `epoch`.
fn shuffle(py: Python<'_>, seed: u64, epoch: u64, order: &mut [u32]) -> PyResult<()> {
    let work = order.len().saturating_mul(ELEMENT_WORK);
    detached(py, work, |should_cancel| {
        cancellable(should_cancel, |cancel| {
            permutation(seed, epoch, order, cancel);
            Ok(())
        })
    })
}
