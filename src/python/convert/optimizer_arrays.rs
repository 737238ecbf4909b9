//! An array that an optimizer's step updates, with its gradient and state, all in the same memory order.

use std::borrow::Cow;

use numpy::ndarray::{Ix1, IxDyn};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods, dtype};
use pyo3::prelude::*;

use crate::base::error::Error;
use crate::engine::optimizer::{MAX_STATES, ParamsAndState};
use crate::python::borrow::{
    Access, Borrow, BorrowScope, Element, MemoryOrder, ReadArray, WriteArray,
    check_no_self_overlap, check_writeable, contiguous, fill,
};
use crate::python::call::errors::{guarded_object, wrong_type};
use crate::python::convert::arrays::{is_plain, numbers, refuse_masked};

/// One of `params` with its gradient and state, borrowed.
pub struct OptimizerArrays<'py, T> {
    params: WriteArray<'py, T, IxDyn>,
    gradient: ReadArray<'py, T, IxDyn>,
    state: Vec<WriteArray<'py, T, Ix1>>,
    /// The user's array, if `params` is a copy of it.
    original: Option<(Bound<'py, PyUntypedArray>, Borrow)>,
}

/// Their elements.
pub struct OptimizerSlices<'a, T> {
    pub params_and_state: ParamsAndState<'a, T>,
    pub gradient: &'a [T],
}

/// A gradient as an array of numbers.
///
/// # Errors
/// It is not an array of numbers.
pub fn gradient_of<'py, T: Element>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    match value.cast::<PyArrayDyn<T>>() {
        Ok(array) if is_plain(value) => Ok(array.as_untyped().clone()),
        _ => numbers(argument, value),
    }
}

/// The array, if it is an aligned, contiguous array of `T` in this order.
fn as_contiguous<'py, T: Element>(
    array: &Bound<'py, PyUntypedArray>,
    order: MemoryOrder,
) -> Option<Bound<'py, PyArrayDyn<T>>> {
    let array = array.cast::<PyArrayDyn<T>>().ok()?;
    order
        .is_usable::<T>(array.as_untyped())
        .then(|| array.clone())
}

impl<'py, T: Element> OptimizerArrays<'py, T> {
    /// Borrows in the `scope` of all arrays of a step. `names`: the names of `params` and `gradient` in
    /// errors.
    ///
    /// # Errors
    /// `params` is read-only or overlaps itself, `gradient` has another shape, one of the arrays shares
    /// memory with another, or another call uses it.
    pub fn new<'a>(
        scope: &mut BorrowScope<'py>,
        names: [Cow<'static, str>; 2],
        params: &Bound<'py, PyUntypedArray>,
        gradient: &Bound<'py, PyUntypedArray>,
        state: impl Iterator<Item = &'a Bound<'py, PyAny>>,
    ) -> PyResult<Self>
    where
        'py: 'a,
    {
        let [of_params, of_gradient] = names;
        check_writeable(&of_params, params)?;
        refuse_masked(&of_params, params)?;
        check_no_self_overlap(&of_params, params)?;
        if gradient.shape() != params.shape() {
            return Err(Error::shape(&of_gradient, params.shape(), gradient.shape()).into());
        }
        let order = MemoryOrder::of(params);
        let dtype = || Some(dtype::<T>(params.py()));
        let (params, original) = if let Some(params) = as_contiguous::<T>(params, order) {
            (scope.write(of_params, &params, order)?, None)
        } else {
            let borrow = scope.borrow_strided(of_params.clone(), params, Access::Write)?;
            let copy = contiguous(&of_params, &borrow, params, dtype(), order)?;
            let copy = scope.write(of_params, copy.cast()?, order)?;
            (copy, Some((params.clone(), borrow)))
        };
        let gradient = if let Some(gradient) = as_contiguous::<T>(gradient, order) {
            scope.read(of_gradient, &gradient, order)?
        } else {
            let borrow = scope.borrow_strided(of_gradient.clone(), gradient, Access::Read)?;
            let copy = contiguous(&of_gradient, &borrow, gradient, dtype(), order)?;
            scope.read(of_gradient, copy.cast()?, order)?
        };
        let mut state_arrays = Vec::with_capacity(MAX_STATES);
        for state in state {
            let vector = state.cast::<PyArray1<T>>();
            let vector =
                vector.map_err(|_| wrong_type("state", "a vector of the same dtype", state))?;
            state_arrays.push(scope.write("state", vector, MemoryOrder::C)?);
        }
        Ok(Self {
            params,
            gradient,
            state: state_arrays,
            original,
        })
    }

    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.params.len()
    }

    /// # Errors
    /// An array has been changed in place in the meantime, or the state has another length.
    pub fn slices(&mut self) -> PyResult<OptimizerSlices<'_, T>> {
        Ok(OptimizerSlices {
            params_and_state: params_and_state(self.params.as_slice_mut()?, &mut self.state)?,
            gradient: self.gradient.as_slice()?,
        })
    }

    /// Copies the parameters back to the user's array, if they are a copy.
    ///
    /// # Errors
    /// NumPy's errors; none are expected.
    pub fn write_back(&self) -> PyResult<()> {
        match &self.original {
            Some((array, borrow)) => fill("params", borrow, array, self.params.as_untyped()),
            None => Ok(()),
        }
    }
}

/// "C" or "F": the memory order of an array, which its state shares.
///
/// # Errors
/// Memory runs out.
#[pyfunction]
pub fn memory_order<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(array.py(), || {
        Ok(match MemoryOrder::of(array) {
            MemoryOrder::C => "C",
            MemoryOrder::Fortran => "F",
        })
    })
}

/// Parameters and the optimizer's state for them.
///
/// # Errors
/// The state has too many arrays, or another length than the parameters.
pub fn params_and_state<'a, T: Element>(
    params: &'a mut [T],
    state: &'a mut [WriteArray<'_, T, Ix1>],
) -> PyResult<ParamsAndState<'a, T>> {
    if state.len() > MAX_STATES {
        return Err(
            Error::value("state", format!("at most {MAX_STATES} arrays"), state.len()).into(),
        );
    }
    let mut slices = Vec::with_capacity(MAX_STATES);
    for state in state {
        if state.len() != params.len() {
            return Err(Error::value("state", params.len(), state.len()).into());
        }
        slices.push(state.as_slice_mut()?);
    }
    Ok(ParamsAndState::new(params, slices))
}
