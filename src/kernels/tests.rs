//! The maps: the same bits at every level and place, nothing written outside, a few ulps.

use std::fmt::Debug;

use super::level::{self, Job, Level};
use super::map::{Combine, Function, Map, Times};
use super::{activations as sigma, slopes};
use crate::scalar::Real;

/// A number's bits.
pub(super) trait Bits: Real {
    /// The number of the first of these bits.
    fn from_pattern(pattern: u64) -> Self;
    /// All bits; the same for every NaN, whose bits nobody promises.
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

/// Fine steps, every magnitude of both signs, special values, any bits.
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

/// Runs `job` in the registers of another architecture, on this machine.
pub(super) fn run_in_arrays<T: Real>(job: impl Job<T>) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        #[target_feature(enable = "fma")]
        unsafe fn fused<T: Real>(job: impl Job<T>) {
            // SAFETY: arrays need no instructions.
            unsafe { job.run::<T::Neon>() }
        }
        // SAFETY: the machine has them.
        return unsafe { fused(job) };
    }
    // SAFETY: arrays need no instructions.
    unsafe { job.run::<T::Neon>() }
}

/// The levels that must agree with arrays, and with each other.
pub(super) fn fused_levels() -> Vec<Level> {
    let runs = |level: &Level| level.is_available() && level.is_fused();
    Level::ALL.into_iter().filter(runs).collect()
}

pub(super) fn assert_same<T: Bits>(got: &[T], wanted: &[T], what: impl Debug) {
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert_eq!(
            got.pattern(),
            wanted.pattern(),
            "{what:?} at {i}: {got:?}, not {wanted:?}"
        );
    }
}

/// A copy of `values` between numbers that nobody may touch.
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
    fn check(mut self, wanted: &[T], what: impl Debug) {
        assert_same(self.inside(), wanted, &what);
        let end = self.0.len() - Self::FENCE;
        let mut fences = self.0[..Self::FENCE].iter().chain(&self.0[end..]);
        assert!(
            fences.all(|&value| value == T::from_f64(123.0)),
            "{what:?} writes outside"
        );
    }
}

/// Asserts that `run` makes `wanted` of `start` at every level and in slices of any length: it is
/// given the level, the slice, and where that begins.
fn check_everywhere<T: Bits>(
    start: &[T],
    wanted: &[T],
    what: impl Debug,
    run: impl Fn(Level, &mut [T], usize),
) {
    let starts = (0..start.len() - 40).step_by(401);
    let parts = starts
        .zip((1..=40).cycle())
        .map(|(from, length)| from..from + length);
    for level in fused_levels() {
        for part in parts.clone().chain(std::iter::once(0..start.len())) {
            let mut got = Fenced::of(&start[part.clone()]);
            run(level, got.inside(), part.start);
            got.check(&wanted[part.clone()], (&what, level, part));
        }
    }
}

/// f(x), after the proof that it, and y f(x), have the same bits everywhere.
fn values<T: Bits, F: Function<T> + Debug>(function: F, x: &[T]) -> Vec<T> {
    let mut wanted = x.to_vec();
    run_in_arrays(Map(&mut wanted, function));
    // SAFETY: the machine has the level.
    check_everywhere(x, &wanted, function, |level, values, _| unsafe {
        level::run(level, Map(values, function));
    });
    let y: Vec<T> = x.iter().rev().copied().collect();
    let products: Vec<T> = y
        .iter()
        .zip(&wanted)
        .map(|(&y, &factor)| y * factor)
        .collect();
    check_everywhere(&y, &products, function, |level, values, from| {
        let (by, function) = (&x[from..], Times(function)); // longer than the values, as a rule
        // SAFETY: the machine has the level.
        unsafe { level::run(level, Combine(values, by, function)) }
    });
    wanted
}

/// What a function should be.
struct Exact {
    /// Its value by libm.
    value: fn(f64) -> f64,
    /// The size of the terms that it is a sum of, where they cancel.
    terms: fn(f64) -> f64,
    /// Where it is asked for.
    domain: (f64, f64),
}

const EVERYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

impl Exact {
    fn new(value: fn(f64) -> f64) -> Self {
        Self {
            value,
            terms: |_| 0.0,
            domain: EVERYWHERE,
        }
    }

