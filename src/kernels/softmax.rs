//! e^z / Σ e^z of each row.

use super::exponential::exp;
use super::level::{self, Job};
use super::map::{Function, Map, fused_level};
use super::vector::Arithmetic;
use crate::scalar::Real;

/// How many rows are summed side by side: a sum waits for each of its additions.
const TOGETHER: usize = 4;

/// `z_j ← e^(z_j − m) / Σ_k e^(z_k − m)`, m the largest z of the row, for rows of `width` numbers.
/// `plain` does it for a row without fused multiply-add.
pub fn softmax<T: Real>(z: &mut [T], width: usize, plain: impl Fn(&mut [T])) {
    match fused_level() {
        // SAFETY: it is the machine's level.
        Some(level) => unsafe { level::run(level, Softmax { z, width }) },
        None => z.chunks_exact_mut(width).for_each(plain),
    }
}

/// [`softmax`].
pub(super) struct Softmax<'a, T> {
    pub z: &'a mut [T],
    pub width: usize,
}

impl<T: Real> Job<T> for Softmax<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self { z, width } = self;
        for row in z.chunks_exact_mut(width) {
            // SAFETY: the caller proves the instructions.
            let largest = unsafe { largest::<T, V>(row) };
            let map = Map {
                values: row,
                function: Minus(largest),
            };
            // SAFETY: the caller proves the instructions.
            unsafe { map.run::<V>() }
        }
        let map = Map {
            values: &mut *z,
            function: Exp,
        };
        // SAFETY: the caller proves the instructions.
        unsafe { map.run::<V>() }
        for rows in z.chunks_mut(width * TOGETHER) {
            let sums = sums(rows, width);
            for (row, sum) in rows.chunks_exact_mut(width).zip(sums) {
                let map = Map {
                    values: row,
                    function: Over(T::from_f64(sum)),
                };
                // SAFETY: the caller proves the instructions.
                unsafe { map.run::<V>() }
            }
        }
    }
}

/// The largest number, NaN passed over.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn largest<T: Real, V: Arithmetic<Scalar = T>>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let whole = values.chunks_exact(V::LANES);
    let rest = whole.remainder().iter().copied().fold(-T::MAX, larger);
    let mut lanes = [-T::MAX; 16];
    if values.len() >= V::LANES {
        // SAFETY: a whole register is read from each chunk, and written to an array that is as
        // long as the longest; the caller proves the instructions.
        unsafe {
            let start = V::broadcast(-T::MAX);
            whole
                .fold(start, |largest, chunk| {
                    largest.at_least(V::load(chunk.as_ptr()))
                })
                .store(lanes.as_mut_ptr());
        }
    }
    lanes[..V::LANES].iter().copied().fold(rest, larger)
}

/// Σ of each of at most [`TOGETHER`] rows, its terms in order. In float64: a million float32
/// outputs would lose three digits of their sum.
#[inline(always)]
fn sums<T: Real>(rows: &[T], width: usize) -> [f64; TOGETHER] {
    let mut sums = [0.0; TOGETHER];
    if rows.len() == width * TOGETHER {
        for j in 0..width {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += rows[i * width + j].to_f64();
            }
        }
    } else {
        for (row, sum) in rows.chunks_exact(width).zip(&mut sums) {
            *sum = row.iter().fold(0.0, |sum, value| sum + value.to_f64());
        }
    }
    sums
}

/// e^x of x ≤ 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exp;
/// x − this.
#[derive(Debug, Clone, Copy)]
struct Minus<T>(T);
/// x / this.
#[derive(Debug, Clone, Copy)]
struct Over<T>(T);

impl<T: Real> Function<T> for Exp {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        exp(x)
    }
}

impl<T: Real> Function<T> for Minus<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        x - x.splat(self.0)
    }
}

impl<T: Real> Function<T> for Over<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        x / x.splat(self.0)
    }
}
