//! Taylor mode against central differences, on threads and in several chunks.

use crate::data::{Inputs, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::inside::taylor::{Directions, Nabla, Series, TaylorCost};
use crate::kernels::gemm::Matrix;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::pool::Team;

/// Numbers that look random, between −1 and 1.
fn numbers(length: usize, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    };
    (0..length).map(next).collect()
}

struct Problem {
    architecture: Architecture,
    params: Vec<f64>,
    n: usize,
    x: Vec<f64>,
    directions: Vec<f64>,
}

const K: usize = 2;

impl Problem {
    fn new(sizes: &[usize], activation: Activation, n: usize) -> Self {
        let hidden = vec![activation; sizes.len() - 2];
        let architecture = Architecture::new(sizes, &hidden, Activation::Identity, Cost::Quadratic);
        let architecture = architecture.expect("a network");
        let width = architecture.n_inputs();
        Self {
            params: numbers(architecture.n_params(), 1),
            n,
            x: numbers(n * width, 2),
            directions: numbers(K * width, 3),
            architecture,
        }
    }

    /// a^L and its derivatives, and, for `nabla` = 1 by each of them, the gradient of the sum over the batch.
    fn run(&self, threads: usize) -> (Vec<f64>, Vec<f64>) {
        let Self {
            architecture,
            params,
            n,
            x,
            directions,
        } = self;
        let width = architecture.n_inputs();
        let inputs = Inputs::new(architecture, Matrix::by_rows(x, *n, width)).expect("x");
        let directions = Directions::new(width, *n, &[K, width], directions).expect("directions");
        let series = Series::new(architecture, directions, 2).expect("smooth");
        let team = Team::assemble(threads);
        let call = Call::new(Network::new(architecture, params), inputs, &team, &|| false);
        let (length, mut scratch) = (n * architecture.n_outputs(), Scratch::default());
        let mut out = vec![0.0; length * (1 + 2 * K)];
        let (value, derivatives) = out.split_at_mut(length);
        let (first, second) = derivatives.split_at_mut(K * length);
        let done = call.taylor(&series, &mut scratch, value, [first, second]);
        done.expect("no interrupt");
        let ones = vec![1.0; K * length];
        let targets = Targets::none(*n);
        let cost = TaylorCost {
            series,
            nabla: Nabla {
                value: Some(&ones[..length]),
                first: Some(&ones),
                second: Some(&ones),
            },
            targets: &targets,
        };
        let mut gradient = vec![0.0; params.len()];
        let done = call.backprop_taylor(&cost, &mut scratch, &mut gradient);
        done.expect("no interrupt");
        (out, gradient)
    }
}

#[test]
fn the_gradient_is_that_of_the_sum() {
    for activation in Activation::ALL.into_iter().filter(|a| a.is_smooth()) {
        for (sizes, n) in [(&[2, 5, 4, 3][..], 9), (&[3, 17, 2], 700), (&[1, 1], 3)] {
            let mut problem = Problem::new(sizes, activation, n);
            let (_, gradient) = problem.run(1);
            #[allow(clippy::cast_precision_loss)]
            let divisor = n as f64;
            for at in (0..problem.params.len()).step_by(7) {
                let (start, h) = (problem.params[at], 1e-5);
                let mut sum_at = |value: f64| {
                    problem.params[at] = value;
                    problem.run(1).0.iter().sum::<f64>()
                };
                let slope = (sum_at(start + h) - sum_at(start - h)) / (2.0 * h * divisor);
                problem.params[at] = start;
                assert!(
                    (gradient[at] - slope).abs() <= 1e-6 * (1.0 + slope.abs()),
                    "{activation:?}, {sizes:?}, {at}: {}, not {slope}",
                    gradient[at]
                );
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    for (sizes, n) in [(&[2, 50, 50, 1][..], 1500), (&[3, 400, 350, 2], 60)] {
        let problem = Problem::new(sizes, Activation::Tanh, n);
        let expected = problem.run(1);
        for threads in [2, 3, 8] {
            assert_eq!(
                problem.run(threads),
                expected,
                "{sizes:?}, {threads} threads"
            );
        }
    }
}
