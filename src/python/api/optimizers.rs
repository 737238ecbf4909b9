//! A step of an optimizer on the user's arrays, for `bpfast.optimizers`.

use std::borrow::Cow;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::base::alloc::{try_collect_results, try_push};
use crate::base::error::Error;
use crate::engine::optimizer::{Regularization, Rule, Step};
use crate::pool::Team;
use crate::python::api::threads;
use crate::python::borrow::{BorrowScope, Element};
use crate::python::call::cached::interned;
use crate::python::call::detach::detached;
use crate::python::call::errors::{guarded, wrong_type};
use crate::python::convert::dtype::Dtype;
use crate::python::convert::optimizer_arrays::{OptimizerArrays, OptimizerSlices, gradient_of};

/// An optimizer as Python passes it: its name, then its settings.
#[derive(Clone, Copy)]
pub struct Hyperparameters {
    pub rule: Rule,
    /// λ of the penalty λ/2 Σ p² on all parameters.
    pub weight_decay: f64,
}

impl<'py> FromPyObject<'_, 'py> for Hyperparameters {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (name, numbers): (String, Vec<f64>) = object.extract()?;
        let (rule, weight_decay) = match (name.as_str(), numbers.as_slice()) {
            ("sgd", &[momentum, nesterov, decay]) => {
                let nesterov = nesterov != 0.0;
                (Rule::Sgd { momentum, nesterov }, decay)
            }
            ("adam", &[beta1, beta2, epsilon, weight_decay, decay]) => {
                let rule = Rule::Adam {
                    beta1,
                    beta2,
                    epsilon,
                    decay,
                };
                (rule, weight_decay)
            }
            ("rmsprop", &[alpha, epsilon, decay]) => (Rule::RmsProp { alpha, epsilon }, decay),
            ("adagrad", &[epsilon, decay]) => (Rule::Adagrad { epsilon }, decay),
            _ => return Err(PyTypeError::new_err("rule: expected a known optimizer")),
        };
        Ok(Self { rule, weight_decay })
    }
}

