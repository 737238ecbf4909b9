//! `forward_many` and `backprop_many`: one call for several networks, each on one thread.

use numpy::PyArrayMethods;
use numpy::ndarray::Ix2;
use pyo3::prelude::*;

use crate::base::alloc::{try_collect_results, try_reserve};
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::model::architecture::Architecture;
use crate::model::network::Network;
use crate::pool::Team;
use crate::python::api::gradient::Gradient;
use crate::python::api::network::PyNetwork;
use crate::python::api::threads;
use crate::python::borrow::{Element, ReadGuard, WriteArray, WriteGuard, readwrite};
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::output;
use crate::python::convert::config::Dtype;
use crate::python::convert::inputs::InputArray;
use crate::python::convert::targets::{TargetArray, Weighting};

/// A network and its arrays, borrowed for a call.
struct Borrowed<'a, 'py, T: Element> {
    architecture: &'a Architecture,
    params: ReadGuard<'a, T>,
    x: InputArray<'py, T>,
    task: BorrowedTask<'a, 'py, T>,
}

enum BorrowedTask<'a, 'py, T: Element> {
    Forward(WriteArray<'py, T, Ix2>),
    Backprop {
        y: TargetArray<'py, T>,
        weighting: &'a Weighting<'py>,
        out: WriteGuard<'a, T>,
    },
}

/// The same as slices.
struct ManyCall<'a, T> {
    network: Network<'a, T>,
    inputs: Inputs<'a, T>,
    task: Task<'a, T>,
}

enum Task<'a, T> {
    /// Where a^L goes.
    Forward(&'a mut [T]),
    /// The targets, and where the gradient goes.
    Backprop(Targets<'a, T>, &'a mut [T]),
}

enum AnyBorrowed<'a, 'py> {
    Float32(Borrowed<'a, 'py, f32>),
    Float64(Borrowed<'a, 'py, f64>),
}

enum AnyCall<'a> {
    Float32(ManyCall<'a, f32>),
    Float64(ManyCall<'a, f64>),
}

/// The buffers of a thread.
#[derive(Default)]
struct ThreadScratch {
    float32: Scratch<f32>,
    float64: Scratch<f64>,
}

impl<T: Element> Borrowed<'_, '_, T> {
    fn slices(&mut self) -> Result<ManyCall<'_, T>> {
        let inputs = self.x.inputs(self.architecture)?;
        let (width, cost) = (self.architecture.n_outputs(), self.architecture.cost());
        let task = match &mut self.task {
            BorrowedTask::Forward(out) => Task::Forward(out.as_slice_mut()?),
            BorrowedTask::Backprop { y, weighting, out } => {
                let targets = y.targets(width, cost, inputs.len())?;
                Task::Backprop(weighting.apply(targets, inputs.len())?, out)
            }
        };
        Ok(ManyCall {
            network: Network::new(self.architecture, &self.params),
            inputs,
            task,
        })
    }
}

impl<T: Element> ManyCall<'_, T> {
    /// Does the work, on the running thread alone. Returns C, 0 for a forward pass.
    fn run(&mut self, scratch: &mut Scratch<T>) -> Result<f64> {
        let team = Team::alone();
        let call = Call::new(self.network, self.inputs, &team, &|| false);
        match &mut self.task {
            Task::Forward(out) => call.forward(scratch, out).map(|()| 0.0),
            Task::Backprop(targets, gradient) => call.backprop(targets, scratch, gradient),
        }
    }
}

