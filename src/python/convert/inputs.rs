//! x from Python: an array, or a sparse matrix of SciPy. SciPy is not imported: a user with such a matrix
//! has done that.

use numpy::ndarray::{Ix1, Ix2};
use numpy::{PyArray1, PyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;

use crate::base::alloc::try_to_vec;
use crate::base::error::{Error, Result};
use crate::data::Inputs;
use crate::kernels::csr::CsrPattern;
use crate::model::architecture::Architecture;
use crate::python::borrow::call_python::{attribute, call, import_from};
use crate::python::borrow::{Element, NamedInput, ReadArray};
use crate::python::call::cached::{Cached, interned};
use crate::python::call::errors::guarded;
use crate::python::convert::arrays::{input, integers};

/// x, borrowed or converted.
pub struct InputArray<'py, T: Element> {
    /// The user's object; for a sparse matrix its three arrays.
    given: [Option<Bound<'py, PyAny>>; 3],
    numbers: InputValues<'py, T>,
}

enum InputValues<'py, T: Element> {
    Dense(ReadArray<'py, T, Ix2>),
    /// The matrix in CSR format. Its indices are copied, so that they stay valid if other threads change
    /// the arrays.
    Sparse(Bound<'py, PyAny>, CsrPattern, ReadArray<'py, T, Ix1>),
}

impl<'py, T: Element> InputArray<'py, T> {
    /// # Errors
    /// A wrong type or number of dimensions, or a damaged sparse matrix.
    pub fn parse(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if x.cast::<PyUntypedArray>().is_err() && is_sparse(x)? {
            return Self::sparse(x);
        }
        Ok(Self {
            given: [Some(x.clone()), None, None],
            numbers: InputValues::Dense(input::<T, Ix2>("x", x)?),
        })
    }

    fn sparse(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = x.py();
        let shape = attribute(x, "shape")?;
        let Ok((n, width)) = shape.extract::<(usize, usize)>() else {
            let hint = match shape.len() {
                Ok(1) => "; one example is x.reshape(1, -1)",
                _ => "",
            };
            let got = format!("shape {shape}{hint}");
            return Err(Error::value("x", "2 dimensions", got).into());
        };
        let given = arrays(x)?;
        let format = attribute(x, "format")?;
        let (matrix, by_rows) = if format.eq(interned!(py, "csr"))? {
            (x.clone(), given.clone())
        } else {
            if format.eq(interned!(py, "csc"))? {
                validated_csr::<T>(&given, (width, n))?; // SciPy converts without validation
            }
            let by_rows = import_from(py, "bpfast._validation.arrays.sparse", "by_rows")?;
            let matrix = call(&by_rows, (x,))?;
            let by_rows = arrays(&matrix)?;
            (matrix, by_rows)
        };
        let (mut pattern, mut data) = validated_csr(&by_rows, (n, width))?;
        if pattern.has_duplicates()? {
            let [stored, indices, indptr] = csr_arrays(&by_rows)?;
            let summed = import_from(py, "bpfast._validation.arrays.sparse", "sum_duplicates")?;
            let summed = call(&summed, (stored, indices, indptr))?;
            let [stored, indices, indptr] = summed.extract::<[Bound<'py, PyAny>; 3]>()?;
            let summed = [stored, indices, indptr].map(Some);
            (pattern, data) = validated_csr(&summed, (n, width))?;
        }
        Ok(Self {
            given,
            numbers: InputValues::Sparse(matrix, pattern, data),
        })
    }

    /// # Errors
    /// As [`Inputs::new`] and [`Inputs::sparse`].
    pub fn inputs(&self, architecture: &Architecture) -> Result<Inputs<'_, T>> {
        match &self.numbers {
            InputValues::Dense(x) => Inputs::new(architecture, x.as_matrix()?),
            InputValues::Sparse(_, pattern, values) => {
                Inputs::sparse(architecture, pattern.with_values(values.as_slice()?)?)
            }
        }
    }

    /// The user's arrays.
    pub fn named(&self) -> [NamedInput<'_, 'py>; 3] {
        self.given.each_ref().map(|given| ("x", given.as_ref()))
    }

    /// x as an array of the dtype, or as a CSR matrix.
    pub fn object(&self) -> Bound<'py, PyAny> {
        match &self.numbers {
            InputValues::Dense(x) => x.as_any().clone(),
            InputValues::Sparse(matrix, ..) => matrix.clone(),
        }
    }
}

/// x, stored between calls: the user's array, or a copy of a sparse matrix.
pub enum StoredInputs<T: Element> {
    Dense(Py<PyArray2<T>>),
    Sparse(CsrPattern, Vec<T>),
}

/// A borrow of it.
pub enum BorrowedInputs<'a, 'py, T: Element> {
    Dense(ReadArray<'py, T, Ix2>),
    Sparse(&'a CsrPattern, &'a [T]),
}

impl<T: Element> StoredInputs<T> {
    /// # Errors
    /// As [`InputArray::parse`].
    pub fn parse(x: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(match InputArray::<T>::parse(x)?.numbers {
            InputValues::Dense(x) => {
                Self::Dense(x.as_any().cast::<PyArray2<T>>()?.clone().unbind())
            }
            InputValues::Sparse(_, pattern, values) => {
                Self::Sparse(pattern, try_to_vec("x", values.as_slice()?)?)
            }
        })
    }

