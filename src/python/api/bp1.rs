//! BP1 as a separate function, whose cost may be a callable.

use numpy::PyUntypedArrayMethods;
use numpy::ndarray::Ix2;
use pyo3::prelude::*;

use crate::base::cancel::{ELEMENT_WORK, cancellable};
use crate::engine::backward::bp1 as core_bp1;
use crate::engine::costs::Outputs;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::python::api::equations::{activations, matrix_like, result, with_type, write};
use crate::python::borrow::readwrite;
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::{empty, input};
use crate::python::convert::config::parse_cost;
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::dtype::Dtype;
use crate::python::convert::name::Name;
use crate::python::convert::targets::TargetsOrCosts;
use crate::python::convert::targets::{TargetArray, Weighting};

/// sample_weight, reduction and out, as a tuple.
#[derive(FromPyObject)]
pub struct Options<'py>(
    Option<Bound<'py, PyAny>>,
    Name<'py>,
    Option<Bound<'py, PyAny>>,
);

/// BP1 for the public function in Python. If the cost is a callable, y is what it returned.
#[pyfunction]
#[pyo3(signature = (z, y, output, cost, options))]
pub fn bp1<'py>(
    z: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    output: Name<'py>,
    cost: Name<'py>,
    options: Options<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    guarded(|| {
        let given = z;
        let z = matrix_like("z", z)?;
        let Options(sample_weight, reduction, out) = options;
        let (sample_weight, out) = (sample_weight.as_ref(), out.as_ref());
        let weighting = Weighting::parse(sample_weight, reduction)?;
        let activation = Activation::from_name("output", &output.text("output")?)?;
        let (cost, custom) = parse_cost(&cost.object(z.py()))?;
        cost.check_output(activation)?;
        let inputs = [
            ("z", Some(given)),
            ("y", Some(y)),
            ("sample_weight", sample_weight),
        ];
        with_type!([&z], T => {
            let z = input::<T, Ix2>("z", &z)?;
            let (py, [n, width]) = (given.py(), [z.shape()[0], z.shape()[1]]);
            let result = result::<T, Ix2>(out, py, &[n, width], &inputs)?;
            let targets_or_costs = match custom {
                Some(_) => TargetsOrCosts::Costs(CustomCosts::parse(y, [n, width])?),
                None => TargetsOrCosts::TargetArray(TargetArray::<T>::parse(width, cost, n, y)?),
            };
            // No Python code runs from here on.
            let z = z.as_slice()?;
            let targets = weighting.apply(targets_or_costs.targets(width, cost, n)?, n)?;
            let a = activations(py, activation, z, width)?;
            write(&result, z.len() * ELEMENT_WORK, |delta, cancel| {
                let outputs = Outputs {
                    cost,
                    activation,
                    z,
                    a: &a,
                };
                core_bp1(outputs, &targets, 0..n, delta, cancel);
                Ok(())
            })
        })
    })
}

/// z, `sample_weight`, and a or z.
type PreparedBp1<'py> = (
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Bound<'py, PyAny>,
);

/// For a callable cost: z and sample_weight as arrays of their dtypes, and a = σ(z), or z if the cost takes
/// that. Arguments that are
/// invalid whatever the cost returns are refused here, before it is called.
#[pyfunction]
#[pyo3(signature = (z, y, output, cost, options))]
pub fn bp1_outputs<'py>(
    z: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    output: Name<'py>,
    cost: Name<'py>,
    options: Options<'py>,
) -> PyResult<PreparedBp1<'py>> {
    guarded(|| {
        let given = z;
        let z = matrix_like("z", z)?;
        let Options(sample_weight, reduction, out) = options;
        let (sample_weight, out) = (sample_weight.as_ref(), out.as_ref());
        let weighting = Weighting::parse(sample_weight, reduction)?;
        let activation = Activation::from_name("output", &output.text("output")?)?;
        let (cost, _) = parse_cost(&cost.object(z.py()))?;
        cost.check_output(activation)?;
        let inputs = [
            ("z", Some(given)),
            ("y", Some(y)),
            ("sample_weight", sample_weight),
        ];
        with_type!([&z], T => {
            let z = input::<T, Ix2>("z", &z)?;
            let (py, shape) = (given.py(), [z.shape()[0], z.shape()[1]]);
            if out.is_some() {
                result::<T, Ix2>(out, py, &shape, &inputs)?;
            }
            let outputs = empty::<T, Ix2>(py, &shape)?;
            let mut out = readwrite("out", &outputs)?;
            // No Python code runs from here on.
            let (numbers, out) = (z.as_slice()?, out.as_slice_mut()?);
            out.copy_from_slice(numbers);
            if cost == Cost::CustomOfZ {
                return Ok((z.as_any().clone(), weighting.object(), outputs.clone().into_any()));
            }
            detached(py, numbers.len() * ELEMENT_WORK, |should_cancel| {
                cancellable(should_cancel, |cancel| {
                    activation.apply(out, shape[1], cancel);
                    Ok(())
                })
            })?;
            Ok((z.as_any().clone(), weighting.object(), outputs.into_any()))
        })
    })
}
