//! Euclidean norms of the rows of a matrix.

use crate::kernels::elementwise::map::fused_level;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation};
use crate::kernels::simd::vector::Arithmetic;

/// Partial sums of a row, a multiple of the lanes of every register: which terms a partial sum has does not
/// depend on the register.
const PARTS: usize = 32;
/// The terms of a partial sum before it is added to the total in float64.
const TERMS: usize = 16;

/// √Σ x² of each row of `width` elements. Rounding errors do not grow with the width, and nothing overflows
/// or underflows where the norm does not.
pub fn row_norms<T: Real>(values: &[T], width: usize, norms: &mut [f64]) {
    match fused_level() {
        Some(level) => {
            let squares = RowSquares {
                values,
                width,
                sums: norms,
            };
            // SAFETY: the machine has the level.
            unsafe { level::run(level, squares) }
        }
        None => {
            for (sum, row) in norms.iter_mut().zip(values.chunks_exact(width)) {
                *sum = row.iter().map(|x| x.to_f64() * x.to_f64()).sum();
            }
        }
    }
    for (norm, row) in norms.iter_mut().zip(values.chunks_exact(width)) {
        *norm = root(*norm, row);
    }
}

/// The same of one row of which the other elements are 0; with ascending `columns` it has the same bits.
pub fn sparse_norm<T: Real>(columns: &[u32], values: &[T]) -> f64 {
    let mut sum = 0.0;
    match fused_level() {
        Some(level) => {
            let sum = &mut sum;
            let squares = SparseSquares {
                columns,
                values,
                sum,
            };
            // SAFETY: the machine has the level.
            unsafe { level::run(level, squares) }
        }
        None => sum = values.iter().map(|x| x.to_f64() * x.to_f64()).sum(),
    }
    root(sum, values)
}

/// The root of the sum of squares, unless squares have left the range of their type.
fn root<T: Real>(squares: f64, row: &[T]) -> f64 {
    // A square below the first bound may have lost digits in float32.
    if (1e-25..1e30).contains(&squares) {
        squares.sqrt()
    } else {
        scaled_norm(row)
    }
}

/// The same of one row, scaled by its largest element.
fn scaled_norm<T: Real>(row: &[T]) -> f64 {
    let sizes = row.iter().map(|x| x.to_f64().abs());
    // NaN stays.
    let largest = sizes.fold(
        0.0,
        |most: f64, size| if size <= most { most } else { size },
    );
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let squares = row.iter().map(|x| (x.to_f64() / largest).powi(2));
    largest * squares.sum::<f64>().sqrt()
}

/// Σ x² of each row.
struct RowSquares<'a, T> {
    values: &'a [T],
    width: usize,
    sums: &'a mut [f64],
}

impl<T: Real> Computation<T> for RowSquares<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let mut parts = [T::ZERO; PARTS];
        for (sum, row) in self
            .sums
            .iter_mut()
            .zip(self.values.chunks_exact(self.width))
        {
            *sum = 0.0;
            for block in row.chunks(PARTS * TERMS) {
                // SAFETY: the caller guarantees the instructions.
                unsafe { add_squares::<T, V>(block, &mut parts) };
                *sum += total(&mut parts);
            }
        }
    }
}

/// Σ x² of the stored elements of a row, in the parts in which [`RowSquares`] has them.
struct SparseSquares<'a, T> {
    columns: &'a [u32],
    values: &'a [T],
    sum: &'a mut f64,
}

impl<T: Real> Computation<T> for SparseSquares<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let mut parts = [T::ZERO; PARTS];
        let mut block = 0;
        for (&column, &x) in self.columns.iter().zip(self.values) {
            let column = column as usize;
            if column / (PARTS * TERMS) != block {
                *self.sum += total(&mut parts);
                parts = [T::ZERO; PARTS];
                block = column / (PARTS * TERMS);
            }
            let part = &mut parts[column % PARTS];
            *part = x.mul_add(x, *part);
        }
        *self.sum += total(&mut parts);
    }
}

