//! Norms and products of vectors.

use std::ops::Range;

use crate::base::sum::CompensatedSum;
use crate::kernels::elementwise::norms::{has_digits, is_single, load, root, total_of};
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::tuning::squares::{BLOCK_ELEMENTS, PARTIAL_SUMS};

/// The registers of the accumulators at the narrowest level: two float64 each.
const MAX_REGISTERS: usize = PARTIAL_SUMS / 2;

/// √Σ x² of a vector.
pub fn norm<T: Real>(values: &[T]) -> f64 {
    norm_of(values.len(), Values(values))
}

/// ‖a − b‖ of vectors of the same length.
///
/// # Panics
/// They differ in length.
pub fn distance<T: Real>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of the same length");
    norm_of(a.len(), Differences(a, b))
}

/// a ← a + b of vectors of the same length. Returns ‖b‖.
///
/// # Panics
/// They differ in length.
pub fn add_with_norm<T: Real>(a: &mut [T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of the same length");
    norm_of(a.len(), Added(a, b))
}

fn norm_of<T: Real>(length: usize, mut terms: impl Terms<T>) -> f64 {
    let mut squares = 0.0;
    let computation = SumOfSquares {
        length,
        terms: &mut terms,
        sum: &mut squares,
    };
    // SAFETY: the machine has the level in use; each of the terms has `length` elements.
    unsafe { level::run(current(), computation) }
    root::<T, _>(squares, || (0..length).map(|at| terms.element(at)))
}

/// Σ a b of vectors of the same length, of some thousand elements at most.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    let mut products = 0.0;
    let sum = &mut products;
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), Products { a, b, sum }) }
    products
}

/// The numbers whose squares are added.
trait Terms<T: Real> {
    /// The elements from `at` on, of which `left` exist; others are 0. Called once for each register.
    ///
    /// # Safety
    /// The machine has the instructions, `left` is at least 1, and as many elements are there from `at` on.
    unsafe fn load<V: Arithmetic<Scalar = T>>(&mut self, at: usize, left: usize) -> V;

    /// An element.
    fn element(&self, at: usize) -> f64;

    /// Whether these elements are all 0.
    fn are_zero(&self, elements: Range<usize>) -> bool;
}

/// Whether each pair is of two equal numbers. It looks at all of them, so that the compiler vectorizes it.
#[allow(clippy::needless_bitwise_bool)]
fn are_equal<T: Real>(pairs: impl Iterator<Item = (T, T)>) -> bool {
    pairs.fold(true, |all, (a, b)| all & (a == b))
}

struct Values<'a, T>(&'a [T]);

impl<T: Real> Terms<T> for Values<'_, T> {
    #[inline(always)]
    unsafe fn load<V: Arithmetic<Scalar = T>>(&mut self, at: usize, left: usize) -> V {
        // SAFETY: as the caller guarantees.
        unsafe { load(self.0, at, left) }
    }

    fn element(&self, at: usize) -> f64 {
        self.0[at].to_f64()
    }

    fn are_zero(&self, elements: Range<usize>) -> bool {
        are_equal(self.0[elements].iter().map(|&x| (x, T::ZERO)))
    }
}

struct Differences<'a, T>(&'a [T], &'a [T]);

impl<T: Real> Terms<T> for Differences<'_, T> {
    #[inline(always)]
    unsafe fn load<V: Arithmetic<Scalar = T>>(&mut self, at: usize, left: usize) -> V {
        // SAFETY: as the caller guarantees; both have the same length.
        unsafe { load::<T, V>(self.0, at, left) - load::<T, V>(self.1, at, left) }
    }

    fn element(&self, at: usize) -> f64 {
        (self.0[at] - self.1[at]).to_f64()
    }

    fn are_zero(&self, elements: Range<usize>) -> bool {
        let (a, b) = (&self.0[elements.clone()], &self.1[elements]);
        are_equal(a.iter().copied().zip(b.iter().copied()))
    }
}

/// The second vector, which is added to the first one when it is loaded.
struct Added<'a, T>(&'a mut [T], &'a [T]);

