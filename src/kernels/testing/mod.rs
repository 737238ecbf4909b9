//! Shared by the tests of the maps: values of every kind, every level, guard values around a slice.

pub(super) mod guarded;
pub(super) mod number;

use std::fmt::Debug;

use crate::kernels::elementwise::map::{Combine, Map, MultiplyBy, UnaryFunction};
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, Level};

/// The bits of a value.
pub(super) trait Bits: Real {
    /// The value with these bits (the low ones, for float32).
    fn from_pattern(pattern: u64) -> Self;
    /// The bits; the same for every NaN, since NaN bits are unspecified.
    fn pattern(self) -> u64;
}

impl Bits for f32 {
    fn from_pattern(pattern: u64) -> Self {
        Self::from_bits(u32::try_from(pattern >> 32).expect("32 bits"))
    }
    fn pattern(self) -> u64 {
        if self.is_nan() {
            u64::MAX
        } else {
            self.to_bits().into()
        }
    }
}

impl Bits for f64 {
    fn from_pattern(pattern: u64) -> Self {
        Self::from_bits(pattern)
    }
    fn pattern(self) -> u64 {
        if self.is_nan() {
            u64::MAX
        } else {
            self.to_bits()
        }
    }
}

/// Fine steps, every magnitude of both signs, special values, random bits.
pub(super) fn numbers<T: Bits>() -> Vec<T> {
    let mut state = 1_u64;
    let random = (0..20_000).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        T::from_pattern(state ^ (state >> 33))
    });
    let steps = [800.0, 110.0, 40.0, 8.0, 1.0]
        .into_iter()
        .flat_map(|edge: f64| {
            (-2000..=2000).map(move |k| T::from_f64(edge * f64::from(k) / 2000.0))
        });
    let factors = [1.0, -1.0, 1.3, -1.7];
    let magnitudes = (-1080..1024).flat_map(|k| factors.map(|x| T::from_f64(libm::ldexp(x, k))));
    let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(T::from_f64);
    let special = special.into_iter().chain([T::MAX, -T::MAX]);
    steps
        .chain(magnitudes)
        .chain(special)
        .chain(random)
        .collect()
}

/// Runs `computation` with another architecture's registers on this machine.
pub(super) fn run_in_arrays<T: Real>(computation: impl Computation<T>) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        #[target_feature(enable = "fma")]
        unsafe fn fused<T: Real>(computation: impl Computation<T>) {
            // SAFETY: arrays need no special instructions.
            unsafe { computation.run::<T::Neon>() }
        }
        // SAFETY: the machine has the instructions.
        return unsafe { fused(computation) };
    }
    // SAFETY: arrays need no special instructions.
    unsafe { computation.run::<T::Neon>() }
}

/// The levels that must agree with arrays and with each other.
pub(super) fn fused_levels() -> Vec<Level> {
    let runs = |level: &Level| level.is_available() && level.is_fused();
    Level::ALL.into_iter().filter(runs).collect()
}

pub(super) fn assert_same<T: Bits>(got: &[T], expected: &[T], what: impl Debug) {
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(
            got.pattern(),
            expected.pattern(),
            "{what:?} at {i}: {got:?}, not {expected:?}"
        );
    }
}

/// A copy of `values` between guard values.
struct Fenced<T>(Vec<T>);

impl<T: Bits> Fenced<T> {
    const FENCE: usize = 20;
    fn of(values: &[T]) -> Self {
        let fence = [T::from_f64(123.0); 20];
        Self([&fence, values, &fence].concat())
    }
    fn inside(&mut self) -> &mut [T] {
        let end = self.0.len() - Self::FENCE;
        &mut self.0[Self::FENCE..end]
    }
    fn check(mut self, expected: &[T], what: impl Debug) {
        assert_same(self.inside(), expected, &what);
        let end = self.0.len() - Self::FENCE;
        let mut fences = self.0[..Self::FENCE].iter().chain(&self.0[end..]);
        assert!(
            fences.all(|&value| value == T::from_f64(123.0)),
            "{what:?} writes outside"
        );
    }
}

/// The longest slice of [`check_everywhere`] but the whole: some registers at once, some alone, and a part of
/// one.
const LONGEST: usize = 100;

/// Asserts that `run` turns `start` into `expected` at every level and in slices of any length. Its arguments
/// are the level, the slice, and the slice's start.
fn check_everywhere<T: Bits>(
    start: &[T],
    expected: &[T],
    what: impl Debug,
    run: impl Fn(Level, &mut [T], usize),
) {
    let starts = (0..start.len() - LONGEST).step_by(401);
    let ranges = starts
        .zip((1..=LONGEST).cycle())
        .map(|(from, length)| from..from + length);
    for level in fused_levels() {
        for range in ranges.clone().chain(std::iter::once(0..start.len())) {
            let mut got = Fenced::of(&start[range.clone()]);
            run(level, got.inside(), range.start);
            got.check(&expected[range.clone()], (&what, level, range));
        }
    }
}

/// f(x), after asserting that f(x) and y f(x) have the same bits everywhere.
pub(super) fn values<T: Bits, F: UnaryFunction<T> + Debug>(function: F, x: &[T]) -> Vec<T> {
    let mut expected = x.to_vec();
    run_in_arrays(Map(&mut expected, function));
    // SAFETY: the machine has the level.
    check_everywhere(x, &expected, function, |level, values, _| unsafe {
        level::run(level, Map(values, function));
    });
    let y: Vec<T> = x.iter().rev().copied().collect();
    let products: Vec<T> = y
        .iter()
        .zip(&expected)
        .map(|(&y, &factor)| y * factor)
        .collect();
    check_everywhere(&y, &products, function, |level, values, from| {
        let (by, function) = (&x[from..], MultiplyBy(function)); // usually longer than the values
        // SAFETY: the machine has the level.
        unsafe { level::run(level, Combine(values, by, function)) }
    });
    expected
}