/// Runs all calls on the threads of a team. Returns C of each.
fn run_all(py: Python<'_>, mut borrowed: Vec<AnyBorrowed<'_, '_>>) -> PyResult<Vec<f64>> {
    let allowed = threads::current(py)?;
    // No Python code runs from here on.
    let calls = borrowed.iter_mut().map(|borrowed| {
        let call = match borrowed {
            AnyBorrowed::Float32(borrowed) => AnyCall::Float32(borrowed.slices()?),
            AnyBorrowed::Float64(borrowed) => AnyCall::Float64(borrowed.slices()?),
        };
        Result::Ok((call, Ok(0.0)))
    });
    let mut calls: Vec<(AnyCall<'_>, Result<f64>)> = try_collect_results("nets", calls)?;
    let team = Team::assemble(allowed.min(calls.len()));
    let mut scratch: Vec<ThreadScratch> = Vec::new();
    try_reserve("threads", &mut scratch, team.threads())?;
    scratch.resize_with(team.threads(), ThreadScratch::default);
    let work = calls.iter().map(|(call, _)| match call {
        AnyCall::Float32(call) => call.inputs.work(call.network.architecture),
        AnyCall::Float64(call) => call.inputs.work(call.network.architecture),
    });
    let work = work.fold(0, usize::saturating_add);
    let outcome = detached(py, work, |should_cancel| {
        let each = |scratch: &mut ThreadScratch,
                    (call, cost): &mut (AnyCall<'_>, Result<f64>),
                    _: &CancelToken<'_>| {
            *cost = match call {
                AnyCall::Float32(call) => call.run(&mut scratch.float32),
                AnyCall::Float64(call) => call.run(&mut scratch.float64),
            };
        };
        team.run(&mut scratch, calls.iter_mut(), should_cancel, each)
    });
    if outcome.is_err() && team.is_forked_child() {
        // In a forked child, memory that the parent's threads were writing must not be freed.
        std::mem::forget((scratch, calls));
        outcome?;
        return Ok(Vec::new());
    }
    outcome?;
    let costs = calls.into_iter().map(|(_, cost)| cost);
    Ok(try_collect_results("nets", costs)?)
}

/// a^L of each network for its x, in its `out` or a new array.
#[pyfunction]
pub fn forward_many<'py>(
    py: Python<'py>,
    nets: Vec<Bound<'py, PyNetwork>>,
    xs: Vec<Bound<'py, PyAny>>,
    outs: Vec<Option<Bound<'py, PyAny>>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    fn borrow<'a, 'py, T: Element>(
        net: &'a PyNetwork,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Borrowed<'a, 'py, T>, Bound<'py, PyAny>)> {
        let (py, architecture) = (x.py(), &**net.architecture());
        let x = InputArray::<T>::parse(x)?;
        let shape = [x.inputs(architecture)?.len(), architecture.n_outputs()];
        let array = output::<T, Ix2>(out, py, &shape, &x.named())?;
        let numbers = net.vector.numbers::<T>()?;
        numbers.check_out_disjoint(array.as_untyped())?;
        let borrowed = Borrowed {
            architecture,
            params: numbers.read("params")?,
            x,
            task: BorrowedTask::Forward(readwrite("out", &array)?),
        };
        Ok((borrowed, array.into_any()))
    }
    guarded(|| {
        let (mut borrowed, mut arrays) = (Vec::new(), Vec::new());
        try_reserve("nets", &mut borrowed, nets.len())?;
        try_reserve("nets", &mut arrays, nets.len())?;
        for ((net, x), out) in nets.iter().zip(&xs).zip(&outs) {
            let net = net.get();
            let (one, array) = match net.dtype() {
                Dtype::Float32 => {
                    let (one, array) = borrow::<f32>(net, x, out.as_ref())?;
                    (AnyBorrowed::Float32(one), array)
                }
                Dtype::Float64 => {
                    let (one, array) = borrow::<f64>(net, x, out.as_ref())?;
                    (AnyBorrowed::Float64(one), array)
                }
            };
            borrowed.push(one);
            arrays.push(array);
        }
        run_all(py, borrowed)?;
        Ok(arrays)
    })
}

/// C and its gradient for each network, whose costs have names, in `outs`.
#[pyfunction]
pub fn backprop_many<'py>(
    py: Python<'py>,
    nets: Vec<Bound<'py, PyNetwork>>,
    examples: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    sample_weights: Vec<Option<Bound<'py, PyAny>>>,
    reduction: &Bound<'py, PyAny>,
    outs: Vec<Bound<'py, Gradient>>,
) -> PyResult<()> {
    fn borrow<'a, 'py, T: Element>(
        net: &'a PyNetwork,
        (x, y): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
        weighting: &'a Weighting<'py>,
        out: &'a Gradient,
    ) -> PyResult<Borrowed<'a, 'py, T>> {
        let architecture = &**net.architecture();
        let x = InputArray::<T>::parse(x)?;
        let n = x.inputs(architecture)?.len();
        let y = TargetArray::<T>::parse(architecture.n_outputs(), architecture.cost(), n, y)?;
        out.check(architecture, net.dtype())?;
        Ok(Borrowed {
            architecture,
            params: net.vector.numbers::<T>()?.read("params")?,
            x,
            task: BorrowedTask::Backprop {
                y,
                weighting,
                out: out.vector.numbers::<T>()?.write("out")?,
            },
        })
    }
    guarded(|| {
        let weightings = (sample_weights.iter())
            .map(|weights| Weighting::parse(weights.as_ref(), reduction.extract()?));
        let weightings: Vec<Weighting<'py>> = try_collect_results("sample_weight", weightings)?;
        let all = nets.iter().zip(&examples).zip(&weightings).zip(&outs);
        let borrowed = all.map(|(((net, (x, y)), weighting), out)| {
            let examples = (x, y);
            let (net, out) = (net.get(), out.get());
            PyResult::Ok(match net.dtype() {
                Dtype::Float32 => AnyBorrowed::Float32(borrow(net, examples, weighting, out)?),
                Dtype::Float64 => AnyBorrowed::Float64(borrow(net, examples, weighting, out)?),
            })
        });
        let borrowed = try_collect_results("nets", borrowed)?;
        for (cost, out) in run_all(py, borrowed)?.into_iter().zip(&outs) {
            out.get().set_cost(cost);
        }
        Ok(())
    })
}
