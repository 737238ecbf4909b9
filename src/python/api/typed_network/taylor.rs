//! `taylor` and `backprop_taylor`.

use numpy::ndarray::{Ix2, Ix3};
use numpy::{PyArray2, PyArray3};
use pyo3::prelude::*;

use crate::data::Targets;
use crate::inside::taylor::{Series, TaylorCost};
use crate::model::network::Network;
use crate::python::api::gradient::Gradient;
use crate::python::api::threads;
use crate::python::api::typed_network::TypedNetwork;
use crate::python::api::typed_network::backprop::check_gradient_disjoint;
use crate::python::borrow::{Element, NewArray};
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::Weighting;
use crate::python::convert::taylor::{DirectionsArray, TaylorCosts};

/// a^L, (n, n_L), and its first and second derivatives, each (k, n, n_L).
type TaylorValues<'py, T> = (
    Bound<'py, PyArray2<T>>,
    Bound<'py, PyArray3<T>>,
    Option<Bound<'py, PyArray3<T>>>,
);

/// x and the weights as arrays of their dtypes, and the directions.
type PreparedTaylor<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
);

impl<T: Element> TypedNetwork<'_, T> {
    /// a^L and its derivatives along the directions.
    pub fn taylor<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        directions: &Bound<'py, PyAny>,
        order: usize,
    ) -> PyResult<TaylorValues<'py, T>> {
        let (py, architecture) = (x.py(), self.architecture());
        let (x, directions) = (InputArray::parse(x)?, DirectionsArray::parse(directions)?);
        let (n, k) = self.check_series(&x, &directions, order)?;
        let shape = [k, n, architecture.n_outputs()];
        let mut value = NewArray::<T, Ix2>::empty(py, &shape[1..])?;
        let mut first = NewArray::<T, Ix3>::empty(py, &shape)?;
        let second = (order == 2).then(|| NewArray::<T, Ix3>::empty(py, &shape));
        let mut second = second.transpose()?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(architecture)?;
        let directions = directions.directions(architecture.n_inputs(), n)?;
        let series = Series::new(architecture, directions, order)?;
        let value_slice = value.as_slice_mut();
        let second_slice = second.as_mut().map(NewArray::as_slice_mut);
        let derivatives = [first.as_slice_mut(), second_slice.unwrap_or_default()];
        let inputs = (inputs, series.len());
        let network = Network::new(architecture, &params);
        self.run_network(py, allowed, network, inputs, |call, scratch| {
            call.taylor(&series, scratch, value_slice, derivatives)
        })?;
        let second = second.map(NewArray::into_array);
        Ok((value.into_array(), first.into_array(), second))
    }

    /// For a cost of them, before it is called: the arguments as arrays. Those that are invalid whatever the
    /// cost returns are refused.
    pub fn prepare_taylor<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        directions: &Bound<'py, PyAny>,
        order: usize,
        (sample_weight, weighting): (Option<&Bound<'py, PyAny>>, &Weighting<'py>),
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<PreparedTaylor<'py>> {
        let parsed = DirectionsArray::<T>::parse(directions)?;
        let (x, weights) = self.prepare(x, directions, sample_weight, weighting, out)?;
        let (n, _) = self.check_series(&InputArray::parse(&x)?, &parsed, order)?;
        weighting.apply(Targets::<T>::none(n), n)?;
        Ok((x, parsed.object(), weights))
    }

    /// Computes C and the gradient of what a cost of values and derivatives returned into `gradient`.
    pub fn backprop_taylor<'py>(
        &self,
        (x, directions): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
        order: usize,
        returned: &Bound<'py, PyAny>,
        (sample_weight, weighting): (Option<&Bound<'py, PyAny>>, &Weighting<'py>),
        gradient: &Gradient,
    ) -> PyResult<()> {
        let (py, architecture) = (x.py(), self.architecture());
        let (x, array) = (InputArray::parse(x)?, DirectionsArray::parse(directions)?);
        check_gradient_disjoint(gradient, &x, directions, sample_weight)?;
        let (n, k) = self.check_series(&x, &array, order)?;
        let returned = TaylorCosts::parse(returned, [k, n, architecture.n_outputs()], order)?;
        let params = self.numbers()?.read("params")?;
        let mut out = gradient.vector.numbers::<T>()?.write("out")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(architecture)?;
        let directions = array.directions(architecture.n_inputs(), n)?;
        let targets = &weighting.apply(Targets::none(n), n)?;
        let cost = TaylorCost {
            series: Series::new(architecture, directions, order)?,
            nabla: returned.nabla()?,
            targets,
        };
        let numbers = &mut *out;
        let inputs = (inputs, cost.series.len());
        let network = Network::new(architecture, &params);
        self.run_network(py, allowed, network, inputs, |call, scratch| {
            call.backprop_taylor(&cost, scratch, numbers)
        })?;
        gradient.set_cost(targets.total(returned.costs()?));
        Ok(())
    }

    /// Checks the arguments; (n, k).
    fn check_series(
        &self,
        x: &InputArray<'_, T>,
        directions: &DirectionsArray<'_, T>,
        order: usize,
    ) -> PyResult<(usize, usize)> {
        let architecture = self.architecture();
        let n = x.inputs(architecture)?.len();
        let directions = directions.directions(architecture.n_inputs(), n)?;
        let series = Series::new(architecture, directions, order)?;
        Ok((n, series.directions()))
    }
}