impl<T: Real> Terms<T> for Added<'_, T> {
    #[inline(always)]
    unsafe fn load<V: Arithmetic<Scalar = T>>(&mut self, at: usize, left: usize) -> V {
        // SAFETY: as the caller guarantees; both have the same length.
        unsafe {
            let term = load::<T, V>(self.1, at, left);
            let sum = load::<T, V>(self.0, at, left) + term;
            let to = self.0.as_mut_ptr().add(at);
            if left >= V::LANES {
                sum.store(to);
            } else {
                sum.store_first(to, left);
            }
            term
        }
    }

    fn element(&self, at: usize) -> f64 {
        self.1[at].to_f64()
    }

    fn are_zero(&self, elements: Range<usize>) -> bool {
        are_equal(self.1[elements].iter().map(|&x| (x, T::ZERO)))
    }
}

/// Σ x² of the terms.
struct SumOfSquares<'a, S> {
    length: usize,
    terms: &'a mut S,
    sum: &'a mut f64,
}

impl<T: Real, S: Terms<T>> Computation<T> for SumOfSquares<'_, S> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self { length, terms, sum } = self;
        let mut total = CompensatedSum::default();
        for start in (0..length).step_by(BLOCK_ELEMENTS) {
            let end = length.min(start + BLOCK_ELEMENTS);
            let whole = end - (end - start) % PARTIAL_SUMS;
            let mut lanes = [T::ZERO; PARTIAL_SUMS];
            // SAFETY: the caller guarantees the instructions and the elements: `at` and what is left there are
            // within them. The lanes of a register divide PARTIAL_SUMS, so loads and stores of `lanes` are in bounds.
            unsafe {
                let mut squares = [V::broadcast(T::ZERO); MAX_REGISTERS];
                for at in (start..whole).step_by(PARTIAL_SUMS) {
                    for (k, squares) in squares[..PARTIAL_SUMS / V::LANES].iter_mut().enumerate() {
                        let x = terms.load::<V>(at + k * V::LANES, V::LANES);
                        *squares = *squares + x * x;
                    }
                }
                for (k, squares) in squares[..PARTIAL_SUMS / V::LANES].iter().enumerate() {
                    squares.store(lanes.as_mut_ptr().add(k * V::LANES));
                }
                for at in (whole..end).step_by(V::LANES) {
                    let lane = lanes.as_mut_ptr().add(at - whole);
                    let x = terms.load::<V>(at, end - at);
                    (V::load(lane) + x * x).store(lane);
                }
            }
            let mut squares = total_of(&lanes);
            if is_single::<T>() && !has_digits(squares) {
                squares = wide_squares(terms, start..end);
            }
            total.add(squares);
        }
        *sum = total.total();
    }
}

/// Σ x² in float64, of terms whose squares leave the range of float32.
#[cold]
fn wide_squares<T: Real>(terms: &impl Terms<T>, elements: Range<usize>) -> f64 {
    // As of inputs that are 0 in all examples, which are common.
    if terms.are_zero(elements.clone()) {
        return 0.0;
    }
    let mut squares = 0.0;
    for at in elements {
        squares += terms.element(at) * terms.element(at);
    }
    squares
}

/// Σ a b, in float64.
struct Products<'a, T> {
    a: &'a [T],
    b: &'a [T],
    sum: &'a mut f64,
}

impl<T: Real> Computation<T> for Products<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        const N: usize = 32;
        let mut lanes = [0.0; N];
        let (a_blocks, b_blocks) = (self.a.chunks_exact(N), self.b.chunks_exact(N));
        let rest = a_blocks.remainder().iter().zip(b_blocks.remainder());
        for (a, b) in a_blocks.zip(b_blocks) {
            for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
                *lane += a.to_f64() * b.to_f64();
            }
        }
        let rest: f64 = rest.map(|(a, b)| a.to_f64() * b.to_f64()).sum();
        *self.sum = total_of(&lanes) + rest;
    }
}
