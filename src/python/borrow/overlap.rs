//! Checks that arrays that are written to share no memory with each other, nor with arrays that are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice};

use crate::base::error::Error;
use crate::python::borrow::call_python::{call_with, numpy_function};
use crate::python::borrow::header::{Bounds, MemoryOrder, data};
use crate::python::call::cached::interned;

/// The most steps of the search for an element that two arrays share, whose cost may be exponential in the
/// number of axes: a quarter of a millisecond. Of 19,000 random pairs of interleaved slices all but one
/// took fewer than 100 steps, and that one fewer than 1000.
const MAX_WORK: u32 = 10_000;

/// What the search has got if it exceeds its limit.
const TOO_HARD: &str = "strides for which this is too hard to tell";

/// Arrays of which none shares memory with another if either is written to.
pub struct ArraySpans<'py> {
    /// By the start of their bounds, and an index.
    spans: BTreeMap<(usize, usize), ArraySpan<'py>>,
    /// The length of the longest bounds.
    longest: usize,
}

/// An array and its bounds.
struct ArraySpan<'py> {
    argument: Cow<'static, str>,
    array: Bound<'py, PyUntypedArray>,
    bounds: Bounds,
    is_written: bool,
}

impl<'py> ArraySpans<'py> {
    /// No arrays.
    pub fn new() -> Self {
        Self {
            spans: BTreeMap::new(),
            longest: 0,
        }
    }

    /// Adds an array, the argument `argument`. Returns its bounds.
    ///
    /// # Errors
    /// It shares memory with one of the others, and either is written to.
    pub fn add(
        &mut self,
        argument: Cow<'static, str>,
        array: &Bound<'py, PyUntypedArray>,
        is_written: bool,
    ) -> PyResult<Bounds> {
        let span = ArraySpan::new(argument, array, is_written)?;
        let bounds = span.bounds;
        for other in self.overlapping(bounds) {
            let (it, written) = if other.is_written {
                (&span, other)
            } else {
                (other, &span)
            };
            if written.is_written
                && let Some(got) = shared(it, written, "one that shares memory with it")?
            {
                let expected = format_args!("an array that does not overlap {}", written.argument);
                return Err(Error::value(&it.argument, expected, got).into());
            }
        }
        self.longest = self.longest.max(bounds.end - bounds.start);
        self.spans.insert((bounds.start, self.spans.len()), span);
        Ok(bounds)
    }

    fn overlapping(&self, bounds: Bounds) -> impl Iterator<Item = &ArraySpan<'py>> {
        // Arrays that start earlier than this end before the new one.
        let first = bounds.start.saturating_sub(self.longest);
        let near = self.spans.range((first, 0)..(bounds.end, 0));
        near.map(|(_, span)| span)
            .filter(move |span| span.bounds.overlap(&bounds))
    }
}

/// # Errors
/// Two elements of `array`, which is to be written to, share memory, or that is too hard to tell,
/// which it never is for slices and transposes of arrays.
pub fn check_no_self_overlap(argument: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if array.is_empty() || is_nested(array) {
        return Ok(());
    }
    let py = array.py();
    // If two elements share memory, so do those whose indices differ as much but start at 0 in the first
    // axis where they differ. One of these has the index 0 there, the other a higher one.
    let above = PySlice::new(py, 1, isize::MAX, 1);
    let mut rest = plain(array)?;
    for _ in 0..array.ndim() {
        // The ellipsis makes an array of a single element, too.
        let first = rest.get_item((0, py.Ellipsis()))?;
        let others = rest.get_item((&above, py.Ellipsis()))?;
        let got = match shares_memory(&first, &others)? {
            Some(true) => "one that overlaps itself",
            Some(false) => {
                rest = first;
                continue;
            }
            None => TOO_HARD,
        };
        let expected = "an array whose elements do not share memory";
        return Err(Error::value(argument, expected, got).into());
    }
    Ok(())
}

/// Whether each axis, in the order of strides, steps over all elements along the axes before it. Then no two
/// elements share memory. Slices and transposes of arrays are like this.
fn is_nested(array: &Bound<'_, PyUntypedArray>) -> bool {
    let strides = array.strides().iter().map(|stride| stride.unsigned_abs());
    let axes = strides.zip(array.shape().iter().copied());
    let mut axes: Vec<_> = axes.filter(|&(_, length)| length > 1).collect();
    axes.sort_unstable();
    let mut reach = array.dtype().itemsize();
    for (stride, length) in axes {
        if stride < reach {
            return false;
        }
        reach = reach.saturating_add(stride.saturating_mul(length - 1));
    }
    true
}

