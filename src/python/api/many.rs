//! `forward_many` and `backprop_many`: one call for several networks.

use numpy::ndarray::Ix2;
use pyo3::prelude::*;

use crate::base::alloc::{try_collect, try_collect_results};
use crate::base::error::Result;
use crate::many::calls::{NetworkCall, Task};
use crate::many::schedule::{ByDtype, JobSet};
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::python::api::gradient::Gradient;
use crate::python::api::network::PyNetwork;
use crate::python::api::threads;
use crate::python::borrow::{Element, ReadGuard, WriteGuard};
use crate::python::call::detach::detached;
use crate::python::call::errors::{guarded, guarded_object, with_argument_name};
use crate::python::convert::dtype::Dtype;
use crate::python::convert::inputs::InputArray;
use crate::python::convert::output::Output;
use crate::python::convert::targets::{TargetArray, Weighting};

/// A network and its arrays, borrowed for a call.
struct BorrowedCall<'a, 'py, T: Element> {
    architecture: &'a Architecture,
    params: ReadGuard<'a, T>,
    x: InputArray<'py, T>,
    task: BorrowedTask<'a, 'py, T>,
}

enum BorrowedTask<'a, 'py, T: Element> {
    Forward(Output<'py, T, Ix2>),
    Backprop {
        y: TargetArray<'py, T>,
        weighting: Weighting<'py>,
        gradient: WriteGuard<'a, T>,
        cost: f64,
    },
}

type AnyBorrowedCall<'a, 'py> = ByDtype<BorrowedCall<'a, 'py, f32>, BorrowedCall<'a, 'py, f64>>;

impl<'py, T: Element> BorrowedCall<'_, 'py, T> {
    fn call(&mut self) -> Result<NetworkCall<'_, T>> {
        let inputs = self.x.inputs(self.architecture)?;
        let (width, cost_function) = (self.architecture.n_outputs(), self.architecture.cost());
        let task = match &mut self.task {
            BorrowedTask::Forward(out) => Task::Forward(out.as_slice_mut()?),
            BorrowedTask::Backprop {
                y,
                weighting,
                gradient,
                cost,
            } => {
                let targets = y.targets(width, cost_function, inputs.len())?;
                Task::Backprop {
                    targets: weighting.apply(targets, inputs.len())?,
                    gradient,
                    cost,
                }
            }
        };
        Ok(NetworkCall {
            network: Network::new(self.architecture, &self.params),
            inputs,
            task,
        })
    }

    /// C, after the call of `backprop_many`.
    fn cost(&self) -> Option<f64> {
        match self.task {
            BorrowedTask::Forward(_) => None,
            BorrowedTask::Backprop { cost, .. } => Some(cost),
        }
    }

    /// a^L, after the call of `forward_many`.
    fn into_array(self) -> Option<Bound<'py, PyAny>> {
        match self.task {
            BorrowedTask::Forward(out) => Some(out.into_array().into_any()),
            BorrowedTask::Backprop { .. } => None,
        }
    }
}

/// Runs all calls. Errors name the network by its index, which comes with it.
fn run_all(py: Python<'_>, borrowed: &mut [(usize, AnyBorrowedCall<'_, '_>)]) -> PyResult<()> {
    let allowed = threads::current(py)?;
    // No Python code runs from here on.
    let calls = borrowed.iter_mut().map(|(index, borrowed)| {
        let call = match borrowed {
            ByDtype::Float32(borrowed) => borrowed.call().map(ByDtype::Float32),
            ByDtype::Float64(borrowed) => borrowed.call().map(ByDtype::Float64),
        };
        call.map_err(|error| error.at(format_args!("nets[{index}]")))
    });
    let calls = try_collect_results("nets", calls)?;
    let work = calls.iter().map(|call| match call {
        ByDtype::Float32(call) => call.work(),
        ByDtype::Float64(call) => call.work(),
    });
    let work = work.fold(0, usize::saturating_add);
    let mut jobs = JobSet::new(calls, allowed)?;
    detached(py, work, |should_cancel| jobs.run(should_cancel))?;
    for (_, outcome) in jobs.into_outcomes() {
        outcome?;
    }
    Ok(())
}

/// The same error, about the network at `index`.
fn of_network<R>(py: Python<'_>, index: usize, outcome: PyResult<R>) -> PyResult<R> {
    outcome.map_err(|error| with_argument_name(py, &format!("nets[{index}]"), error))
}

/// A network, its index in the list of the user, x, and `out`.
type ForwardArguments<'py> = (
    usize,
    Bound<'py, PyNetwork>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
);

