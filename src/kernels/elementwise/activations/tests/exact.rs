//! A function beside its exact values by libm.

use std::fmt::Debug;

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::testing::{Bits, numbers, values};

/// The exact function.
pub struct Exact {
    /// The value, by libm.
    pub value: fn(f64) -> f64,
    /// The size of the terms that the function sums, where they cancel.
    pub terms: fn(f64) -> f64,
    /// Where it is checked.
    pub domain: (f64, f64),
}

const EVERYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

impl Exact {
    pub fn new(value: fn(f64) -> f64) -> Self {
        Self {
            value,
            terms: |_| 0.0,
            domain: EVERYWHERE,
        }
    }

    /// Asserts at most `bound` units in the last place, for a type of `digits` mantissa bits whose values
    /// are multiples of 2^`lowest`.
    pub fn check<T: Bits>(
        &self,
        function: impl UnaryFunction<T> + Debug,
        bound: f64,
        digits: i32,
        lowest: i32,
    ) {
        let x: Vec<T> = numbers();
        for (x, got) in x
            .iter()
            .zip(values(function, &x))
            .map(|(x, got)| (x.to_f64(), got.to_f64()))
        {
            let exact = (self.value)(x);
            let outside = x < self.domain.0 || x > self.domain.1;
            if outside || got.to_bits() == exact.to_bits() || (x.is_nan() && got.is_nan()) {
                continue;
            }
            let size = exact.abs().max((self.terms)(x));
            let unit = libm::ldexp(1.0, (libm::frexp(size).1 - digits).max(lowest));
            let error = (got - exact).abs() / unit;
            assert!(
                error <= bound,
                "{function:?}({x:e}) = {got:e}, not {exact:e}: {error} ulps"
            );
        }
    }

    /// float32 within 4 ulps. float64 within 4 ulps, plus 3 that the formula with libm may have.
    pub fn check_both<F: UnaryFunction<f32> + UnaryFunction<f64> + Debug>(&self, function: F) {
        self.check::<f32>(function, 4.0, 24, -149);
        self.check::<f64>(function, 7.0, 53, -1074);
    }
}
