//! Derivatives of networks so small that a formula gives them.

use crate::data::{Inputs, Reduction, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::inside::clip::ClippedSum;
use crate::inside::derivatives::{Derivatives, Seed};
use crate::inside::gauss_newton::{CurvatureMatrix, CurvatureProduct};
use crate::inside::hessian::HessianProduct;
use crate::inside::moments::Statistics;
use crate::inside::tangent::Direction;
use crate::kernels::gemm::Matrix;
use crate::model::activation::Activation::{self, Identity, Sigmoid, Tanh};
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::pool::Team;

/// Calls `with` with a call for x and y of one column, and y summed over the batch.
fn with_call<R>(
    (hidden, output): (&[Activation], Activation),
    params: &[f64],
    (x, y): (&[f64], &[f64]),
    with: impl FnOnce(&Call<'_, f64>, &Targets<'_, f64>, &Architecture) -> R,
) -> R {
    let sizes = vec![1; hidden.len() + 2];
    let architecture = Architecture::new(&sizes, hidden, output, Cost::Quadratic);
    let architecture = architecture.expect("a network");
    let n = x.len();
    let inputs = Inputs::new(&architecture, Matrix::by_rows(x, n, 1)).expect("x fits");
    let targets = Targets::values(1, n, Matrix::by_rows(y, n, 1)).expect("y fits");
    let targets = targets
        .weighted(n, Reduction::Sum, None)
        .expect("no weights");
    let team = Team::assemble(1);
    let call = Call::new(Network::new(&architecture, params), inputs, &team, &|| {
        false
    });
    with(&call, &targets, &architecture)
}

fn assert_near(got: &[f64], expected: &[f64]) {
    let is_near = |(got, expected): (&f64, &f64)| (got - expected).abs() < 1e-14;
    assert!(
        got.iter().zip(expected).all(is_near),
        "{got:?}, not {expected:?}"
    );
}

/// The product of v with the Hessian, or with another matrix, for one example.
fn product(output: Activation, matrix: Option<CurvatureMatrix>, v: &[f64], y: f64) -> [f64; 2] {
    let params = [0.7, -0.2];
    with_call(
        (&[], output),
        &params,
        (&[3.0], &[y]),
        |call, targets, architecture| {
            let (direction, mut scratch) = (Network::new(architecture, v), Scratch::default());
            let mut out = [f64::NAN; 2];
            let outcome = match matrix {
                None => {
                    let product = HessianProduct {
                        targets,
                        direction,
                        stored: None,
                        errors: None,
                    };
                    call.hvp(&product, &mut scratch, &mut out)
                }
                Some(matrix) => {
                    let product = CurvatureProduct {
                        matrix,
                        targets,
                        direction,
                        stored: None,
                    };
                    call.curvature_product(&product, &mut scratch, &mut out)
                }
            };
            outcome.expect("memory");
            out
        },
    )
}

/// a, σ' and σ'' of the sigmoid at z = 0.7 · 3 − 0.2.
fn sigmoid() -> (f64, f64, f64) {
    let a = 1.0 / (1.0 + (-1.9_f64).exp());
    (a, a * (1.0 - a), a * (1.0 - a) * (1.0 - 2.0 * a))
}

/// C = ½ (w x + b − y)² has the second derivatives x², x and 1.
#[test]
fn the_hessian_of_a_linear_neuron() {
    assert_near(&product(Identity, None, &[1.0, 0.0], 5.0), &[9.0, 3.0]);
    assert_near(&product(Identity, None, &[2.0, -1.0], 5.0), &[15.0, 5.0]);
}

/// ∂²C/∂z² = σ'² + (a − y) σ''.
#[test]
fn the_hessian_of_a_sigmoid_neuron() {
    let (a, first, second) = sigmoid();
    let curvature = first * first + (a - 0.25) * second;
    let expected = [9.0 * curvature, 3.0 * curvature];
    assert_near(&product(Sigmoid, None, &[1.0, 0.0], 0.25), &expected);
}

/// Gauss–Newton leaves out the term with σ''.
#[test]
fn the_gauss_newton_matrix_of_a_sigmoid_neuron() {
    let (_, first, _) = sigmoid();
    let expected = [9.0 * first * first, 3.0 * first * first];
    let matrix = Some(CurvatureMatrix::GaussNewton);
    assert_near(&product(Sigmoid, matrix, &[1.0, 0.0], 0.25), &expected);
    assert_near(&product(Identity, matrix, &[1.0, 0.0], 5.0), &[9.0, 3.0]);
}

/// ∂C = (a − y) σ' (x, 1), and F v = ∂C (∂C · v).
#[test]
fn the_fisher_matrix_of_a_sigmoid_neuron() {
    let (a, first, _) = sigmoid();
    let delta = (a - 0.25) * first;
    let dot = 3.0 * delta * 0.5 + delta * 2.0;
    let got = product(
        Sigmoid,
        Some(CurvatureMatrix::EmpiricalFisher),
        &[0.5, 2.0],
        0.25,
    );
    assert_near(&got, &[3.0 * delta * dot, delta * dot]);
}

/// The outputs and their derivative along a direction, for W = 0.5, b = 0.1 and then W = −2, b = 0.3.
fn tangent(params: Option<[f64; 4]>, x: Option<[f64; 1]>) -> [f64; 2] {
    let numbers = [0.5, 0.1, -2.0, 0.3];
    with_call(
        (&[Tanh], Identity),
        &numbers,
        (&[1.5], &[0.0]),
        |call, _, architecture| {
            let (mut a, mut tangent_a) = ([f64::NAN], [f64::NAN]);
            let direction = Direction {
                params: params.as_ref().map(|v| Network::new(architecture, v)),
                x: x.as_ref().map(|x| &x[..]),
            };
            let outcome = call.jvp(
                direction,
                None,
                &mut Scratch::default(),
                &mut a,
                &mut tangent_a,
            );
            outcome.expect("memory");
            [a[0], tangent_a[0]]
        },
    )
}

/// −2 tanh'(z) 0.5 ẋ.
#[test]
fn a_tangent_along_x() {
    let a = 0.85_f64.tanh();
    let expected = [0.3 - 2.0 * a, -2.0 * (1.0 - a * a) * 0.5 * 4.0];
    assert_near(&tangent(None, Some([4.0])), &expected);
}

/// −2 tanh'(z) (ẇ x + ḃ) + ẇ a + ḃ, and the part of x beside it.
#[test]
fn a_tangent_along_parameters() {
    let a = 0.85_f64.tanh();
    let slope = 1.0 - a * a;
    let along = -2.0 * slope * (0.2 * 1.5 + 0.7) + 3.0 * a - 1.0;
    let params = Some([0.2, 0.7, 3.0, -1.0]);
    assert_near(&tangent(params, None)[1..], &[along]);
    let both = along - 2.0 * slope * 0.5 * 4.0;
    assert_near(&tangent(params, Some([4.0]))[1..], &[both]);
}

/// Σ_x (δ x)² and Σ_x δ² of a linear neuron with w = 0, b = 0.
fn squares(seed: Option<&[f64]>) -> [f64; 2] {
    let (x, y) = (&[1.0, -2.0], &[3.0, 0.5]);
    with_call((&[], Identity), &[0.0, 0.0], (x, y), |call, targets, _| {
        let seed = seed.map_or(Seed::Cost(targets), Seed::Output);
        let derivatives = Derivatives { seed, stored: None };
        let (mut out, mut scratch) = ([f64::NAN; 2], Scratch::default());
        let outcome = call.squared_gradients(derivatives, &mut scratch, &mut out);
        outcome.expect("memory");
        out
    })
}

/// δ = −y.
#[test]
fn squared_gradients_of_a_cost() {
    assert_near(&squares(None), &[9.0 + 1.0, 9.0 + 0.25]);
}

/// δ = v.
#[test]
fn squared_gradients_of_given_errors() {
    assert_near(&squares(Some(&[2.0, -3.0])), &[4.0 + 36.0, 4.0 + 9.0]);
}

/// Mean, variance and standard deviation of (−3, −3) and (1, −0.5), and Σ `C_x`.
#[test]
fn statistics_of_two_gradients() {
    let (x, y) = (&[1.0, -2.0], &[3.0, 0.5]);
    with_call((&[], Identity), &[0.0, 0.0], (x, y), |call, targets, _| {
        let seed = Seed::Cost(targets);
        let derivatives = Derivatives { seed, stored: None };
        let [mut mean, mut variance, mut deviation] = [[f64::NAN; 2]; 3];
        let statistics = Statistics {
            mean: &mut mean,
            variance: &mut variance,
            deviation: &mut deviation,
        };
        let outcome = call.gradient_statistics(derivatives, &mut Scratch::default(), statistics);
        assert_near(&[outcome.expect("memory")], &[4.5 + 0.125]);
        assert_near(&mean, &[-1.0, -1.75]);
        assert_near(&variance, &[8.0, 3.125]);
        assert_near(&deviation, &[8.0_f64.sqrt(), 3.125_f64.sqrt()]);
    });
}

/// The clipped sum and the norms of (−y x, −y), for x = 0.75 and x = 0, y = 4 and y = 1.
fn clipped(max_norm: f64) -> ([f64; 2], [f64; 2]) {
    let (x, y) = (&[0.75, 0.0], &[4.0, 1.0]);
    with_call((&[], Identity), &[0.0, 0.0], (x, y), |call, targets, _| {
        let derivatives = Derivatives {
            seed: Seed::Cost(targets),
            stored: None,
        };
        let sum = ClippedSum {
            max_norm,
            is_empty: false,
            noise: None,
            divisor: Some(1.0),
        };
        let (mut out, mut norms) = ([f64::NAN; 2], [f64::NAN; 2]);
        let mut scratch = Scratch::default();
        let outcome = call.clipped(derivatives, sum, &mut scratch, &mut out);
        outcome.expect("memory");
        let outcome = call.per_example_norms(&derivatives, &mut scratch, &mut norms);
        outcome.expect("memory");
        (out, norms)
    })
}

/// (−3, −4) has the norm 5 and becomes (−1.2, −1.6); (0, −1) has the norm 1 and stays.
#[test]
fn a_long_gradient_is_scaled_and_a_short_one_is_not() {
    let (sum, norms) = clipped(2.0);
    assert_near(&norms, &[5.0, 1.0]);
    assert_near(&sum, &[-1.2, -2.6]);
}

/// Also where the factor is below all normal numbers.
#[test]
fn all_gradients_are_scaled_to_a_tiny_norm() {
    assert_near(&clipped(f64::INFINITY).0, &[-3.0, -5.0]);
    let (sum, _) = clipped(1e-300);
    assert_near(&sum.map(|number| number * 1e300), &[-0.6, -1.8]);
}
