//! Compares the activations with libm, in ulps, and asserts on the way that every level gives the same bits.

mod exact;

use std::fmt::Debug;

use crate::kernels::elementwise::activations::gelu_tanh::GeluTanh;
use crate::kernels::elementwise::activations::mish::{Mish, MishDerivative};
use crate::kernels::elementwise::activations::tests::exact::Exact;
use crate::kernels::elementwise::activations::{
    first_derivatives as derivatives, functions as sigma,
};
use crate::kernels::elementwise::map::{Map, UnaryFunction};
use crate::kernels::math::{Exp, LnOneMinusExp};
use crate::kernels::real::Real;
use crate::kernels::testing::{assert_same, run_in_arrays, values};

/// The sigmoid at z, and at −z.
fn sigmoids(z: f64) -> (f64, f64) {
    let small = libm::exp(-z.abs());
    let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if z < 0.0 { (less, more) } else { (more, less) }
}

/// z `factor`, but 0 where the factor is 0.
fn times(z: f64, factor: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { z * factor }
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
    exact.check_both(derivatives::SigmoidDerivative);
}

#[test]
fn tanh() {
    Exact::new(libm::tanh).check_both(sigma::Tanh);
    let exact = Exact {
        domain: (-1.0, 1.0),
        ..Exact::new(|a| (1.0 - a) * (1.0 + a))
    };
    exact.check_both(derivatives::TanhDerivative);
}

#[test]
fn relu() {
    Exact::new(|z| if z <= 0.0 { 0.0 } else { z }).check_both(sigma::Relu);
    Exact::new(|a| step(a, 1.0, 0.0)).check_both(derivatives::ReluDerivative);
}

#[test]
fn leaky_relu() {
    fn check(slope: f32, value: fn(f64) -> f64, derivative: fn(f64) -> f64) {
        let wide = f64::from(slope);
        // 1.5 times the largest numbers overflows.
        let exact = Exact {
            domain: (-2e38, f64::INFINITY),
            ..Exact::new(value)
        };
        exact.check::<f32>(sigma::LeakyRelu(slope), 4.0, 24, -149);
        exact.check::<f64>(sigma::LeakyRelu(wide), 4.0, 53, -1074);
        let exact = Exact::new(derivative);
        exact.check::<f32>(derivatives::LeakyReluDerivative(slope), 0.0, 24, -149);
        exact.check::<f64>(derivatives::LeakyReluDerivative(wide), 0.0, 53, -1074);
    }
    check(0.25, |z| step(z, z, 0.25 * z), |a| step(a, 1.0, 0.25));
    check(1.5, |z| step(z, z, 1.5 * z), |a| step(a, 1.0, 1.5));
}

#[test]
fn elu() {
    Exact::new(|z| step(z, z, libm::expm1(z))).check_both(sigma::Elu);
    let exact = Exact {
        domain: (f64::NEG_INFINITY, 2e38), // where 1.5 z is finite
        ..Exact::new(|z| step(z, 1.5 * z, 0.25 * libm::expm1(z)))
    };
    exact.check::<f32>(sigma::ScaledElu(1.5, 0.25), 4.0, 24, -149);
    exact.check::<f64>(sigma::ScaledElu(1.5, 0.25), 7.0, 53, -1074);
    let exact = Exact {
        domain: (-0.25, f64::INFINITY),
        ..Exact::new(|a| step(a, 1.5, a + 0.25))
    };
    exact.check::<f32>(derivatives::ScaledEluDerivative(1.5, 0.25), 4.0, 24, -149);
    exact.check::<f64>(derivatives::ScaledEluDerivative(1.5, 0.25), 4.0, 53, -1074);
}

#[test]
fn gelu() {
    Exact::new(Real::gelu).check_both(sigma::Gelu);
    let exact = Exact {
        terms: |z| times(z, z.normal_pdf()).abs(),
        domain: (-37.0, f64::INFINITY), // below, the terms are subnormal and lose digits
        ..Exact::new(|z| z.normal_cdf() + times(z, z.normal_pdf()))
    };
    exact.check_both(derivatives::GeluDerivative);
}

#[test]
fn silu() {
    // As two factors: the sigmoid may be subnormal where the product is not.
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
    exact.check_both(derivatives::SiluDerivative);
}

/// 2 √(2/π) (z + 0.044715 z³), of |z| ≤ 6, where its rounding costs less than 100 ulps.
fn cubic(z: f64) -> f64 {
    2.0 * (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044_715 * z * z * z)
}

#[test]
fn gelu_tanh() {
    let exact = Exact::new(|z| z * sigmoids(cubic(z)).0);
    let exact = Exact {
        domain: (-6.0, 6.0),
        ..exact
    };
    exact.check::<f32>(GeluTanh, 4.0, 24, -149);
    exact.check::<f64>(GeluTanh, 100.0, 53, -1074);
    let mut limits = [-30.0, f64::NEG_INFINITY, 30.0, f64::INFINITY];
    run_in_arrays(Map(&mut limits, GeluTanh));
    assert_same(&limits, &[-0.0, -0.0, 30.0, f64::INFINITY], GeluTanh);
}

