//! The most that a core can do, for benchmarks to compare with: fused multiply-adds on registers
//! alone.

use crate::base::error::Result;
use crate::kernels::simd::level::{Job, Level, Registers, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};

/// Independent sums: enough to hide the latency of two units, few enough for sixteen registers.
const SUMS: usize = 12;

/// Does `rounds` rounds of multiply-adds, at the level in use, on the calling thread. Returns the
/// floating-point operations and a number that depends on all of them.
///
/// # Errors
/// `BPFAST_SIMD` names no level that there is.
pub fn multiply_adds<T: Registers>(rounds: usize, start: T) -> Result<(usize, T)> {
    let level: Level = crate::kernels::simd::level::level()?;
    let (mut operations, mut result) = (0, start);
    let job = Loop {
        rounds,
        start,
        operations: &mut operations,
        result: &mut result,
    };
    // SAFETY: `level` is that of this machine; the job asks for nothing else.
    unsafe { run(level, job) };
    Ok((operations, result))
}

struct Loop<'a, T> {
    rounds: usize,
    start: T,
    operations: &'a mut usize,
    result: &'a mut T,
}

impl<T: Registers> Job<T> for Loop<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        // SAFETY: the caller proves the instructions.
        let factor = unsafe { V::broadcast(self.start) };
        let mut sums = [factor; SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        let total = sums.into_iter().fold(factor, |total, sum| total + sum);
        // SAFETY: one number is written.
        unsafe { total.store_first(self.result, 1) };
        *self.operations = 2 * self.rounds * SUMS * <V as Vector>::LANES;
    }
}