    /// At most `bound` units in the last place of a number of `digits` bits that is a multiple of
    /// 2^`lowest`.
    fn check<T: Bits>(
        &self,
        function: impl Function<T> + Debug,
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

    /// float32 within 4 ulps; float64 within 4, and 3 that the formula with libm may have.
    fn check_both<F: Function<f32> + Function<f64> + Debug>(&self, function: F) {
        self.check::<f32>(function, 4.0, 24, -149);
        self.check::<f64>(function, 7.0, 53, -1074);
    }
}

/// The sigmoid at z, and at −z.
fn sigmoids(z: f64) -> (f64, f64) {
    let small = libm::exp(-z.abs());
    let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if z < 0.0 { (less, more) } else { (more, less) }
}

/// z `factor`, 0 where the factor is.
fn times(z: f64, factor: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { z * factor }
}

/// φ(z), with z² in two parts.
fn density(z: f64) -> f64 {
    let rest = libm::fma(z, z, -z * z);
    if z.abs() > 39.0 {
        0.0
    } else {
        z.normal_pdf() * (1.0 - 0.5 * rest)
    }
}

fn step(a: f64, yes: f64, no: f64) -> f64 {
    if a > 0.0 { yes } else { no }
}

#[test]
fn sigmoid() {
    Exact::new(|z| sigmoids(z).0).check_both(sigma::Sigmoid);
    let exact = Exact {
        domain: (0.0, 1.0),
        ..Exact::new(|a| a * (1.0 - a))
    };
    exact.check_both(slopes::Sigmoid);
}

#[test]
fn tanh() {
    Exact::new(libm::tanh).check_both(sigma::Tanh);
    let exact = Exact {
        domain: (-1.0, 1.0),
        ..Exact::new(|a| (1.0 - a) * (1.0 + a))
    };
    exact.check_both(slopes::Tanh);
}

#[test]
fn relu() {
    Exact::new(|z| if z <= 0.0 { 0.0 } else { z }).check_both(sigma::Relu);
    Exact::new(|a| step(a, 1.0, 0.0)).check_both(slopes::Relu);
}

#[test]
fn leaky_relu() {
    Exact::new(|z| step(z, z, 0.01 * z)).check_both(sigma::LeakyRelu);
    Exact::new(|a| step(a, 1.0, 0.01)).check_both(slopes::LeakyRelu);
}

#[test]
fn elu() {
    Exact::new(|z| step(z, z, libm::expm1(z))).check_both(sigma::Elu);
    let exact = Exact {
        domain: (-1.0, f64::INFINITY),
        ..Exact::new(|a| step(a, 1.0, a + 1.0))
    };
    exact.check_both(slopes::Elu);
}

#[test]
fn gelu() {
    Exact::new(Real::gelu).check_both(sigma::Gelu);
    let exact = Exact {
        terms: |z| times(z, density(z)).abs(),
        domain: (-37.0, f64::INFINITY), // below, the terms here are subnormal and lose their places
        ..Exact::new(|z| z.normal_cdf() + times(z, density(z)))
    };
    exact.check_both(slopes::Gelu);
}

#[test]
fn silu() {
    // In two factors: the sigmoid may be subnormal where its product is not.
    Exact::new(|z| match libm::exp(0.5 * z) {
        half if z < -40.0 => times(z, half) * half,
        _ => z * sigmoids(z).0,
    })
    .check_both(sigma::Silu);
    let exact = Exact {
        terms: |z| times(z, sigmoids(z).0 * sigmoids(z).1).abs(),
        domain: (-700.0, f64::INFINITY), // as for gelu
        ..Exact::new(|z| sigmoids(z).0 + times(z, sigmoids(z).0 * sigmoids(z).1))
    };
    exact.check_both(slopes::Silu);
}

#[test]
fn softplus() {
    let value = |z: f64| libm::fmax(z, 0.0) + libm::log1p(libm::exp(-z.abs()));
    Exact::new(value).check_both(sigma::Softplus);
    let exact = Exact {
        domain: (0.0, f64::INFINITY),
        ..Exact::new(|a| -libm::expm1(-a))
    };
    exact.check_both(slopes::Softplus);
}

#[test]
fn zeros_keep_their_signs() {
    fn check<F: Function<f32> + Function<f64> + Debug>(function: F, at_minus_0: f64) {
        let mut wide = [0.0, -0.0];
        run_in_arrays(Map(&mut wide, function));
        assert_same(&wide, &[0.0, at_minus_0], function);
        let mut narrow = [0.0_f32, -0.0];
        run_in_arrays(Map(&mut narrow, function));
        assert_same(&narrow.map(f64::from), &[0.0, at_minus_0], function);
    }
    check(sigma::Relu, 0.0);
    check(sigma::Tanh, -0.0);
    check(sigma::LeakyRelu, -0.0);
    check(sigma::Elu, -0.0);
    check(sigma::Gelu, -0.0);
    check(sigma::Silu, -0.0);
}
