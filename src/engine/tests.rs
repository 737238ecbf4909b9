//! The gradient compared with plain loops, and its bits at any number of threads.

use crate::base::error::ErrorKind;
use crate::data::{Inputs, Reduction, Targets};
use crate::engine::batch::{Call, Scratch};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::pool::Team;

/// Pseudorandom values in (−1, 1), the same on every machine.
fn numbers<T: Real>(seed: u64, length: usize) -> Vec<T> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let bits = u32::try_from(state >> 40).expect("24 bits");
        f64::from(bits) / f64::from(1_u32 << 23) - 1.0
    };
    (0..length).map(|_| T::from_f64(next())).collect()
}

/// C and its gradient for a batch of `n` examples, written over NaN.
fn backprop<T: Real>(architecture: &Architecture, n: usize, threads: usize) -> (f64, Vec<T>) {
    backprop_after(&mut Scratch::default(), architecture, n, threads)
}

/// The same with buffers that other calls have used.
fn backprop_after<T: Real>(
    scratch: &mut Scratch<T>,
    architecture: &Architecture,
    n: usize,
    threads: usize,
) -> (f64, Vec<T>) {
    let (width, outputs) = (architecture.sizes()[0], architecture.n_outputs());
    let params: Vec<T> = numbers(1, architecture.n_params());
    let (x, y): (Vec<T>, Vec<T>) = (numbers(2, n * width), numbers(3, n * outputs));
    let x = Matrix::by_rows(&x, n, width);
    let y = Matrix::by_rows(&y, n, outputs);
    let inputs = Inputs::new(architecture, x).expect("x fits");
    let targets = Targets::values(outputs, n, y).expect("y fits");
    let team = Team::assemble(threads);
    let call = Call::new(Network::new(architecture, &params), inputs, &team, &|| {
        false
    });
    let mut gradient = vec![T::from_f64(f64::NAN); params.len()];
    let cost = call
        .backprop(&targets, scratch, &mut gradient)
        .expect("nobody interrupts");
    (cost, gradient)
}

fn one_layer(n_in: usize, n_out: usize) -> Architecture {
    let (output, cost) = (Activation::Identity, Cost::Quadratic);
    Architecture::new(&[n_in, n_out], &[], output, cost).expect("a network")
}

/// A layer of identity neurons, computed with plain loops: z = W a + b, δ = (z − y)/n.
fn by_loops<T: Real>(n_in: usize, n_out: usize, n: usize) -> Vec<f64> {
    let number = |value: T| value.to_f64();
    let params: Vec<f64> = numbers(1, (n_in + 1) * n_out)
        .into_iter()
        .map(number)
        .collect();
    let x: Vec<f64> = numbers(2, n * n_in).into_iter().map(number).collect();
    let y: Vec<f64> = numbers(3, n * n_out).into_iter().map(number).collect();
    let mut gradient = vec![0.0; params.len()];
    for row in 0..n {
        for j in 0..n_out {
            let z = (0..n_in).fold(params[n_in * n_out + j], |z, k| {
                z + x[row * n_in + k] * params[k * n_out + j]
            });
            let samples = u32::try_from(n).expect("few");
            let delta = (z - y[row * n_out + j]) / f64::from(samples);
            for k in 0..n_in {
                gradient[k * n_out + j] += x[row * n_in + k] * delta;
            }
            gradient[n_in * n_out + j] += delta;
        }
    }
    gradient
}

fn agree<T: Real>(tolerance: f64) {
    // Around the sizes of tiles (4, 8, 16 and 32) and of a chunk (16 or 64 rows).
    const EDGES: [usize; 9] = [1, 3, 7, 8, 9, 16, 17, 33, 65];
    for n_in in EDGES {
        for n_out in EDGES {
            for n in [1, 5, 16, 65] {
                let (_, got) = backprop::<T>(&one_layer(n_in, n_out), n, 1);
                let expected = by_loops::<T>(n_in, n_out, n);
                let norm = expected.iter().map(|w| w * w).sum::<f64>().sqrt();
                let errors = got
                    .iter()
                    .zip(&expected)
                    .map(|(g, w)| (g.to_f64() - w).powi(2));
                let error = errors.sum::<f64>().sqrt();
                assert!(
                    error <= tolerance * norm,
                    "{n_in} {n_out} {n}: {error} of {norm}"
                );
            }
        }
    }
}

#[test]
fn products_of_every_size_agree_with_loops() {
    agree::<f64>(1e-12); // as docs/numerics.md promises
    agree::<f32>(1e-5);
}