#[test]
fn mish() {
    let value = |z: f64| z * libm::tanh(libm::log1p(libm::exp(z)));
    let exact = Exact {
        domain: (-700.0, 700.0), // where e^z is a normal number
        ..Exact::new(value)
    };
    exact.check_both(Mish);
    let exact = Exact {
        terms: |z| (4.0 * z * sigmoids(z).0 * sigmoids(z).1).abs(),
        domain: (-700.0, 700.0),
        ..Exact::new(|z| {
            let p = libm::log1p(libm::exp(z));
            let (s, rest) = sigmoids(2.0 * p);
            libm::tanh(p) + z * 4.0 * s * rest * sigmoids(z).0
        })
    };
    exact.check_both(MishDerivative);
}

#[test]
fn hard_functions() {
    let hard = |z: f64| match z {
        _ if z <= -3.0 => 0.0,
        _ if z >= 3.0 => 1.0,
        _ => (z + 3.0) / 6.0,
    };
    Exact::new(hard).check_both(sigma::HardSigmoid);
    let exact = Exact::new(|a| if a > 0.0 && a < 1.0 { 1.0 / 6.0 } else { 0.0 });
    exact.check_both(derivatives::HardSigmoidDerivative);
    let swish = |z: f64| match z {
        _ if z <= -3.0 => -0.0,
        _ if z >= 3.0 => z,
        _ => z * ((z + 3.0) / 6.0),
    };
    Exact::new(swish).check_both(sigma::HardSwish);
    let derivative = |z: f64| match z {
        _ if z <= -3.0 => 0.0,
        _ if z >= 3.0 => 1.0,
        _ => (2.0 * z + 3.0) / 6.0,
    };
    Exact::new(derivative).check_both(derivatives::HardSwishDerivative);
}

#[test]
fn sine() {
    Exact::new(libm::sin).check_both(sigma::Sin);
    Exact::new(libm::cos).check_both(derivatives::SinDerivative);
}

/// Near the multiples of π/2 and on both sides of the largest angle of the polynomials.
#[test]
fn sine_near_its_zeros() {
    let angles = (0..2000).map(|n| f64::from(n) * f64::from(n % 7) * std::f64::consts::FRAC_PI_2);
    let beside = angles.flat_map(|x| [x.next_down(), x, x.next_up(), -x]);
    let large = [
        16384.0,
        16385.0,
        1_073_741_824.0,
        1_073_741_826.0,
        1e22,
        1e300,
    ];
    let x: Vec<f64> = beside.chain(large).collect();
    let got = values(sigma::Sin, &x);
    for (x, got) in x.iter().zip(got) {
        let exact = libm::sin(*x);
        assert!(
            (got - exact).abs() <= 4.0 * f64::EPSILON * exact.abs(),
            "{x:e}"
        );
    }
    let x: Vec<f32> = x.iter().map(|&x| Real::from_f64(x)).collect();
    let got = values(derivatives::SinDerivative, &x);
    for (x, got) in x.iter().zip(got) {
        let exact = libm::cosf(*x);
        let is_same = (got - exact).abs() <= 4.0 * f32::EPSILON * exact.abs();
        assert!(is_same || !x.is_finite(), "{x:e}");
    }
}

#[test]
fn softplus() {
    let value = |z: f64| libm::fmax(z, 0.0) + libm::log1p(libm::exp(-z.abs()));
    Exact::new(value).check_both(sigma::Softplus);
    let exact = Exact {
        domain: (0.0, f64::INFINITY),
        ..Exact::new(|a| -libm::expm1(-a))
    };
    exact.check_both(derivatives::SoftplusDerivative);
}

#[test]
fn exponentials_and_logarithms() {
    let exact = Exact {
        domain: (f64::NEG_INFINITY, 0.0),
        ..Exact::new(libm::exp)
    };
    exact.check_both(Exp);
    let exact = Exact {
        domain: (f64::NEG_INFINITY, -std::f64::consts::LN_2),
        ..Exact::new(|x| libm::log1p(-libm::exp(x)))
    };
    exact.check_both(LnOneMinusExp);
}

#[test]
fn zeros_keep_their_signs() {
    fn check<F: UnaryFunction<f32> + UnaryFunction<f64> + Debug>(function: F, at_minus_0: f64) {
        let mut wide = [0.0, -0.0];
        run_in_arrays(Map(&mut wide, function));
        assert_same(&wide, &[0.0, at_minus_0], function);
        let mut narrow = [0.0_f32, -0.0];
        run_in_arrays(Map(&mut narrow, function));
        assert_same(&narrow.map(f64::from), &[0.0, at_minus_0], function);
    }
    /// One that is made for a type.
    fn keeps_both(function: impl UnaryFunction<f64> + Debug) {
        let mut values = [0.0, -0.0];
        run_in_arrays(Map(&mut values, function));
        assert_same(&values, &[0.0, -0.0], function);
    }
    check(sigma::Relu, 0.0);
    check(sigma::Tanh, -0.0);
    check(sigma::Elu, -0.0);
    check(sigma::Gelu, -0.0);
    check(sigma::Silu, -0.0);
    check(GeluTanh, -0.0);
    check(Mish, -0.0);
    check(sigma::HardSwish, -0.0);
    check(sigma::Sin, -0.0);
    keeps_both(sigma::LeakyRelu(0.5));
    keeps_both(sigma::ScaledElu(1.0, 2.0));
}
