//! y, sample_weight and reduction as Python gives them.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{
    PyArray2, PyArrayDescrMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use super::arrays::{Element, Span, input, labels, matrix, numbers};
use crate::error::{Error, Result};
use crate::examples::{Reduction, Targets};
use crate::network::Network;

/// How the examples of a call count.
pub struct Weighting<'py> {
    pub sample_weight: Option<PyReadonlyArray1<'py, f64>>,
    pub reduction: Reduction,
}

impl<'py> Weighting<'py> {
    /// # Errors
    /// Wrong types, an unknown reduction.
    pub fn parse(sample_weight: Option<&Bound<'py, PyAny>>, reduction: &str) -> PyResult<Self> {
        Ok(Self {
            sample_weight: sample_weight
                .map(|weights| input::<f64, Ix1>("sample_weight", weights))
                .transpose()?,
            reduction: Reduction::from_name(reduction)?,
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
    pub fn parse(network: &Network, n: usize, y: &Bound<'py, PyAny>) -> PyResult<Self> {
        if y.cast::<PyArray2<T>>().is_ok() {
            return Ok(Self::Values(input::<T, Ix2>("y", y)?));
        }
        let array = numbers("y", y)?;
        if array.ndim() == 1 && array.dtype().kind() != b'f' {
            return Ok(Self::Labels(labels("y", &array)?));
        }
        let expected = [n, network.n_outputs()];
        if array.shape() != expected {
            return Err(Error::shape("y", &expected, array.shape()).into());
        }
        Ok(Self::Values(input::<T, Ix2>("y", &array)?))
    }

    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, network: &Network, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::Values(y) => Targets::values(network, n, matrix(y)),
            Self::Labels(y) => Targets::labels(network, n, y.as_slice().unwrap_or_default()),
        }
    }

    /// Where the numbers lie.
    pub fn span(&self) -> Span {
        match self {
            Self::Values(y) => Span::of(y),
            Self::Labels(y) => Span::of(y),
        }
    }
}
