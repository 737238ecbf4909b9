//! A step of an optimizer on arrays of the user's, as `bpfast.optimizers` calls it.

use std::borrow::Cow;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, dtype};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::arrays::Element;
use super::claims::Call;
use super::detach::detached;
use super::errors::wrong_type;
use super::overlap::{Span, check_apart};
use super::stepped::{Held, Slices, Stepped, gradient_of};
use super::threads;
use crate::error::Error;
use crate::optimizer::{Rule, Step, Terms};
use crate::pool::Team;

/// What an optimizer is, as Python tells it: a name, then its numbers.
#[derive(Clone, Copy)]
pub struct Given {
    pub rule: Rule,
    /// λ of the penalty λ/2 Σ p² on all parameters.
    pub weight_decay: f64,
}

impl<'py> FromPyObject<'_, 'py> for Given {
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

/// The next step of `optimizer`, which counts it, on arrays of float32 or float64; `single` if they
/// came in no list. `kept.numbers[i][k]` is what the rule keeps for `params[k]`, a vector in the
/// order of its memory.
///
/// # Errors
/// An array does not fit, or shares memory with one that is changed: nothing is changed then.
#[pyfunction]
pub fn step_arrays(
    optimizer: &Bound<'_, PyAny>,
    rate: f64,
    single: bool,
    params: Vec<Bound<'_, PyAny>>,
    gradient: Vec<Bound<'_, PyAny>>,
    kept: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = optimizer.py();
    let given: Given = optimizer.getattr(intern!(py, "_given"))?.extract()?;
    let steps: u64 = optimizer.getattr(intern!(py, "_steps"))?.extract()?;
    let rows: Vec<Vec<Bound<'_, PyAny>>> = match &kept {
        Some(kept) => kept.getattr(intern!(py, "numbers"))?.extract()?,
        None => Vec::new(),
    };
    if gradient.len() != params.len() {
        let expected = format!("{} arrays, one for each of params", params.len());
        return Err(Error::value("gradient", expected, gradient.len()).into());
    }
    let call = Call::new();
    let mut float32: Vec<Stepped<f32>> = Vec::new();
    let mut float64: Vec<Stepped<f64>> = Vec::new();
    let mut spans = Vec::with_capacity(2 * params.len());
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
        let kept = rows.iter().filter_map(|row| row.get(k));
        let found = array.dtype();
        let gradient = if found.is_equiv_to(&dtype::<f32>(py)) {
            add(call, &mut float32, &names, array, gradient, kept)?
        } else if found.is_equiv_to(&dtype::<f64>(py)) {
            add(call, &mut float64, &names, array, gradient, kept)?
        } else {
            let message = format!("expected dtype float32 or float64, got {found}");
            return Err(PyTypeError::new_err(format!("{}: {message}", names[0])));
        };
        let [of_params, of_gradient] = names;
        spans.push(Span::new(of_params, array.clone(), true));
        spans.push(Span::new(of_gradient, gradient, false));
    }
    check_apart(spans)?;

    let length = float32.iter().map(Stepped::len).sum::<usize>()
        + float64.iter().map(Stepped::len).sum::<usize>();
    let team = Team::assemble(Step::threads(length, threads::in_force(py)?));
    let terms = Terms {
        l2: given.weight_decay,
        ..Terms::NONE
    };
    let step = Step::new(given.rule, rate, steps.saturating_add(1));
    let (mut borrowed32, mut borrowed64) = (borrow(&float32)?, borrow(&float64)?);
    let (work32, work64) = (
        prepare(step, terms, &mut borrowed32)?,
        prepare(step, terms, &mut borrowed64)?,
    );
    detached(py, Step::work(length), |_| {
        work32(&team);
        work64(&team);
        Ok(())
    })?;
    drop((borrowed32, borrowed64));
    float32.iter().try_for_each(Stepped::write_back)?;
    float64.iter().try_for_each(Stepped::write_back)?;
    // Here, because Ctrl-C during the step comes out right behind this call in Python.
    optimizer.setattr(intern!(py, "_kept"), kept)?;
    optimizer.setattr(intern!(py, "_single"), single)?;
    optimizer.setattr(intern!(py, "_steps"), steps.saturating_add(1))
}

/// Adds an array, and what belongs to it, to those of its type. Returns its gradient as it came.
fn add<'a, 'py: 'a, T: Element>(
    call: Call,
    arrays: &mut Vec<Stepped<'py, T>>,
    names: &[Cow<'static, str>; 2],
    params: &Bound<'py, PyUntypedArray>,
    gradient: &Bound<'py, PyAny>,
    kept: impl Iterator<Item = &'a Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let gradient = gradient_of::<T>(&names[1], gradient)?;
    arrays.push(Stepped::new(call, names, params, &gradient, kept)?);
    Ok(gradient)
}

fn borrow<'py, T: Element>(arrays: &[Stepped<'py, T>]) -> PyResult<Vec<Held<'py, T>>> {
    arrays.iter().map(Stepped::borrow).collect()
}

/// The step on all of some arrays, which then cannot fail.
fn prepare<'a, T: Element>(
    step: Step,
    terms: Terms,
    borrowed: &'a mut [Held<'_, T>],
) -> PyResult<impl FnOnce(&Team) + Send + 'a> {
    let slices = borrowed.iter_mut().map(Held::slices);
    let slices = slices.collect::<PyResult<Vec<_>>>()?;
    Ok(move |team: &Team| {
        for Slices { changed, gradient } in slices {
            step.run(team, terms, changed, gradient);
        }
    })
}
