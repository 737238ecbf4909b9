//! Vectors that Rust owns and NumPy arrays show.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;
use std::time::Duration;

use numpy::PyUntypedArray;
use pyo3::prelude::*;

use crate::base::alloc::try_grow_padded;
use crate::base::cache_line;
use crate::base::cancel::cancellable;
use crate::base::error::{Error, Result};
use crate::kernels::real::Real;
use crate::python::borrow::allocation::Allocation;
use crate::python::borrow::header::Bounds;
use crate::python::borrow::new_array::Number;
use crate::python::borrow::table::{Access, Borrow};
use crate::python::borrow::view::View;
use crate::python::call::detach::detached_without_simd;

/// The interval at which a training checks whether readers are done.
const WAIT: Duration = Duration::from_micros(200);

/// `numbers` as an array, without a copy.
///
/// # Errors
/// Memory runs out.
pub fn into_array<T: numpy::Element + Copy>(
    py: Python<'_>,
    numbers: Vec<T>,
) -> PyResult<Bound<'_, PyUntypedArray>> {
    let range = 0..numbers.len();
    let allocation = Py::new(py, Allocation::of(numbers, 0))?;
    // SAFETY: the elements of a vector are initialised.
    let view = unsafe { View::new::<T>(py, allocation, &range, None) };
    view.make(py)
}

/// A vector that Rust owns and NumPy arrays show.
pub struct OwnedVector<T> {
    allocation: Py<Allocation>,
    length: usize,
    _numbers: PhantomData<T>,
}

/// An element type of both the core and NumPy.
pub trait Element: Real + Number {
    /// The vector, if it has this type.
    fn of(vector: &AnyVector) -> Option<&OwnedVector<Self>>;
}

impl Element for f32 {
    fn of(vector: &AnyVector) -> Option<&OwnedVector<Self>> {
        match vector {
            AnyVector::Float32(vector) => Some(vector),
            AnyVector::Float64(_) => None,
        }
    }
}

impl Element for f64 {
    fn of(vector: &AnyVector) -> Option<&OwnedVector<Self>> {
        match vector {
            AnyVector::Float64(vector) => Some(vector),
            AnyVector::Float32(_) => None,
        }
    }
}

/// An [`OwnedVector`] of either type.
pub enum AnyVector {
    Float32(OwnedVector<f32>),
    Float64(OwnedVector<f64>),
}

impl AnyVector {
    /// As [`OwnedVector::view`].
    pub fn view(&self, py: Python<'_>, range: &Range<usize>, columns: Option<usize>) -> View {
        match self {
            Self::Float32(numbers) => numbers.view(py, range, columns),
            Self::Float64(numbers) => numbers.view(py, range, columns),
        }
    }
}

impl<T: Element> OwnedVector<T> {
    /// Zeros, from the start of a cache line on. A MemoryError names `what`.
    pub fn zeros(py: Python<'_>, what: &str, length: usize) -> PyResult<Self> {
        let numbers = detached_without_simd(py, length, |should_cancel| {
            let (mut numbers, line): (Vec<T>, _) = (Vec::new(), cache_line::numbers::<T>());
            cancellable(should_cancel, |cancel| {
                try_grow_padded(what, &mut numbers, (length, 1), line, cancel)
            })?;
            Ok(numbers)
        })?;
        let first = cache_line::before(&numbers);
        assert!(first + length <= numbers.len());
        Ok(Self {
            length,
            allocation: Py::new(py, Allocation::of(numbers, first))?,
            _numbers: PhantomData,
        })
    }

    /// A view of the elements in `range`: a vector, or, with `columns`, the transpose of a row-major matrix
    /// of that many columns.
    pub fn view(&self, py: Python<'_>, range: &Range<usize>, columns: Option<usize>) -> View {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: `zeros` initialised the elements.
        unsafe { View::new::<T>(py, self.allocation.clone_ref(py), range, columns) }
    }

    /// # Errors
    /// `out`, which is contiguous, shares memory with this vector, which is an input.
    pub fn check_out_disjoint(&self, out: &Bound<'_, PyUntypedArray>) -> Result<()> {
        if Bounds::of("out", out)?.overlap(&self.bounds()) {
            let expected = "an array that does not overlap the inputs";
            return Err(Error::value("out", expected, "one that overlaps params"));
        }
        Ok(())
    }

    /// The elements, for reading.
    ///
    /// # Errors
    /// Another call is writing to them.
    pub fn read(&self, argument: &str) -> PyResult<ReadGuard<'_, T>> {
        let borrow = Borrow::of_bounds(argument, self.bounds(), Access::Read, None)?;
        Ok(ReadGuard {
            numbers: self.numbers(),
            _borrow: borrow,
            _owner: PhantomData,
        })
    }

    /// The elements, for writing.
    ///
    /// # Errors
    /// Another call is using them.
    pub fn write(&self, argument: &str) -> PyResult<WriteGuard<'_, T>> {
        let borrow = Borrow::of_bounds(argument, self.bounds(), Access::Write, None)?;
        Ok(self.write_guard(borrow))
    }

    /// The elements, for a training. Waits for calls of other threads that read them. The caller holds no
    /// other borrow yet, so two trainings never wait for each other.
    ///
    /// # Errors
    /// Another call is writing to them; or what a signal handler raises in the meantime.
    pub fn train(&self, py: Python<'_>, argument: &str) -> PyResult<WriteGuard<'_, T>> {
        let borrow = Borrow::for_training(argument, self.bounds())?;
        // A thread that predicts or saves is done soon; failing the training would be wrong.
        while !borrow.is_alone() {
            py.detach(|| std::thread::sleep(WAIT));
            py.check_signals()?;
        }
        Ok(self.write_guard(borrow))
    }

    fn write_guard(&self, borrow: Borrow) -> WriteGuard<'_, T> {
        WriteGuard {
            numbers: self.numbers(),
            _borrow: borrow,
            _owner: PhantomData,
        }
    }

    fn numbers(&self) -> NonNull<[T]> {
        NonNull::slice_from_raw_parts(self.allocation.get().start().cast(), self.length)
    }

    fn bounds(&self) -> Bounds {
        let start = self.allocation.get().start().addr().get();
        Bounds {
            start,
            end: start + self.length * size_of::<T>(),
        }
    }
}

/// Elements that no call writes to while this lives.
pub struct ReadGuard<'a, T> {
    numbers: NonNull<[T]>,
    _borrow: Borrow,
    _owner: PhantomData<&'a [T]>,
}

/// Elements that no other call uses while this lives.
pub struct WriteGuard<'a, T> {
    numbers: NonNull<[T]>,
    _borrow: Borrow,
    _owner: PhantomData<&'a mut [T]>,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `zeros` allocated and initialised these elements, and the `OwnedVector` that `self` borrows
        // keeps them in place. The table excludes writes by calls while `self` lives; accesses by Python
        // code in the meantime are excluded by what NumPy is trusted with; see `mod.rs`.
        unsafe { self.numbers.as_ref() }
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: as for `ReadGuard`.
        unsafe { self.numbers.as_ref() }
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `ReadGuard`; in addition the table excludes every other borrow, and `self` is
        // mutably borrowed for the slice's lifetime.
        unsafe { self.numbers.as_mut() }
    }
}
