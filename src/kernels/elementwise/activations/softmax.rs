//! e^z / Σ e^z of each row.

use std::ops::Range;

use crate::base::sum::{CompensatedSum, SUM_BLOCK};
use crate::kernels::elementwise::map::{BinaryFunction, Combine, Map, UnaryFunction, fused_level};
use crate::kernels::math::exponential::exp;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::tuning::softmax::{GROUP, SHORT_ROW, TOGETHER};

/// Lanes of the longest register.
const MAX_LANES: usize = 16;

/// `z_j ← e^(z_j − m) / Σ_k e^(z_k − m)` with m the largest z of the row, for rows of `width` elements.
/// `scalar` computes one row on machines without fused multiply-add.
pub fn softmax<T: Real>(z: &mut [T], width: usize, scalar: impl Fn(&mut [T])) {
    match fused_level() {
        // SAFETY: the machine has the level; the computation has slices and needs no more.
        Some(level) => unsafe { level::run(level, Softmax { z, width }) },
        None => z.chunks_exact_mut(width).for_each(scalar),
    }
}

/// The [`softmax`] of all rows as a computation.
pub(in crate::kernels) struct Softmax<'a, T> {
    pub z: &'a mut [T],
    pub width: usize,
}

impl<T: Real> Computation<T> for Softmax<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self { z, width } = self;
        if width > SHORT_ROW || width.is_multiple_of(V::LANES) {
            for rows in z.chunks_mut(width * TOGETHER) {
                // SAFETY: the caller guarantees the instructions. SHORT_ROW and multiples of LANES are no
                // shorter than a register.
                unsafe { wide::<T, V>(rows, width) }
            }
        } else {
            let mut spread = [T::ZERO; GROUP];
            for rows in z.chunks_mut(GROUP / width * width) {
                // SAFETY: the caller guarantees the instructions.
                unsafe { short_rows::<T, V>(rows, width, &mut spread) }
            }
        }
    }
}

/// Softmax of at most [`TOGETHER`] rows.
///
/// # Safety
/// The machine has the instructions; a row has a register of elements or more.
#[inline(always)]
unsafe fn wide<T: Real, V: Arithmetic<Scalar = T>>(rows: &mut [T], width: usize) {
    for values in rows.chunks_exact_mut(width) {
        // SAFETY: the caller guarantees the instructions and the length of a row.
        unsafe {
            let function = ExpShifted(largest::<T, V>(values));
            Map(values, function).run::<V>();
        }
    }
    let sums = sums(rows, width);
    for (values, sum) in rows.chunks_exact_mut(width).zip(sums) {
        let function = DivideBy(T::from_f64(sum));
        // SAFETY: the caller guarantees the instructions.
        unsafe { Map(values, function).run::<V>() }
    }
}

/// Softmax of short rows that fit in `spread`.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn short_rows<T: Real, V: Arithmetic<Scalar = T>>(
    rows: &mut [T],
    width: usize,
    spread: &mut [T; GROUP],
) {
    for (row, spread) in rows.chunks_exact(width).zip(spread.chunks_exact_mut(width)) {
        spread.fill(row.iter().copied().fold(-T::MAX, larger));
    }
    let (by, function) = (&spread[..], ExpOfDifference);
    // SAFETY: the caller guarantees the instructions.
    unsafe { Combine(&mut *rows, by, function).run::<V>() }
    let groups = rows.chunks(width * TOGETHER);
    for (rows, spread) in groups.zip(spread.chunks_mut(width * TOGETHER)) {
        for (spread, sum) in spread.chunks_exact_mut(width).zip(sums(rows, width)) {
            spread.fill(T::from_f64(sum));
        }
    }
    let (by, function) = (&spread[..], Quotient);
    // SAFETY: the caller guarantees the instructions.
    unsafe { Combine(rows, by, function).run::<V>() }
}

/// The larger of a and b; NaN is ignored.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// The largest of at least one register of elements; NaN is ignored.
///
/// # Safety
/// The machine has the instructions; `values` has a register of elements or more.
#[inline(always)]
unsafe fn largest<T: Real, V: Arithmetic<Scalar = T>>(values: &[T]) -> T {
    let mut lanes = [-T::MAX; MAX_LANES];
    // SAFETY: a chunk has exactly a register's length, which is at most that of the array; the caller guarantees
    // the instructions, and that it is at most that of the slice.
    unsafe {
        let mut all = V::broadcast(-T::MAX);
        for chunk in values.chunks_exact(V::LANES) {
            all = all.at_least(V::load(chunk.as_ptr()));
        }
        let end = V::load(values.as_ptr().add(values.len() - V::LANES));
        all.at_least(end).store(lanes.as_mut_ptr());
    }
    lanes[..V::LANES].iter().copied().fold(-T::MAX, larger)
}

