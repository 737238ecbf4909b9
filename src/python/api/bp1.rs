//! BP1 as a separate function, whose cost may be a callable.

use numpy::ndarray::Ix2;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::base::cancel::{ELEMENT_WORK, cancellable};
use crate::engine::backward::bp1 as core_bp1;
use crate::engine::costs::Outputs;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::python::api::equations::{activations, matrix_like, with_type, write};
use crate::python::borrow::{Element, NewArray};
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::input;
use crate::python::convert::config::parse_cost;
use crate::python::convert::custom::CustomCosts;
use crate::python::convert::dtype::Dtype;
use crate::python::convert::name::Name;
use crate::python::convert::output::Output;
use crate::python::convert::targets::{TargetArray, TargetsOrCosts, Weighting};

/// sample_weight, reduction and out, as a tuple.
type Options<'py> = (
    Option<Bound<'py, PyAny>>,
    Name<'py>,
    Option<Bound<'py, PyAny>>,
);

/// The arguments of BP1 beside y, before the dtype is known.
struct Arguments<'py> {
    z: Bound<'py, PyUntypedArray>,
    activation: Activation,
    cost: Cost,
    is_custom: bool,
    sample_weight: Option<Bound<'py, PyAny>>,
    weighting: Weighting<'py>,
    out: Option<Bound<'py, PyAny>>,
}

impl<'py> Arguments<'py> {
    /// # Errors
    /// An argument is invalid, whatever the dtype and y.
    fn parse(
        z: &Bound<'py, PyAny>,
        output: &Name<'py>,
        cost: Name<'py>,
        (sample_weight, reduction, out): Options<'py>,
    ) -> PyResult<Self> {
        let z = matrix_like("z", z)?;
        let weighting = Weighting::parse(sample_weight.as_ref(), reduction)?;
        let activation = Activation::from_name("output", &output.text("output")?)?;
        let (cost, custom) = parse_cost(&cost.object(z.py()))?;
        cost.check_output(activation)?;
        Ok(Self {
            z,
            activation,
            cost,
            is_custom: custom.is_some(),
            sample_weight,
            weighting,
            out,
        })
    }

    /// `out`, (n, n_L), which shares no memory with the user's arrays, or a new array.
    fn result<T: Element>(
        &self,
        shape: [usize; 2],
        z: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Output<'py, T, Ix2>> {
        let inputs = [
            ("z", Some(z)),
            ("y", Some(y)),
            ("sample_weight", self.sample_weight.as_ref()),
        ];
        Output::parse(self.out.as_ref(), z.py(), &shape, &inputs)
    }
}

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
        let arguments = Arguments::parse(z, &output, cost, options)?;
        let (activation, cost) = (arguments.activation, arguments.cost);
        with_type!([&arguments.z], T => {
            let array = input::<T, Ix2>("z", &arguments.z)?;
            let (py, [n, width]) = (z.py(), [array.shape()[0], array.shape()[1]]);
            let targets_or_costs = if arguments.is_custom {
                TargetsOrCosts::Costs(CustomCosts::parse(y, [n, width])?)
            } else {
                TargetsOrCosts::TargetArray(TargetArray::<T>::parse(width, cost, n, y)?)
            };
            let result = arguments.result::<T>([n, width], z, y)?;
            // No Python code runs from here on.
            let z = array.as_slice()?;
            let targets = targets_or_costs.targets(width, cost, n)?;
            let targets = arguments.weighting.apply(targets, n)?;
            let a = activations(py, activation, z, width)?;
            write(py, result, z.len() * ELEMENT_WORK, |delta, cancel| {
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
/// that. Arguments that are invalid whatever the cost returns are refused here, before it is called.
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
        let arguments = Arguments::parse(z, &output, cost, options)?;
        with_type!([&arguments.z], T => {
            let array = input::<T, Ix2>("z", &arguments.z)?;
            let (py, shape) = (z.py(), [array.shape()[0], array.shape()[1]]);
            if arguments.out.is_some() {
                arguments.result::<T>(shape, z, y)?;
            }
            let mut outputs = NewArray::<T, Ix2>::empty(py, &shape)?;
            // No Python code runs from here on.
            let (numbers, out) = (array.as_slice()?, outputs.as_slice_mut());
            out.copy_from_slice(numbers);
            if arguments.cost != Cost::CustomOfZ {
                detached(py, numbers.len() * ELEMENT_WORK, |should_cancel| {
                    cancellable(should_cancel, |cancel| {
                        arguments.activation.apply(out, shape[1], cancel);
                        Ok(())
                    })
                })?;
            }
            let weights = arguments.weighting.object();
            Ok((array.as_any().clone(), weights, outputs.into_array().into_any()))
        })
    })
}
