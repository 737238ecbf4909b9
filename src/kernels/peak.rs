//! The peak rate of a core, for benchmarks: fused multiply-adds on registers only.

use crate::base::error::Result;
use crate::kernels::simd::level::{Computation, Level, Registers, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};

/// Independent accumulators: enough to hide the latency of two FMA units, few enough for 16 registers.
const SUMS: usize = 12;

/// Runs `rounds` rounds of multiply-adds on the calling thread at the level in use. Returns the number of
/// floating-point operations and a value that depends on all of them.
///
/// # Errors
/// `BPFAST_SIMD` names a level that does not exist.
pub fn multiply_adds<T: Registers>(rounds: usize, start: T) -> Result<(usize, T)> {
    let level: Level = crate::kernels::simd::level::level()?;
    let (mut operations, mut result) = (0, start);
    let computation = Loop {
        rounds,
        start,
        operations: &mut operations,
        result: &mut result,
    };
    // SAFETY: the machine has `level`; the computation has no other requirement.
    unsafe { run(level, computation) };
    Ok((operations, result))
}

struct Loop<'a, T> {
    rounds: usize,
    start: T,
    operations: &'a mut usize,
    result: &'a mut T,
}

impl<T: Registers> Computation<T> for Loop<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        // SAFETY: the caller guarantees the instructions.
        let factor = unsafe { V::broadcast(self.start) };
        let mut sums = [factor; SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        let total = sums.into_iter().fold(factor, |total, sum| total + sum);
        // SAFETY: `result` is a valid place for the one element that is written.
        unsafe { total.store_first(self.result, 1) };
        *self.operations = 2 * self.rounds * SUMS * <V as Vector>::LANES;
    }
}
