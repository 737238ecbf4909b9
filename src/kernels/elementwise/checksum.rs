//! A checksum of many numbers.

use crate::base::checksum;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;

/// The sums that are updated together: some registers at each level.
const LANES: usize = 32;

/// A checksum of the number of `values` and of their bits, in order. A change of one of them always changes
/// it; it is the same at each SIMD level.
pub fn checksum<T: Real>(values: &[T]) -> u64 {
    let mut lanes = [0; LANES];
    let computation = Checksum {
        values,
        lanes: &mut lanes,
    };
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), computation) }
    let rest = values.chunks_exact(LANES).remainder().iter();
    let rest = rest.map(|value| value.to_f64().to_bits());
    let length = values.len() as u64;
    checksum::checksum([length].into_iter().chain(lanes).chain(rest))
}

struct Checksum<'a, T> {
    values: &'a [T],
    lanes: &'a mut [u64; LANES],
}

impl<T: Real> Computation<T> for Checksum<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let mut lanes = *self.lanes;
        for values in self.values.chunks_exact(LANES) {
            // One-to-one in the sum and in the number; the compiler vectorizes it.
            for (lane, value) in lanes.iter_mut().zip(values) {
                *lane = lane.rotate_left(7).wrapping_add(value.to_f64().to_bits());
            }
        }
        *self.lanes = lanes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_noticed() {
        for n in [1, 7, 31, 32, 33, 100] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let all = checksum(&values);
            for k in 0..values.len() {
                let mut changed = values.clone();
                changed[k] = f64::from_bits(changed[k].to_bits() ^ 1);
                assert_ne!(checksum(&changed), all, "{n} {k}");
                changed[k] = -values[k];
                assert_ne!(checksum(&changed), all, "{n} {k}");
                if k > 0 {
                    changed = values.clone();
                    changed.swap(k - 1, k);
                    assert_ne!(checksum(&changed), all, "{n} {k}");
                }
            }
            assert_ne!(checksum(&values[1..]), all);
        }
    }

    #[test]
    fn numbers_are_told_apart_by_their_bits() {
        assert_ne!(checksum(&[0.0_f32]), checksum(&[-0.0_f32]));
        let nan = f64::from_bits(f64::NAN.to_bits() ^ 1);
        assert_ne!(checksum(&[f64::NAN]), checksum(&[nan]));
    }
}
