//! Vectors that Rust owns and NumPy sees.

use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::Element;
use super::detach::without_kernels;
use super::forks::generation;
use crate::interrupt::watch;
use crate::workspace::reserve;

/// A vector that Rust owns and NumPy sees. Its memory has a fixed place and length whatever a user
/// does to the array, and one call writes to it or any number read.
pub struct Owned<T: Element> {
    array: Py<PyArray1<T>>,
    length: usize,
    users: Mutex<Users>,
}

/// An [`Owned`] of either type.
pub enum AnyOwned {
    Float32(Owned<f32>),
    Float64(Owned<f64>),
}

/// The calls that use a vector, in the process that counted them: those of a parent are not there
/// after a fork.
#[derive(Default)]
struct Users {
    generation: u32,
    readers: usize,
    writer: Option<Writer>,
}

/// What writes to a vector: it decides what others are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    Call,
    Training,
}

impl<T: Element> Owned<T> {
    /// Zeros; MemoryError where they cannot be had.
    pub fn zeros(py: Python<'_>, length: usize) -> PyResult<Self> {
        let numbers = without_kernels(py, length, |question| {
            let mut numbers = Vec::new();
            watch(question, |pulse| reserve(&mut numbers, length, 1, pulse))?;
            Ok(numbers)
        })?;
        Ok(Self {
            array: PyArray1::from_vec(py, numbers).unbind(),
            length,
            users: Mutex::default(),
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
        let mut users = self.users();
        if users.writer.is_some() {
            return Err(in_use(argument, users.writer));
        }
        users.readers += 1;
        let data = self.array(py).data();
        // SAFETY: `from_vec` gave NumPy a vector of `length` numbers that lives as long as the
        // array, which `self` holds, and that NumPy cannot resize, as the array does not own it.
        // No call writes to them while `readers` counts this one.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts(data, self.length) };
        Ok(Reading { numbers, of: self })
    }

    /// The numbers, for writing.
    ///
    /// # Errors
    /// Another call is using them.
    pub fn write<'a>(
        &'a self,
        py: Python<'_>,
        argument: &str,
        writer: Writer,
    ) -> PyResult<Writing<'a, T>> {
        let mut users = self.users();
        if users.writer.is_some() || users.readers > 0 {
            return Err(in_use(argument, users.writer));
        }
        users.writer = Some(writer);
        let data = self.array(py).data();
        // SAFETY: as in `read`; and no other call uses them while `writer` is set.
        #[allow(unsafe_code)]
        let numbers = unsafe { std::slice::from_raw_parts_mut(data, self.length) };
        Ok(Writing { numbers, of: self })
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = generation();
        if users.generation != generation {
            *users = Users {
                generation,
                ..Users::default()
            };
        }
        users
    }
}

fn in_use(argument: &str, writer: Option<Writer>) -> PyErr {
    PyValueError::new_err(match writer {
        Some(Writer::Training) => {
            format!("{argument}: expected a network at rest, got one that a training is running on")
        }
        _ => format!("{argument}: expected an array of its own, got one that another call uses"),
    })
}

/// Numbers that no call writes to while this lives.
pub struct Reading<'a, T: Element> {
    pub numbers: &'a [T],
    of: &'a Owned<T>,
}

impl<T: Element> Drop for Reading<'_, T> {
    fn drop(&mut self) {
        let mut users = self.of.users();
        users.readers = users.readers.saturating_sub(1);
    }
}

/// Numbers that no other call uses while this lives.
pub struct Writing<'a, T: Element> {
    pub numbers: &'a mut [T],
    of: &'a Owned<T>,
}

impl<T: Element> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        self.of.users().writer = None;
    }
}
