//! y, sample_weight and reduction from Python.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray1, PyArray2, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::base::error::Result;
use crate::data::target_shape::{check_axes, label_column_error, one_axis_error};
use crate::data::{Reduction, Targets, labels};
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::python::borrow::call_python::call_method;
use crate::python::borrow::{Element, ReadArray, readonly};
use crate::python::convert::arrays::{self, input, numbers};
use crate::python::convert::custom::{CustomCosts, as_batch};
use crate::python::convert::name::Name;

/// The weights and the reduction of a call.
pub struct Weighting<'py> {
    sample_weight: Option<ReadArray<'py, f64, Ix1>>,
    reduction: Reduction,
}

impl<'py> Weighting<'py> {
    /// # Errors
    /// A wrong type, or an unknown reduction.
    pub fn parse(
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Self> {
        let sample_weight = weights(sample_weight)?;
        let reduction = Reduction::from_name(&reduction.text("reduction")?)?;
        Ok(Self {
            sample_weight,
            reduction,
        })
    }

    /// The same for a cost, and whether its examples are added up: with "none" they are not, and each
    /// counts as in a sum.
    ///
    /// # Errors
    /// Wrong types, an unknown reduction.
    pub fn of_cost(
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<(Self, bool)> {
        let sample_weight = weights(sample_weight)?;
        let reduction = Reduction::of_cost(&reduction.text("reduction")?)?;
        let weighting = Self {
            sample_weight,
            reduction: reduction.unwrap_or(Reduction::Sum),
        };
        Ok((weighting, reduction.is_some()))
    }

    /// For examples that are not added up: each counts as in a sum.
    ///
    /// # Errors
    /// A wrong type.
    pub fn of_examples(sample_weight: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        Ok(Self {
            sample_weight: weights(sample_weight)?,
            reduction: Reduction::Sum,
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
        let weights = self.sample_weight.as_ref().map(ReadArray::as_slice);
        targets.weighted(n, self.reduction, weights.transpose()?)
    }
}

impl<'py> Weighting<'py> {
    /// The weights as an array of float64.
    pub fn object(&self) -> Option<Bound<'py, PyAny>> {
        let weights = self.sample_weight.as_ref();
        weights.map(|weights| weights.as_any().clone())
    }
}

fn weights<'py>(
    sample_weight: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<ReadArray<'py, f64, Ix1>>> {
    let weights = sample_weight.map(|weights| input::<f64, Ix1>("sample_weight", weights));
    weights.transpose()
}

/// y, borrowed or converted.
pub enum TargetArray<'py, T: Element> {
    Values(ReadArray<'py, T, Ix2>),
    Labels(ReadArray<'py, i64, Ix1>),
}

impl<'py, T: Element> TargetArray<'py, T> {
    /// y of shape (n,) has labels where the cost takes them, or else the targets of a single output;
    /// everything else is target values.
    ///
    /// # Errors
    /// A wrong type or shape, or a label that is no whole number.
    pub fn parse(width: usize, cost: Cost, n: usize, y: &Bound<'py, PyAny>) -> PyResult<Self> {
        if y.cast::<PyArray2<T>>()
            .is_ok_and(|y| y.shape() == [n, width])
        {
            return Ok(Self::Values(input::<T, Ix2>("y", y)?));
        }
        let array = numbers("y", y)?;
        if array.ndim() == 1 {
            return Self::of_one_axis(width, cost, n, &array);
        }
        let expected = [n, width];
        if array.shape() != expected {
            let is_column = array.shape() == [n, 1] && cost.takes_labels();
            if is_column && are_whole(&call_method(&array, "ravel", ())?)? {
                return Err(label_column_error(width, n).into());
            }
            check_axes(&expected, array.shape())?;
        }
        Ok(Self::Values(input::<T, Ix2>("y", &array)?))
    }

    fn of_one_axis(
        width: usize,
        cost: Cost,
        n: usize,
        array: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Self> {
        if cost.takes_labels() && array.dtype().kind() != b'f' {
            return Ok(Self::Labels(arrays::labels("y", array, width)?));
        }
        if width == 1 && array.len() == n {
            let column = call_method(array, "reshape", ((n, 1),))?;
            return Ok(Self::Values(input::<T, Ix2>("y", &column)?));
        }
        if width > 1 && cost.takes_labels() {
            check_axes(&[n], array.shape())?;
            let floats = input::<f64, Ix1>("y", array)?;
            labels::check_whole(width, floats.as_slice()?)?;
            return Ok(Self::Labels(arrays::labels("y", array, width)?));
        }
        let whole = are_whole(array)?;
        Err(one_axis_error(width, n, array.len(), whole).into())
    }

    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, width: usize, cost: Cost, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::Values(y) => Targets::values(width, n, y.as_matrix()?),
            Self::Labels(y) => Targets::labels(width, cost, n, y.as_slice()?),
        }
    }

    /// # Errors
    /// As [`Cost::check_range`].
    pub fn check_range(&self, width: usize, cost: Cost, first: usize) -> Result<()> {
        match self {
            Self::Values(y) => cost.check_range(y.as_slice()?, width, first),
            Self::Labels(_) => Ok(()),
        }
    }
}

/// Whether all entries of an array of one axis are whole numbers.
fn are_whole(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    let numbers = input::<f64, Ix1>("y", array)?;
    Ok(numbers.as_slice()?.iter().all(|y| y.fract() == 0.0))
}

/// y, stored between calls.
pub enum StoredTargets<T: Element> {
    Values(Py<PyArray2<T>>),
    Labels(Py<PyArray1<i64>>),
    /// y of a callable cost: any object.
    Any(Py<PyAny>),
}

/// A borrow of it.
pub enum BorrowedTargets<'py, T: Element> {
    TargetArray(TargetArray<'py, T>),
    Any,
}

impl<T: Element> StoredTargets<T> {
    /// # Errors
    /// As for [`TargetArray::parse`] and [`TargetArray::targets`]; for a custom cost, if y does not have `n` entries.
    pub fn parse(
        architecture: &Architecture,
        custom: bool,
        n: usize,
        y: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        if custom {
            return Ok(Self::Any(as_batch(y, n)?.into_any().unbind()));
        }
        let (width, cost) = (architecture.n_outputs(), architecture.cost());
        let y = TargetArray::<T>::parse(width, cost, n, y)?;
        y.targets(width, cost, n)?;
        y.check_range(width, cost, 0)?;
        Ok(match y {
            TargetArray::Values(y) => {
                Self::Values(y.as_any().cast::<PyArray2<T>>()?.clone().unbind())
            }
            TargetArray::Labels(y) => {
                Self::Labels(y.as_any().cast::<PyArray1<i64>>()?.clone().unbind())
            }
        })
    }

    /// # Errors
    /// Another call is writing to the array.
    pub fn borrow<'py>(&self, py: Python<'py>) -> PyResult<BorrowedTargets<'py, T>> {
        Ok(match self {
            Self::Values(y) => {
                BorrowedTargets::TargetArray(TargetArray::Values(input::<T, Ix2>("y", y.bind(py))?))
            }
            // Its dtype may have been changed in place.
            Self::Labels(y) => {
                let y = y.bind(py).as_any();
                let labels = y.cast::<PyArray1<i64>>().map_err(|_| other_dtype(y))?;
                BorrowedTargets::TargetArray(TargetArray::Labels(readonly("y", labels)?))
            }
            Self::Any(_) => BorrowedTargets::Any,
        })
    }