/// The sum of the parts, halved until four are left.
#[inline(always)]
fn total<T: Real>(parts: &mut [T; PARTS]) -> f64 {
    let mut half = PARTS / 2;
    while half >= 4 {
        let (low, high) = parts.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(&high[..half]) {
            *low += *high;
        }
        half /= 2;
    }
    let [a, b, c, d] = [parts[0], parts[1], parts[2], parts[3]].map(Real::to_f64);
    (a + b) + (c + d)
}

/// Σ x² of every PARTS-th element of `block`, into `parts`.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn add_squares<T: Real, V: Arithmetic<Scalar = T>>(block: &[T], parts: &mut [T; PARTS]) {
    for first in (0..PARTS).step_by(V::LANES) {
        // SAFETY: the caller guarantees the instructions. A load begins in the block, and reads no more than
        // is left of it; the lanes divide PARTS, so the store is in bounds.
        unsafe {
            let mut sum = V::broadcast(T::ZERO);
            for at in (first..block.len()).step_by(PARTS) {
                let left = block.len() - at;
                let from = block.as_ptr().add(at);
                let x = if left >= V::LANES {
                    V::load(from)
                } else {
                    V::load_first(from, left)
                };
                sum = x.mul_add(x, sum);
            }
            sum.store(parts.as_mut_ptr().add(first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_norms_have_the_bits_of_dense_ones() {
        for width in [1_u16, 40, 513, 2000] {
            let is_stored = |k: &u16| k.is_multiple_of(3) || k % 7 == 2;
            let value = |k: u16| f32::from(k % 97) / 7.0 - 4.5;
            let columns: Vec<u32> = (0..width).filter(is_stored).map(u32::from).collect();
            let values: Vec<f32> = (0..width).filter(is_stored).map(value).collect();
            let dense = (0..width).map(|k| if is_stored(&k) { value(k) } else { 0.0 });
            let mut norm = [f64::NAN];
            row_norms(&dense.collect::<Vec<f32>>(), usize::from(width), &mut norm);
            assert_eq!(sparse_norm(&columns, &values).to_bits(), norm[0].to_bits());
        }
        assert_eq!(sparse_norm::<f64>(&[], &[]).to_bits(), 0);
    }

    #[test]
    fn norms_are_accurate_at_every_width() {
        for width in [1, 3, 15, 16, 17, 31, 33, 100, 511, 513, 5000] {
            let values: Vec<f32> = (0_u16..)
                .map(|i| f32::from(i % 97) - 40.5)
                .take(3 * width)
                .collect();
            let mut norms = [0.0; 3];
            row_norms(&values, width, &mut norms);
            for (norm, row) in norms.iter().zip(values.chunks(width)) {
                let exact = row
                    .iter()
                    .map(|&x| f64::from(x).powi(2))
                    .sum::<f64>()
                    .sqrt();
                // 16 roundings of float32 at most.
                assert!(
                    (norm / exact - 1.0).abs() < 16.0 * f64::from(f32::EPSILON),
                    "{width} {norm}"
                );
            }
        }
    }

    #[test]
    fn squares_may_overflow_and_underflow() {
        let norm = |x: f32| {
            let mut norms = [0.0];
            row_norms(&[x, 0.0, x], 3, &mut norms);
            norms[0]
        };
        for size in [1e-44, 1e-30, 1e-20, 1e10, 1e19, 1e38] {
            let exact = f64::from(size) * 2.0_f64.sqrt();
            assert!((norm(size) / exact - 1.0).abs() < 1e-6, "{size}");
        }
        assert!(norm(f32::INFINITY).is_infinite() && norm(f32::NAN).is_nan());
        let mut norms = [0.0; 2];
        row_norms(&[0.0, 0.0, 3e300, 4e300], 2, &mut norms);
        assert!(
            norms[0].abs() < f64::MIN_POSITIVE && (norms[1] / 5e300 - 1.0).abs() < 1e-15,
            "{norms:?}"
        );
    }
}
