//! Several registers as one: each operation is done in all of them before the next one.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernels::simd::vector::{Arithmetic, Vector};

/// N registers of V.
///
/// The operations of an elementary function depend on each other, and the processor overlaps those of two
/// registers only as far as its queues reach. In this order, N independent operations are next to each other.
#[derive(Clone, Copy)]
pub struct Unrolled<V, const N: usize>([V; N]);

/// An array of N values of an expression. The functions of `std` that build arrays are not always inlined,
/// and then lack the instructions of the level.
macro_rules! each {
    ($j:ident: $first:expr => $value:expr) => {{
        let mut values = [$first; N];
        let mut $j = 0;
        while $j < N {
            values[$j] = $value;
            $j += 1;
        }
        values
    }};
}

impl<V: Vector, const N: usize> Vector for Unrolled<V, N>
where
    V::Scalar: Default,
{
    type Scalar = V::Scalar;
    const LANES: usize = N * V::LANES;
    const ACCUMULATORS: usize = V::ACCUMULATORS / N;
    const SQUARE: usize = V::SQUARE;

    #[inline(always)]
    unsafe fn broadcast(value: V::Scalar) -> Self {
        // SAFETY: the caller guarantees the instructions.
        Self([unsafe { V::broadcast(value) }; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const V::Scalar) -> Self {
        // SAFETY: the caller guarantees the instructions and all lanes.
        unsafe { Self(each!(j: V::load(from) => V::load(from.add(j * V::LANES)))) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const V::Scalar, count: usize) -> Self {
        // SAFETY: the caller guarantees the instructions, and that `count` elements are readable.
        unsafe {
            let zero = V::broadcast(V::Scalar::default());
            Self(
                each!(j: zero => match count.saturating_sub(j * V::LANES).min(V::LANES) {
                    0 => zero,
                    lanes => V::load_first(from.add(j * V::LANES), lanes),
                }),
            )
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut V::Scalar) {
        for (j, register) in self.0.into_iter().enumerate() {
            // SAFETY: the caller guarantees all lanes.
            unsafe { register.store(to.add(j * V::LANES)) }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut V::Scalar, count: usize) {
        for (j, register) in self.0.into_iter().enumerate() {
            let lanes = count.saturating_sub(j * V::LANES).min(V::LANES);
            if lanes > 0 {
                // SAFETY: the caller guarantees that `count` elements are writable.
                unsafe { register.store_first(to.add(j * V::LANES), lanes) }
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose(
        from: *const V::Scalar,
        from_row: usize,
        to: *mut V::Scalar,
        to_row: usize,
    ) {
        // SAFETY: the caller guarantees the same.
        unsafe { V::transpose(from, from_row, to, to_row) }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].mul_add(factor.0[j], term.0[j])))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $symbol:tt) => {
        impl<V: Arithmetic, const N: usize> $trait for Unrolled<V, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(each!(j: self.0[0] => self.0[j] $symbol other.0[j]))
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<V: Arithmetic, const N: usize> Neg for Unrolled<V, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(each!(j: self.0[0] => -self.0[j]))
    }
}

impl<V: Arithmetic, const N: usize> Arithmetic for Unrolled<V, N>
where
    V::Scalar: Default,
{
    type Mask = [V::Mask; N];

    #[inline(always)]
    fn splat(self, value: V::Scalar) -> Self {
        Self([self.0[0].splat(value); N])
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].abs()))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].sqrt()))
    }
    #[inline(always)]
    fn with_sign_of(self, sign: Self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].with_sign_of(sign.0[j])))
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].at_least(floor.0[j])))
    }
    #[inline(always)]
    fn at_most(self, ceiling: Self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].at_most(ceiling.0[j])))
    }
    #[inline(always)]
    fn low_bits_as_exponent(self) -> Self {
        Self(each!(j: self.0[0] => self.0[j].low_bits_as_exponent()))
    }
    #[inline(always)]
    fn less(self, other: Self) -> [V::Mask; N] {
        each!(j: self.0[0].less(other.0[0]) => self.0[j].less(other.0[j]))
    }
    #[inline(always)]
    fn any(mask: [V::Mask; N]) -> bool {
        let mut any = false;
        for mask in mask {
            any |= V::any(mask);
        }
        any
    }
    #[inline(always)]
    fn select(mask: [V::Mask; N], yes: Self, no: Self) -> Self {
        Self(each!(j: yes.0[0] => V::select(mask[j], yes.0[j], no.0[j])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::portable::Lanes;

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    type Three = Unrolled<Lanes<f32, 4, true>, 3>;

    #[test]
    fn a_part_is_loaded_and_stored_and_nothing_behind_it() {
        let numbers: Vec<f32> = (1_u8..=12).map(f32::from).collect();
        for count in 1..=Three::LANES {
            let part = &numbers[..count];
            let (mut stored, mut whole) = (vec![-1.0; Three::LANES], vec![-1.0; Three::LANES]);
            // SAFETY: arrays need no special instructions; `count` elements are in bounds, and all lanes of
            // `whole`.
            unsafe {
                let registers = Three::load_first(part.as_ptr(), count);
                registers.store(whole.as_mut_ptr());
                registers.store_first(stored.as_mut_ptr(), count);
            }
            let rest = Three::LANES - count;
            assert_eq!(bits(&stored), bits(&[part, &vec![-1.0; rest]].concat()));
            assert_eq!(bits(&whole), bits(&[part, &vec![0.0; rest]].concat()));
        }
    }

    #[test]
    fn a_mask_is_true_in_any_register() {
        for lane in 0..Three::LANES {
            let mut numbers = [1.0; 12];
            numbers[lane] = -1.0;
            // SAFETY: arrays need no special instructions; all lanes are in bounds.
            let registers = unsafe { Three::load(numbers.as_ptr()) };
            let zero = registers.splat(0.0);
            let mask = registers.less(zero);
            assert!(Three::any(mask));
            assert!(!Three::any(zero.less(zero)));
            let mut got = [2.0; 12];
            // SAFETY: as above.
            unsafe { Three::select(mask, zero, registers).store(got.as_mut_ptr()) }
            numbers[lane] = 0.0;
            assert_eq!(bits(&got), bits(&numbers));
        }
    }
}