/// Networks and batches that are divided in every way: groups, one block, several blocks.
fn cut() -> [(Architecture, usize); 4] {
    let architecture = |sizes: &[usize]| {
        let hidden = [Activation::Tanh, Activation::Gelu];
        let (output, cost) = (Activation::Softmax, Cost::LogLikelihood);
        Architecture::new(sizes, &hidden, output, cost).expect("a network")
    };
    // More than 2^17 parameters make blocks, here of 4096 rows (src/engine/plan.rs).
    let large = [2, 400, 330, 3];
    [
        (architecture(&[20, 30, 40, 5]), 5000),
        (architecture(&[20, 30, 40, 5]), 300),
        (architecture(&large), 600),
        (architecture(&large), 4200),
    ]
}

fn bits((cost, gradient): (f64, Vec<f32>)) -> (u64, Vec<u32>) {
    let gradient = gradient.into_iter().map(f32::to_bits).collect();
    (cost.to_bits(), gradient)
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    for (architecture, n) in cut() {
        let alone = bits(backprop(&architecture, n, 1));
        for threads in [2, 3, 8] {
            let found = bits(backprop(&architecture, n, threads));
            assert!(found == alone, "{n} rows, {threads} threads");
        }
    }
}

#[test]
fn bits_do_not_depend_on_previous_calls() {
    let mut scratch = Scratch::default();
    for turn in 0..2 {
        for (architecture, n) in cut() {
            for threads in [2, 1] {
                let found = bits(backprop_after(&mut scratch, &architecture, n, threads));
                let fresh = bits(backprop(&architecture, n, threads));
                assert!(found == fresh, "turn {turn}: {n} rows, {threads} threads");
            }
        }
    }
}

/// A small batch is divided by neurons, a large one by rows.
#[test]
fn an_example_has_the_same_bits_alone_and_in_a_batch() {
    use Activation::{Sigmoid, Softmax};
    let (hidden, cost) = ([Activation::Tanh; 2], Cost::CrossEntropy);
    for (sizes, output) in [
        ([700, 901, 300, 5], Softmax),
        ([3, 2, 4, 1], Sigmoid),
        ([40, 5000, 70, 200], Softmax),
    ] {
        let architecture = Architecture::new(&sizes, &hidden, output, cost).expect("a network");
        let (width, outputs) = (sizes[0], sizes[3]);
        let params: Vec<f32> = numbers(1, architecture.n_params());
        let x: Vec<f32> = numbers(2, 3 * width);
        let forward = |x: &[f32], threads: usize| {
            let n = x.len() / width;
            let x = Matrix::by_rows(x, n, width);
            let inputs = Inputs::new(&architecture, x).expect("x fits");
            let team = Team::assemble(threads);
            let mut out = vec![f32::NAN; n * outputs];
            Call::new(Network::new(&architecture, &params), inputs, &team, &|| {
                false
            })
            .forward(&mut Scratch::default(), &mut out)
            .expect("nobody interrupts");
            bits((0.0, out)).1
        };
        let batch = forward(&x, 1);
        for threads in [1, 2, 3, 8] {
            let rows = x
                .chunks(width)
                .flat_map(|row| forward(row, threads))
                .collect::<Vec<_>>();
            assert!(rows == batch, "{sizes:?}, {threads} threads");
            assert!(
                forward(&x, threads) == batch,
                "{sizes:?}, {threads} threads"
            );
        }
    }
}

#[test]
fn a_cancelled_call_returns_an_error() {
    let architecture = one_layer(2000, 2000);
    let params: Vec<f64> = numbers(1, architecture.n_params());
    let x: Vec<f64> = numbers(2, 4000 * 2000);
    let x = Matrix::by_rows(&x, 4000, 2000);
    let inputs = Inputs::new(&architecture, x).expect("x fits");
    // `should_cancel` is called every 25 ms; the call would take ten times as long.
    let team = Team::alone();
    let call = Call::new(Network::new(&architecture, &params), inputs, &team, &|| {
        true
    });
    let mut out = vec![f64::NAN; 4000 * 2000];
    let error = call
        .forward(&mut Scratch::default(), &mut out)
        .expect_err("the answer was to stop");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn extreme_sample_weights() {
    let y = [0.0, 0.0];
    let y = Matrix::by_rows(&y, 2, 1);
    for weight in [1e308, 1.0, 1e-308] {
        let targets = Targets::values(1, 2, y).expect("y fits");
        let weights = [weight, 0.0];
        let targets = targets.weighted(2, Reduction::Mean, Some(&weights));
        let total = targets.expect("a mean").total(&[50.0, 7.0]);
        assert!((total - 50.0).abs() < 1e-12, "{weight}: {total}");
    }
}