/// An argument's name and the user's object.
pub type NamedInput<'a, 'py> = (&'static str, Option<&'a Bound<'py, PyAny>>);

/// # Errors
/// `out` shares memory with one of `inputs`, if they are arrays.
pub fn check_out_disjoint(
    out: &Bound<'_, PyUntypedArray>,
    inputs: &[NamedInput<'_, '_>],
) -> PyResult<()> {
    let bounds = Bounds::of("out", out)?;
    for &(name, input) in inputs {
        let Some(input) = input.and_then(|input| input.cast::<PyUntypedArray>().ok()) else {
            continue;
        };
        if !Bounds::of(name, input)?.overlap(&bounds) {
            continue; // the usual case
        }
        let out = ArraySpan::new("out".into(), out, true)?;
        let input = ArraySpan::new(name.into(), input, false)?;
        if let Some(got) = shared(&out, &input, "one that overlaps")? {
            let expected = "an array that does not overlap the inputs";
            return Err(Error::value("out", expected, format_args!("{got} {name}")).into());
        }
    }
    Ok(())
}

/// Why two arrays with overlapping bounds must be refused, if so: they share memory, as `got` says, or
/// NumPy's search exceeds its limit.
///
/// # Errors
/// What a signal handler raises.
fn shared(
    one: &ArraySpan<'_>,
    other: &ArraySpan<'_>,
    got: &'static str,
) -> PyResult<Option<&'static str>> {
    if one.is_contiguous() && other.is_contiguous() {
        return Ok(Some(got));
    }
    if are_interleaved(&one.array, &other.array) {
        return Ok(None);
    }
    Ok(
        match shares_memory(&plain(&one.array)?, &plain(&other.array)?)? {
            Some(true) => Some(got),
            Some(false) => None,
            None => Some(TOO_HARD),
        },
    )
}

/// Whether the elements of two arrays are at different places modulo some period, so that they share no memory:
/// columns, blocks and every other row of a matrix, of which a step may get thousands. False if no period shows it.
fn are_interleaved(one: &Bound<'_, PyUntypedArray>, other: &Bound<'_, PyUntypedArray>) -> bool {
    let strides = || one.strides().iter().chain(other.strides());
    let common = strides().fold(0, |divisor, stride| gcd(divisor, stride.unsigned_abs()));
    let periods = strides().map(|stride| stride.unsigned_abs());
    [common].into_iter().chain(periods).any(|period| {
        let Some(apart) = start_within(other, period)
            .zip(start_within(one, period))
            .map(|(second, first)| (second + period - first) % period)
        else {
            return false;
        };
        let (first, second) = (length_within(one, period), length_within(other, period));
        first <= apart && second <= period - apart
    })
}

/// The axes of an array whose strides are no multiples of `period`.
fn axes_within(
    array: &Bound<'_, PyUntypedArray>,
    period: usize,
) -> impl Iterator<Item = (isize, usize)> {
    let axes = array.strides().iter().zip(array.shape());
    axes.map(|(&stride, &length)| (stride, length.saturating_sub(1)))
        .filter(move |(stride, _)| stride.unsigned_abs() % period != 0)
}

/// Where the elements begin, modulo `period`; None if that is 0.
fn start_within(array: &Bound<'_, PyUntypedArray>, period: usize) -> Option<usize> {
    if period == 0 {
        return None;
    }
    let falling = axes_within(array, period).filter(|&(stride, _)| stride < 0);
    let before = falling.fold(0_usize, |before, (stride, steps)| {
        before.saturating_add(stride.unsigned_abs().saturating_mul(steps))
    });
    Some(data(array).addr().checked_sub(before)? % period)
}

/// How many bytes the elements take from there on, modulo `period`.
fn length_within(array: &Bound<'_, PyUntypedArray>, period: usize) -> usize {
    axes_within(array, period).fold(array.dtype().itemsize(), |length, (stride, steps)| {
        length.saturating_add(stride.unsigned_abs().saturating_mul(steps))
    })
}

/// The greatest common divisor.
fn gcd(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Whether two plain arrays share memory; None if NumPy's search exceeds [`MAX_WORK`].
///
/// # Errors
/// What a signal handler raises.
fn shares_memory<'py>(
    one: &Bound<'py, PyAny>,
    other: &Bound<'py, PyAny>,
) -> PyResult<Option<bool>> {
    let py = one.py();
    py.check_signals()?; // there may be many pairs
    let most_work = PyDict::new(py);
    most_work.set_item(interned!(py, "max_work"), MAX_WORK)?;
    let shares_memory = numpy_function(py, "shares_memory")?;
    let answer = call_with(&shares_memory, (one, other), Some(&most_work));
    match answer.and_then(|answer| answer.is_truthy()) {
        Ok(answer) => Ok(Some(answer)),
        // Its module differs between versions of NumPy.
        Err(error) if error.get_type(py).name()? == "TooHardError" => Ok(None),
        Err(error) => Err(error),
    }
}

impl<'py> ArraySpan<'py> {
    fn new(
        argument: Cow<'static, str>,
        array: &Bound<'py, PyUntypedArray>,
        is_written: bool,
    ) -> PyResult<Self> {
        Ok(Self {
            bounds: Bounds::of(&argument, array)?,
            argument,
            array: array.clone(),
            is_written,
        })
    }

    /// Whether the array uses every byte of its bounds exactly once.
    fn is_contiguous(&self) -> bool {
        MemoryOrder::C.is_of(&self.array) || MemoryOrder::Fortran.is_of(&self.array)
    }
}

/// `array` as a plain ndarray; a subclass could change NumPy's answer by `__array_function__`.
fn plain<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyAny>> {
    let ndarray = numpy_function(array.py(), "ndarray")?;
    ndarray.call_method1("view", (array, &ndarray))
}
