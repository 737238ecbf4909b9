//! Counter-based random numbers for Python.

use numpy::PyArray1;
use pyo3::prelude::*;

use crate::base::alloc::{try_push, try_reserve};
use crate::base::cancel::{ELEMENT_WORK, cancellable};
use crate::base::random::{add_noise, is_drawn};
use crate::python::api::gradient::Gradient;
use crate::python::borrow::Element;
use crate::python::call::detach::detached;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::from_slice;
use crate::python::convert::config::Dtype;

/// Adds normally distributed noise to every number of a gradient.
#[pyfunction]
#[pyo3(name = "add_noise")]
pub fn add_noise_to_gradient(
    gradient: &Bound<'_, Gradient>,
    seed: u64,
    deviation: f64,
) -> PyResult<()> {
    guarded(|| match gradient.get().vector.dtype {
        Dtype::Float32 => add_to::<f32>(gradient, seed, deviation),
        Dtype::Float64 => add_to::<f64>(gradient, seed, deviation),
    })
}

fn add_to<T: Element>(gradient: &Bound<'_, Gradient>, seed: u64, deviation: f64) -> PyResult<()> {
    let mut numbers = gradient.get().vector.numbers::<T>()?.write("gradient")?;
    let work = numbers.len().saturating_mul(ELEMENT_WORK);
    let numbers = &mut *numbers;
    detached(gradient.py(), work, |should_cancel| {
        cancellable(should_cancel, |cancel| {
            let add = |number: &mut T, noise: f64| *number = T::from_f64(number.to_f64() + noise);
            add_noise(seed, deviation, numbers, add, cancel);
            Ok(())
        })
    })
}

/// The indices of the examples that are drawn of `n`, each with probability `rate`.
#[pyfunction]
pub fn poisson_sample(
    py: Python<'_>,
    seed: u64,
    rate: f64,
    n: usize,
) -> PyResult<Bound<'_, PyArray1<i64>>> {
    guarded(|| {
        let mut indices = Vec::new();
        try_reserve("sample", &mut indices, n)?;
        for (index, _) in (0_i64..)
            .zip(is_drawn(seed, rate, n))
            .filter(|&(_, drawn)| drawn)
        {
            try_push("sample", &mut indices, index)?;
        }
        from_slice(py, &indices)
    })
}