/// a^L of each network for its x, in its `out` or a new array.
#[pyfunction]
pub fn forward_many<'py>(
    py: Python<'py>,
    calls: Vec<ForwardArguments<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    fn borrow<'a, 'py, T: Element>(
        net: &'a PyNetwork,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<BorrowedCall<'a, 'py, T>> {
        let (py, architecture) = (x.py(), &**net.architecture());
        let x = InputArray::<T>::parse(x)?;
        let shape = [x.inputs(architecture)?.len(), architecture.n_outputs()];
        let out = Output::parse(out, py, &shape, &x.named())?;
        let numbers = net.vector.numbers::<T>()?;
        if let Some(out) = out.out() {
            numbers.check_out_disjoint(out)?;
        }
        Ok(BorrowedCall {
            architecture,
            params: numbers.read("params")?,
            x,
            task: BorrowedTask::Forward(out),
        })
    }
    guarded_object(py, || {
        let borrowed = calls.iter().map(|(index, net, x, out)| {
            let (net, out) = (net.get(), out.as_ref());
            let borrowed = match net.dtype() {
                Dtype::Float32 => borrow(net, x, out).map(ByDtype::Float32),
                Dtype::Float64 => borrow(net, x, out).map(ByDtype::Float64),
            };
            Ok((*index, of_network(py, *index, borrowed)?))
        });
        let mut borrowed: Vec<(usize, AnyBorrowedCall<'_, '_>)> =
            try_collect_results::<_, PyErr>("nets", borrowed)?;
        run_all(py, &mut borrowed)?;
        let arrays = borrowed.into_iter().filter_map(|(_, call)| match call {
            ByDtype::Float32(call) => call.into_array(),
            ByDtype::Float64(call) => call.into_array(),
        });
        Ok(try_collect("nets", arrays)?)
    })
}

/// A network, its index in the list of the user, x, y, sample_weight, and `out`.
type BackpropArguments<'py> = (
    usize,
    Bound<'py, PyNetwork>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Bound<'py, Gradient>,
);

/// C and its gradient for each network, whose costs have names, in its `out`.
#[pyfunction]
pub fn backprop_many<'py>(
    py: Python<'py>,
    calls: Vec<BackpropArguments<'py>>,
    reduction: &Bound<'py, PyAny>,
) -> PyResult<()> {
    fn borrow<'a, 'py, T: Element>(
        (_, net, x, y, sample_weight, out): &'a BackpropArguments<'py>,
        reduction: &Bound<'py, PyAny>,
    ) -> PyResult<BorrowedCall<'a, 'py, T>> {
        let (net, out) = (net.get(), out.get());
        let architecture = &**net.architecture();
        let x = InputArray::<T>::parse(x)?;
        let n = x.inputs(architecture)?.len();
        let y = TargetArray::<T>::parse(architecture.n_outputs(), architecture.cost(), n, y)?;
        out.check(architecture, net.dtype())?;
        Ok(BorrowedCall {
            architecture,
            params: net.vector.numbers::<T>()?.read("params")?,
            x,
            task: BorrowedTask::Backprop {
                y,
                weighting: Weighting::parse(sample_weight.as_ref(), reduction.extract()?)?,
                gradient: out.vector.numbers::<T>()?.write("out")?,
                cost: 0.0,
            },
        })
    }
    guarded(|| {
        Weighting::parse(None, reduction.extract()?)?; // here, as its error is about no network
        let borrowed = calls.iter().map(|arguments| {
            let (index, net, ..) = arguments;
            let borrowed = match net.get().dtype() {
                Dtype::Float32 => borrow(arguments, reduction).map(ByDtype::Float32),
                Dtype::Float64 => borrow(arguments, reduction).map(ByDtype::Float64),
            };
            Ok((*index, of_network(py, *index, borrowed)?))
        });
        let mut borrowed: Vec<(usize, AnyBorrowedCall<'_, 'py>)> =
            try_collect_results::<_, PyErr>("nets", borrowed)?;
        run_all(py, &mut borrowed)?;
        let costs = borrowed.iter().map(|(_, borrowed)| match borrowed {
            ByDtype::Float32(borrowed) => borrowed.cost(),
            ByDtype::Float64(borrowed) => borrowed.cost(),
        });
        let costs = try_collect("nets", costs)?;
        drop(borrowed);
        for ((.., out), cost) in calls.iter().zip(costs.into_iter().flatten()) {
            out.get().set_cost(cost);
        }
        Ok(())
    })
}
