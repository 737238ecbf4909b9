//! The dropout of a part of a step, for gradients that another program adds up.

use numpy::PyUntypedArrayMethods;
use numpy::ndarray::Ix1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::base::alloc::try_collect_results;
use crate::engine::dropout::Dropout;
use crate::python::borrow::ReadArray;
use crate::python::convert::arrays::{check_shape, integers};

/// The rates, the seed, the step, and the place of each example in the step.
pub struct StepDropout<'py> {
    rates: Vec<f64>,
    seed: u64,
    step: u64,
    positions: ReadArray<'py, u32, Ix1>,
}

impl<'py> StepDropout<'py> {
    /// # Errors
    /// It is not such a tuple.
    pub fn parse(dropout: &Bound<'py, PyAny>) -> PyResult<Self> {
        let (rates, seed, step, positions): (Bound<'py, PyAny>, u64, u64, Bound<'py, PyAny>) =
            dropout.extract()?;
        Ok(Self {
            rates: try_collect_results("dropout", rates.try_iter()?.map(|rate| rate?.extract()))?,
            seed,
            step,
            positions: integers("dropout", &positions)?,
        })
    }

    /// The dropout of `n` examples.
    ///
    /// # Errors
    /// Another number of examples has positions, or their memory is in use.
    pub fn of_examples(&self, n: usize) -> PyResult<Dropout<'_>> {
        check_shape("dropout", &[n], self.positions.shape())?;
        if let Some(rate) = self.rates.iter().find(|&rate| !(0.0..1.0).contains(rate)) {
            let message = format!("dropout: expected rates from 0 to below 1, got {rate}");
            return Err(PyValueError::new_err(message));
        }
        Ok(Dropout {
            rates: &self.rates,
            seed: self.seed,
            step: self.step,
            positions: Some(self.positions.as_slice()?),
        })
    }
}