    /// The array as a Python object.
    pub fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Values(y) => y.bind(py).clone().into_any(),
            Self::Labels(y) => y.bind(py).clone().into_any(),
            Self::Any(y) => y.bind(py).clone(),
        }
    }
}

/// The error for labels whose dtype was changed in place.
fn other_dtype(y: &Bound<'_, PyAny>) -> PyErr {
    let got = match y.cast::<PyUntypedArray>() {
        Ok(array) => array.dtype().to_string(),
        Err(_) => "no array".to_owned(),
    };
    PyTypeError::new_err(format!("y: expected int64 labels, got dtype {got}"))
}

impl<T: Element> BorrowedTargets<'_, T> {
    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, architecture: &Architecture, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::TargetArray(y) => y.targets(architecture.n_outputs(), architecture.cost(), n),
            Self::Any => Ok(Targets::none(n)),
        }
    }
}

/// y, or what a callable cost returned for the outputs; borrowed or converted.
pub enum TargetsOrCosts<'py, T: Element> {
    TargetArray(TargetArray<'py, T>),
    Costs(CustomCosts<'py, T>),
}

impl<T: Element> TargetsOrCosts<'_, T> {
    /// The targets of `n` examples.
    ///
    /// # Errors
    /// As [`Targets::values`] and [`Targets::labels`].
    pub fn targets(&self, width: usize, cost: Cost, n: usize) -> Result<Targets<'_, T>> {
        match self {
            Self::TargetArray(y) => y.targets(width, cost, n),
            Self::Costs(costs) => Targets::values(width, n, costs.nabla_a.as_matrix()?),
        }
    }

    /// The C_x of a callable cost.
    ///
    /// # Errors
    /// Python code has changed the array in place in the meantime.
    pub fn costs(&self) -> PyResult<Option<&[f64]>> {
        Ok(match self {
            Self::TargetArray(_) => None,
            Self::Costs(costs) => Some(costs.of_examples.as_slice()?),
        })
    }
}