/// The sums of at most [`TOGETHER`] rows: blocks of terms are added in order, and the block sums with
/// compensation. In float64: the sum of a million float32 outputs would lose three digits.
#[inline(always)]
fn sums<T: Real>(rows: &[T], width: usize) -> [f64; TOGETHER] {
    if width <= SUM_BLOCK {
        return block_sums(rows, width, 0..width);
    }
    let mut sums = [CompensatedSum::default(); TOGETHER];
    for start in (0..width).step_by(SUM_BLOCK) {
        let block_sum = block_sums(rows, width, start..width.min(start + SUM_BLOCK));
        for (sum, block_sum) in sums.iter_mut().zip(block_sum) {
            sum.add(block_sum);
        }
    }
    sums.map(CompensatedSum::total)
}

/// The sum of each row's elements in `columns`.
#[inline(always)]
fn block_sums<T: Real>(rows: &[T], width: usize, columns: Range<usize>) -> [f64; TOGETHER] {
    let mut sums = [0.0; TOGETHER];
    if rows.len() == width * TOGETHER {
        for j in columns {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += rows[i * width + j].to_f64();
            }
        }
    } else {
        for (row, sum) in rows.chunks_exact(width).zip(&mut sums) {
            let block = row[columns.clone()].iter();
            *sum = block.fold(0.0, |sum, value| sum + value.to_f64());
        }
    }
    sums
}

/// e^(x − this) of x ≤ this.
#[derive(Clone, Copy)]
struct ExpShifted<T>(T);
/// x / this.
#[derive(Clone, Copy)]
struct DivideBy<T>(T);
/// e^(y − x) of y ≤ x.
#[derive(Clone, Copy)]
struct ExpOfDifference;
/// y / x.
#[derive(Clone, Copy)]
struct Quotient;

impl<T: Real> UnaryFunction<T> for ExpShifted<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        exp(x - x.splat(self.0))
    }
}

impl<T: Real> UnaryFunction<T> for DivideBy<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        x / x.splat(self.0)
    }
}

impl<T: Real> BinaryFunction<T> for ExpOfDifference {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, y: V, x: V) -> V {
        exp(y - x)
    }
}

impl<T: Real> BinaryFunction<T> for Quotient {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, y: V, x: V) -> V {
        y / x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Bits, assert_same, fused_levels, numbers, run_in_arrays};

    fn check<T: Bits>(eps: f64) {
        let numbers: Vec<T> = numbers();
        let shapes = (1..=70).flat_map(|width| [1, 3, 4, 30].map(|rows| (rows, width)));
        for (rows, width) in shapes.chain([(5, 1000)]) {
            let size = rows * width;
            let from = (size * 7919) % (numbers.len() - size);
            // Moderate values, and arbitrary ones in every second shape.
            let any = |&x: &T| {
                if width % 2 == 0 || x.abs() < T::from_f64(800.0) {
                    x
                } else {
                    T::ONE
                }
            };
            let start: Vec<T> = numbers[from..from + size].iter().map(any).collect();
            let mut expected = start.clone();
            run_in_arrays(Softmax {
                z: &mut expected,
                width,
            });
            for level in fused_levels() {
                let mut got = start.clone();
                // SAFETY: the machine has the level; the computation has slices and needs no more.
                unsafe { level::run(level, Softmax { z: &mut got, width }) };
                assert_same(&got, &expected, (level, rows, width));
            }
            for (start, got) in start.chunks(width).zip(expected.chunks(width)) {
                let mut alone = start.to_vec();
                run_in_arrays(Softmax {
                    z: &mut alone,
                    width,
                });
                assert_same(got, &alone, ("alone", rows, width));
                check_row(start, got, eps);
            }
        }
    }

    /// Checks e^(z − m) / Σ, with z − m rounded to the type.
    fn check_row<T: Bits>(z: &[T], got: &[T], eps: f64) {
        let m = z.iter().copied().fold(-T::MAX, larger);
        let powers: Vec<f64> = z.iter().map(|&z| libm::exp((z - m).to_f64())).collect();
        let sum = powers.iter().sum::<f64>();
        for (got, power) in got.iter().map(|got| got.to_f64()).zip(powers) {
            let exact = power / sum;
            // Values below eps² do not matter.
            let same = (got - exact).abs() <= 4.0 * eps * exact + eps * eps * eps * eps;
            assert!(
                same || (got.is_nan() && exact.is_nan()),
                "{got:e}, not {exact:e}"
            );
        }
    }

    #[test]
    fn softmax_is_right_with_the_same_bits_at_every_level() {
        check::<f32>(f64::from(f32::EPSILON));
        check::<f64>(f64::EPSILON);
    }
}
