//! Counter-based random numbers for Python.

use numpy::PyArray1;
use pyo3::prelude::*;

use crate::base::alloc::{try_push, try_reserve};
use crate::base::random::is_drawn;
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::from_slice;

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
