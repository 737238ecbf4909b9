//! y, sample_weight and reduction as Python gives them.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{
    PyArray2, PyArrayDescrMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use super::arrays::{Element, input, labels, numbers};
use super::config::Name;
use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::examples::{Reduction, Targets};

/// How the examples of a call count.
pub struct Weighting<'py> {
    pub sample_weight: Option<PyReadonlyArray1<'py, f64>>,
    pub reduction: Reduction,
}

impl<'py> Weighting<'py> {
    /// # Errors
    /// Wrong types, an unknown reduction.
    pub fn parse(
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Self> {
        Ok(Self {
            sample_weight: sample_weight
                .map(|weights| input::<f64, Ix1>("sample_weight", weights))
                .transpose()?,
            reduction: Reduction::from_name(&reduction.text("reduction")?)?,
        })
    }

    /// `targets` with these weights.
    ///
    /// # Errors
    /// As [`Targets::weighted`].
    pub fn apply<'a, T: Element>(
        &'a self,
        targets: Targets<'a, T>,
        n: usize,
    ) -> Result<Targets<'a, T>> {
        // `input` gave C-contiguous arrays, so the slices are there.
        let weights = self
            .sample_weight
            .as_ref()
            .and_then(|weights| weights.as_slice().ok());
        targets.weighted(n, self.reduction, weights)
    }
}

/// y, borrowed or converted.
pub enum Y<'py, T: Element> {
    Values(PyReadonlyArray2<'py, T>),
    Labels(PyReadonlyArray1<'py, i64>),
}

impl<'py, T: Element> Y<'py, T> {
    /// Integers of shape (n,) are labels; all else is the outputs wanted.
    ///
    /// # Errors
    /// Wrong types and wrong ranks.
    pub fn parse(width: usize, n: usize, y: &Bound<'py, PyAny>) -> PyResult<Self> {
        if y.cast::<PyArray2<T>>().is_ok() {
            return Ok(Self::Values(input::<T, Ix2>("y", y)?));
        }
        let array = numbers("y", y)?;
        if array.ndim() == 1 && array.dtype().kind() != b'f' {
            return Ok(Self::Labels(labels("y", &array, width)?));
        }
        let expected = [n, width];
        if array.shape() != expected {
            return Err(Error::shape("y", &expected, array.shape()).into());
        }
        Ok(Self::Values(input::<T, Ix2>("y", &array)?))
    }

    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, width: usize, cost: Cost, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::Values(y) => Targets::values(width, n, y.as_array()),
            Self::Labels(y) => Targets::labels(width, cost, n, y.as_slice().unwrap_or_default()),
        }
    }
}