/// Does and counts the next step of `optimizer`, on arrays of float32 or float64; `single` if they were not
/// passed in a list. `state_arrays.numbers[i][k]` is the rule's state for `params[k]`: a vector in the array's
/// memory order.
///
/// # Errors
/// An array is invalid or shares memory with one that is updated, or user code, such as `__array__`,
/// changes the optimizer in the meantime. Then this step changes nothing.
#[pyfunction]
pub fn step_arrays(
    optimizer: &Bound<'_, PyAny>,
    rate: f64,
    single: bool,
    params: &Bound<'_, PyAny>,
    gradient: &Bound<'_, PyAny>,
    state_arrays: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    guarded(|| {
        let py = optimizer.py();
        let given: Hyperparameters = optimizer
            .getattr(interned!(py, "_hyperparameters"))?
            .extract()?;
        let steps: u64 = optimizer.getattr(interned!(py, "_steps"))?.extract()?;
        let state_before = optimizer.getattr(interned!(py, "_state_arrays"))?;
        let params = try_collect_results("params", params.try_iter()?)?;
        let gradient = try_collect_results("gradient", gradient.try_iter()?)?;
        let rows = match &state_arrays {
            Some(state_arrays) => {
                nested("state", &state_arrays.getattr(interned!(py, "numbers"))?)?
            }
            None => Vec::new(),
        };
        if gradient.len() != params.len() {
            let expected = format!("{} arrays, one for each of params", params.len());
            return Err(Error::value("gradient", expected, gradient.len()).into());
        }
        let mut given_arrays = Vec::new();
        for (k, (params, gradient)) in params.iter().zip(&gradient).enumerate() {
            let names = ["params", "gradient"].map(|name| {
                if single {
                    Cow::Borrowed(name)
                } else {
                    Cow::Owned(format!("{name}[{k}]"))
                }
            });
            let Ok(array) = params.cast::<PyUntypedArray>() else {
                return Err(wrong_type(&names[0], "a NumPy array", params));
            };
            let gradient = match Dtype::of(array) {
                Some(Dtype::Float32) => gradient_of::<f32>(&names[1], gradient)?,
                Some(Dtype::Float64) => gradient_of::<f64>(&names[1], gradient)?,
                None => return Err(not_floating_error(&names[0], array)),
            };
            try_push("params", &mut given_arrays, (names, array, gradient))?;
        }
        // No user code runs from here on.
        let is_same = optimizer
            .getattr(interned!(py, "_state_arrays"))?
            .is(&state_before)
            && optimizer.getattr(interned!(py, "_steps"))?.eq(steps)?;
        if !is_same {
            let (expected, got) = ("unchanged until its step is done", "another state");
            return Err(Error::value("optimizer", expected, got).into());
        }
        let mut scope = BorrowScope::new();
        let mut float32: Vec<OptimizerArrays<f32>> = Vec::new();
        let mut float64: Vec<OptimizerArrays<f64>> = Vec::new();
        for (k, (names, array, gradient)) in given_arrays.into_iter().enumerate() {
            let state_arrays = rows.iter().filter_map(|row| row.get(k));
            match Dtype::of(array) {
                Some(Dtype::Float32) => {
                    let optimizer_arrays =
                        OptimizerArrays::new(&mut scope, names, array, &gradient, state_arrays)?;
                    try_push("params", &mut float32, optimizer_arrays)?;
                }
                Some(Dtype::Float64) => {
                    let optimizer_arrays =
                        OptimizerArrays::new(&mut scope, names, array, &gradient, state_arrays)?;
                    try_push("params", &mut float64, optimizer_arrays)?;
                }
                None => return Err(not_floating_error(&names[0], array)),
            }
        }

        let length = float32.iter().map(OptimizerArrays::len).sum::<usize>()
            + float64.iter().map(OptimizerArrays::len).sum::<usize>();
        let team = Team::assemble(Step::threads(length, threads::current(py)?));
        let terms = Regularization {
            l2: given.weight_decay,
            ..Regularization::NONE
        };
        let step = Step::new(given.rule, rate, steps.saturating_add(1));
        let (work32, work64) = (
            prepare(step, terms, &mut float32)?,
            prepare(step, terms, &mut float64)?,
        );
        detached(py, Step::work(length), |_| {
            work32(&team);
            work64(&team);
            Ok(())
        })?;
        float32.iter().try_for_each(OptimizerArrays::write_back)?;
        float64.iter().try_for_each(OptimizerArrays::write_back)?;
        // Set here, because Ctrl-C during the step is raised in Python right after this call.
        optimizer.setattr(interned!(py, "_state_arrays"), state_arrays)?;
        optimizer.setattr(interned!(py, "_is_single"), single)?;
        optimizer.setattr(interned!(py, "_steps"), steps.saturating_add(1))
    })
}

/// A list of lists.
///
/// # Errors
/// An argument is not a list of lists, or memory runs out.
pub fn nested<'py>(
    argument: &str,
    rows: &Bound<'py, PyAny>,
) -> PyResult<Vec<Vec<Bound<'py, PyAny>>>> {
    let rows = rows.try_iter()?;
    let row = |row: PyResult<Bound<'py, PyAny>>| try_collect_results(argument, row?.try_iter()?);
    try_collect_results(argument, rows.map(row))
}

fn not_floating_error(argument: &str, array: &Bound<'_, PyUntypedArray>) -> PyErr {
    let (expected, got) = ("dtype float32 or float64", array.dtype());
    PyTypeError::new_err(format!("{argument}: expected {expected}, got {got}"))
}

/// Validates the step on all arrays of a dtype, which then cannot fail.
fn prepare<'a, T: Element>(
    step: Step,
    terms: Regularization,
    arrays: &'a mut [OptimizerArrays<'_, T>],
) -> PyResult<impl FnOnce(&Team) + Send + 'a> {
    let slices = try_collect_results("params", arrays.iter_mut().map(OptimizerArrays::slices))?;
    Ok(move |team: &Team| {
        for OptimizerSlices {
            params_and_state,
            gradient,
        } in slices
        {
            step.run(team, terms, params_and_state, gradient);
        }
    })
}
