//! Euclidean norms, sums of squares and products: of vectors, and of the rows of a matrix.
//!
//! Element k of a vector or row belongs to accumulator k mod a fixed number of them. Products are rounded
//! before they are added, so that every level gives the same bits, also the one without fused multiply-add.

mod rows;
#[cfg(test)]
mod tests;
mod vectors;

pub use rows::{row_squares, sparse_squares};
pub use vectors::{add_with_norm, distance, dot, norm};

use crate::base::sum::sum;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;
pub use crate::kernels::tuning::squares::MAX_ROWS_PER_CALL;

/// √Σ x² of some numbers, which may be the norms of the parts of a vector.
pub fn joined_norm(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let squares = sum(values.clone().map(|x| x * x));
    root::<f64, _>(squares, || values.clone())
}

/// √`squares`, the sum of the squares of `values` of type `T`; scaled by the largest of them if squares have
/// left the range of float64, which those of float32 never do.
fn root<T: Real, I: Iterator<Item = f64>>(squares: f64, values: impl Fn() -> I) -> f64 {
    if is_single::<T>() || (1e-280..1e280).contains(&squares) || squares.is_nan() {
        return squares.sqrt();
    }
    let largest = values().fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * sum(values().map(|x| (x / largest) * (x / largest))).sqrt()
}

/// Whether `T` is float32.
const fn is_single<T>() -> bool {
    size_of::<T>() < size_of::<f64>()
}

/// Whether a sum of squares of float32 has kept its digits.
#[inline(always)]
fn has_digits(squares: f64) -> bool {
    // A square below 1e-38 has fewer digits: of some thousand, that is nothing to this sum.
    (1e-34..1e37).contains(&squares)
}

/// The sum of the accumulators, in float64 from a quarter of them on.
#[inline(always)]
fn total_of<T: Real, const N: usize>(lanes: &[T; N]) -> f64 {
    let quarter = N / 4;
    let mut sums = [0.0; N];
    for (k, sum) in sums[..quarter].iter_mut().enumerate() {
        let low = lanes[k] + lanes[k + quarter];
        let high = lanes[k + 2 * quarter] + lanes[k + 3 * quarter];
        *sum = (low + high).to_f64();
    }
    let mut half = quarter / 2;
    while half > 0 {
        for k in 0..half {
            sums[k] += sums[k + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Loads the elements of `values` from `at` on, of which `left` exist.
///
/// # Safety
/// The machine has the instructions, `left` is at least 1, and as many elements are there from `at` on.
#[inline(always)]
unsafe fn load<T: Real, V: Arithmetic<Scalar = T>>(values: &[T], at: usize, left: usize) -> V {
    // SAFETY: the caller guarantees the instructions and the elements.
    unsafe {
        let from = values.as_ptr().add(at);
        if left >= V::LANES {
            V::load(from)
        } else {
            V::load_first(from, left)
        }
    }
}