    /// The nonzero elements of a dense array as CSR, if they are at most the fraction `share` of all; else
    /// unchanged.
    ///
    /// # Errors
    /// Another call is writing to the array, or memory runs out.
    pub fn into_csr_if_sparse(self, py: Python<'_>, share: f64) -> PyResult<Self> {
        let Self::Dense(array) = &self else {
            return Ok(self);
        };
        let x = input::<T, Ix2>("x", array.bind(py))?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let most = (x.len() as f64 * share) as usize;
        let width = x.as_matrix()?.shape().1;
        let numbers = x.as_slice()?;
        let found = py.detach(|| CsrPattern::from_dense(numbers, width, most))?;
        drop(x);
        Ok(match found {
            Some((pattern, values)) => Self::Sparse(pattern, values),
            None => self,
        })
    }

    /// The array, unless the matrix is sparse.
    pub fn object<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Dense(x) => Some(x.bind(py).clone().into_any()),
            Self::Sparse(..) => None,
        }
    }

    /// # Errors
    /// Another call is writing to the array.
    pub fn borrow<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<BorrowedInputs<'a, 'py, T>> {
        Ok(match self {
            Self::Dense(x) => BorrowedInputs::Dense(input::<T, Ix2>("x", x.bind(py))?),
            Self::Sparse(pattern, values) => BorrowedInputs::Sparse(pattern, values),
        })
    }
}

impl<T: Element> BorrowedInputs<'_, '_, T> {
    /// # Errors
    /// As [`Inputs::new`] and [`Inputs::sparse`].
    pub fn inputs(&self, architecture: &Architecture) -> Result<Inputs<'_, T>> {
        match self {
            Self::Dense(x) => Inputs::new(architecture, x.as_matrix()?),
            Self::Sparse(pattern, values) => {
                Inputs::sparse(architecture, pattern.with_values(values)?)
            }
        }
    }
}

/// Whether a row of a CSR matrix has a column more than once.
///
/// # Errors
/// The matrix is damaged.
#[pyfunction]
pub fn has_duplicates(rows: &Bound<'_, PyAny>) -> PyResult<bool> {
    guarded(|| {
        let shape = rows.getattr(interned!(rows.py(), "shape"))?.extract()?;
        let pattern = pattern(&arrays(rows)?, shape)?;
        Ok(pattern.has_duplicates()?)
    })
}

/// Whether `x` is a SciPy sparse matrix or array.
fn is_sparse(x: &Bound<'_, PyAny>) -> PyResult<bool> {
    static MODULES: Cached<PyAny> = Cached::new();
    let py = x.py();
    let modules = MODULES.import(py, "sys", "modules")?;
    let scipy = modules.call_method1(interned!(py, "get"), (interned!(py, "scipy.sparse"),))?;
    match scipy.getattr_opt(interned!(py, "issparse"))? {
        Some(issparse) => call(&issparse, (x,))?.is_truthy(),
        None => Ok(false),
    }
}

/// The three arrays of a CSR or CSC matrix, if it has them.
fn arrays<'py>(matrix: &Bound<'py, PyAny>) -> PyResult<[Option<Bound<'py, PyAny>>; 3]> {
    let array = |name| match attribute(matrix, name) {
        Ok(array) => Ok(Some(array)),
        Err(error) if error.is_instance_of::<PyAttributeError>(matrix.py()) => Ok(None),
        Err(error) => Err(error),
    };
    Ok([array("data")?, array("indices")?, array("indptr")?])
}

/// The validated pattern of a CSR matrix, and its values.
///
/// # Errors
/// TypeError if an array is not of numbers; ValueError if they do not describe a matrix of `shape`.
fn validated_csr<'py, T: Element>(
    arrays: &[Option<Bound<'py, PyAny>>; 3],
    shape: (usize, usize),
) -> PyResult<(CsrPattern, ReadArray<'py, T, Ix1>)> {
    let data = input::<T, Ix1>("x", csr_arrays(arrays)?[0])?;
    let pattern = pattern(arrays, shape)?;
    pattern.check(data.len())?;
    Ok((pattern, data))
}

/// Only the pattern.
///
/// # Errors
/// As for [`validated_csr`].
fn pattern(arrays: &[Option<Bound<'_, PyAny>>; 3], shape: (usize, usize)) -> PyResult<CsrPattern> {
    let [_, indices, indptr] = csr_arrays(arrays)?;
    let int32 = |value: &Bound<'_, PyAny>| value.cast::<PyArray1<i32>>().is_ok();
    Ok(if int32(indptr) && int32(indices) {
        let (indptr, indices) = (
            integers::<i32>("x", indptr)?,
            integers::<i32>("x", indices)?,
        );
        CsrPattern::new(shape, indptr.as_slice()?, indices.as_slice()?)?
    } else {
        let (indptr, indices) = (
            integers::<i64>("x", indptr)?,
            integers::<i64>("x", indices)?,
        );
        CsrPattern::new(shape, indptr.as_slice()?, indices.as_slice()?)?
    })
}

fn csr_arrays<'a, 'py>(
    arrays: &'a [Option<Bound<'py, PyAny>>; 3],
) -> PyResult<[&'a Bound<'py, PyAny>; 3]> {
    match arrays {
        [Some(data), Some(indices), Some(indptr)] => Ok([data, indices, indptr]),
        _ => Err(PyTypeError::new_err(
            "x: expected a sparse matrix with data, indices and indptr",
        )),
    }
}
