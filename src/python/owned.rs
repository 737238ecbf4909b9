//! Vectors that Rust owns and NumPy sees.

use std::time::Duration;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use super::arrays::Element;
use super::claims::{Call, Claim, Hold};
use super::detach::without_kernels;
use super::memory::{Bounds, refused};
use crate::interrupt::watch;
use crate::reserve::reserve_for;

/// How long a training waits before it asks again whether others are done.
const WAIT: Duration = Duration::from_micros(200);

/// A vector that Rust owns and NumPy sees. Its memory has a fixed place and length whatever a user
/// does to the array.
pub struct Owned<T: Element> {
    array: Py<PyArray1<T>>,
    length: usize,
}

/// An [`Owned`] of either type.
pub enum AnyOwned {
    Float32(Owned<f32>),
    Float64(Owned<f64>),
}

impl<T: Element> Owned<T> {
    /// Zeros; MemoryError, which says for `what`, where they cannot be had.
    pub fn zeros(py: Python<'_>, what: &str, length: usize) -> PyResult<Self> {
        let numbers = without_kernels(py, length, |question| {
            let mut numbers = Vec::new();
            watch(question, |pulse| {
                reserve_for(what, &mut numbers, length, 1, pulse)
            })?;
            Ok(numbers)
        })?;
        Ok(Self {
            array: PyArray1::from_vec(py, numbers).unbind(),
            length,
        })
    }

    /// The array that NumPy sees.
    pub fn array<'py>(&self, py: Python<'py>) -> &Bound<'py, PyArray1<T>> {
        self.array.bind(py)
    }

    /// The numbers, for reading.
    ///
    /// # Errors
    /// Another call is writing to them.
    pub fn read<'a>(&'a self, py: Python<'_>, argument: &str) -> PyResult<Reading<'a, T>> {
        let claim = self.claim(py, argument, Hold::Reads)?;
        let data = self.array(py).data();
        // SAFETY: `from_vec` gave NumPy a vector of `length` numbers that lives as long as the
        // array, which `self` holds, and that NumPy cannot resize, as the array does not own it.
        // No call writes to them while the claim lives.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts(data, self.length) };
        Ok(Reading {
            numbers,
            _claim: claim,
        })
    }

    /// The numbers, for writing. A training waits for calls of other threads that read them.
    ///
    /// # Errors
    /// Another call is using them; what a signal handler raised meanwhile.
    pub fn write<'a>(
        &'a self,
        py: Python<'_>,
        argument: &str,
        hold: Hold,
    ) -> PyResult<Writing<'a, T>> {
        let claim = self.claim(py, argument, hold)?;
        let data = self.array(py).data();
        // SAFETY: as in `read`; and no other call uses them while the claim lives.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts_mut(data, self.length) };
        Ok(Writing {
            numbers,
            _claim: claim,
        })
    }

    fn claim(&self, py: Python<'_>, argument: &str, hold: Hold) -> PyResult<Claim> {
        let start = self.array(py).data().addr();
        let end = start + self.length * size_of::<T>();
        let bounds = Bounds { start, end };
        let claim = match hold {
            Hold::Trains => Claim::for_training(Call::new(), bounds),
            _ => Claim::new(Call::new(), bounds, hold),
        };
        let claim = claim.map_err(|other| refused(argument, hold, other))?;
        // Another thread that predicts or saves is done soon, and no reason to end a training.
        while hold == Hold::Trains && !claim.is_alone() {
            py.detach(|| std::thread::sleep(WAIT));
            py.check_signals()?;
        }
        Ok(claim)
    }
}

/// Numbers that no call writes to while this lives.
pub struct Reading<'a, T: Element> {
    pub numbers: &'a [T],
    _claim: Claim,
}

/// Numbers that no other call uses while this lives.
pub struct Writing<'a, T: Element> {
    pub numbers: &'a mut [T],
    _claim: Claim,
}
