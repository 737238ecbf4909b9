//! Vectors that Rust owns and NumPy sees.

use std::time::Duration;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use super::super::arrays::Element;
use super::super::detach::without_kernels;
use super::array::refused;
use super::{Access, Borrow, BorrowScope, Bounds};
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
        let borrow = self.borrow(py, argument, Access::Read)?;
        let data = self.array(py).data();
        // SAFETY: `from_vec` gave NumPy a vector of `length` numbers that lives as long as the
        // array, which `self` holds, and that NumPy cannot resize, as the array does not own it.
        // No call writes to them while the borrow lives.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts(data, self.length) };
        Ok(Reading {
            numbers,
            _borrow: borrow,
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
        access: Access,
    ) -> PyResult<Writing<'a, T>> {
        let borrow = self.borrow(py, argument, access)?;
        let data = self.array(py).data();
        // SAFETY: as in `read`; and no other call uses them while the borrow lives.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts_mut(data, self.length) };
        Ok(Writing {
            numbers,
            _borrow: borrow,
        })
    }

    fn borrow(&self, py: Python<'_>, argument: &str, access: Access) -> PyResult<Borrow> {
        let start = self.array(py).data().addr();
        let end = start + self.length * size_of::<T>();
        let bounds = Bounds { start, end };
        let borrow = match access {
            Access::Train => Borrow::for_training(BorrowScope::new(), bounds),
            _ => Borrow::new(BorrowScope::new(), bounds, access),
        };
        let borrow = borrow.map_err(|other| refused(argument, access, other))?;
        // Another thread that predicts or saves is done soon, and no reason to end a training.
        while access == Access::Train && !borrow.is_alone() {
            py.detach(|| std::thread::sleep(WAIT));
            py.check_signals()?;
        }
        Ok(borrow)
    }
}

/// Numbers that no call writes to while this lives.
pub struct Reading<'a, T: Element> {
    pub numbers: &'a [T],
    _borrow: Borrow,
}

/// Numbers that no other call uses while this lives.
pub struct Writing<'a, T: Element> {
    pub numbers: &'a mut [T],
    _borrow: Borrow,
}
