//! A step of an optimizer on arrays of the user's, as `bpfast.optimizers` calls it.

use numpy::ndarray::IxDyn;
use numpy::{
    PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::arrays::{Element, check_writeable, input_of_shape, readwrite_argument};
use super::detach::detached;
use super::errors::wrong_type;
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

/// One step, number `t`, on arrays of one dtype, all C-contiguous: `kept[i][k]` is what the rule
/// keeps for `params[k]`. Nothing is changed where one of them does not fit.
#[pyfunction]
pub fn step_arrays(
    given: Given,
    rate: f64,
    t: u64,
    params: Vec<Bound<'_, PyAny>>,
    gradient: Vec<Bound<'_, PyAny>>,
    kept: Vec<Vec<Bound<'_, PyAny>>>,
) -> PyResult<()> {
    let Some(first) = params.first() else {
        return Ok(());
    };
    if first.cast::<PyArrayDyn<f32>>().is_ok() {
        step_of::<f32>(given, rate, t, &params, &gradient, &kept)
    } else {
        step_of::<f64>(given, rate, t, &params, &gradient, &kept)
    }
}

fn step_of<T: Element>(
    given: Given,
    rate: f64,
    t: u64,
    params: &[Bound<'_, PyAny>],
    gradient: &[Bound<'_, PyAny>],
    kept: &[Vec<Bound<'_, PyAny>>],
) -> PyResult<()> {
    let Some(py) = params.first().map(Bound::py) else {
        return Ok(());
    };
    let mut places = Vec::with_capacity(params.len());
    for (k, (params, gradient)) in params.iter().zip(gradient).enumerate() {
        let kept = kept.iter().filter_map(|kept| kept.get(k));
        places.push(Place::<T>::new(k, params, gradient, kept)?);
    }
    let mut slices = Vec::with_capacity(places.len());
    for place in &mut places {
        slices.push(place.slices()?);
    }
    let length: usize = slices.iter().map(|slices| slices.params.len()).sum();
    let terms = Terms {
        l2: given.weight_decay,
        ..Terms::NONE
    };
    let step = Step::new(given.rule, rate, t);
    let team = Team::assemble(Step::threads(length, threads::in_force()?));
    detached(py, Step::work(length), move |_| {
        for mut slices in slices {
            step.run(
                &team,
                terms,
                slices.params,
                slices.gradient,
                &mut slices.kept,
            );
        }
        Ok(())
    })
}

/// The arrays of one parameter array, borrowed.
struct Place<'py, T: Element> {
    params: PyReadwriteArrayDyn<'py, T>,
    gradient: PyReadonlyArrayDyn<'py, T>,
    kept: Vec<PyReadwriteArrayDyn<'py, T>>,
}

/// Their numbers.
struct Slices<'a, T> {
    params: &'a mut [T],
    gradient: &'a [T],
    kept: Vec<&'a mut [T]>,
}

impl<'py, T: Element> Place<'py, T> {
    fn new<'a>(
        k: usize,
        params: &Bound<'py, PyAny>,
        gradient: &Bound<'py, PyAny>,
        kept: impl Iterator<Item = &'a Bound<'py, PyAny>>,
    ) -> PyResult<Self>
    where
        'py: 'a,
    {
        let argument = format!("params[{k}]");
        let array = |value: &Bound<'py, PyAny>| {
            let expected = format!("an array of {}", T::DTYPE);
            let array = value.cast::<PyArrayDyn<T>>();
            let array = array.map_err(|_| wrong_type(&argument, &expected, value))?;
            if !array.is_c_contiguous() {
                let (expected, got) = ("a C-contiguous array", "another layout");
                return Err(Error::value(&argument, expected, got).into());
            }
            check_writeable(&argument, array.as_untyped())?;
            Ok::<_, PyErr>(array.clone())
        };
        let params = array(params)?;
        let shape = params.shape().to_vec();
        let gradient = input_of_shape::<T, IxDyn>(&format!("gradient[{k}]"), gradient, &shape)?;
        let kept = kept.map(|kept| {
            let kept = array(kept)?;
            if kept.shape() != shape {
                return Err(Error::shape("state", &shape, kept.shape()).into());
            }
            readwrite_argument("state", &kept)
        });
        Ok(Self {
            kept: kept.collect::<PyResult<_>>()?,
            params: readwrite_argument(&argument, &params)?,
            gradient,
        })
    }

    fn slices(&mut self) -> PyResult<Slices<'_, T>> {
        let kept = self.kept.iter_mut();
        Ok(Slices {
            params: self.params.as_slice_mut()?,
            gradient: self.gradient.as_slice()?,
            kept: kept
                .map(|kept| Ok(kept.as_slice_mut()?))
                .collect::<PyResult<_>>()?,
        })
    }
}
