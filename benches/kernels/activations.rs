//! The time of σ(z) and of δ ⊙ σ'(z), in nanoseconds per neuron, on one core.
//!
//! `cargo bench --features bench --bench activations` prints a table; arguments after `--` are names of
//! activations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bpfast::base::cancel::CancelToken;
use bpfast::{Activation, Real};

/// Two slices of this many neurons stay in the L1 cache.
const NEURONS: usize = 1024;
/// How long a sample lasts.
const SAMPLE: Duration = Duration::from_millis(2);
const ROUNDS: usize = 31;

const ACTIVATIONS: [(&str, Activation); 11] = [
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("relu", Activation::Relu),
    ("elu", Activation::ELU),
    ("gelu", Activation::Gelu),
    ("gelu_tanh", Activation::GeluTanh),
    ("silu", Activation::Silu),
    ("mish", Activation::Mish),
    ("softplus", Activation::Softplus),
    ("hard_swish", Activation::HardSwish),
    ("sin", Activation::Sin),
];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "{:<12} {:>12} {:>12} {:>12} {:>12}",
        "", "σ, f32", "σ', f32", "σ, f64", "σ', f64"
    );
    for (name, activation) in ACTIVATIONS {
        let is_filtered = ACTIVATIONS
            .iter()
            .any(|(name, _)| asked.iter().any(|word| word == name));
        if is_filtered && !asked.iter().any(|word| word == name) {
            continue;
        }
        let [single, single_derivative] = times::<f32>(activation);
        let [double, double_derivative] = times::<f64>(activation);
        println!(
            "{name:<12} {single:>12.3} {single_derivative:>12.3} {double:>12.3} {double_derivative:>12.3}"
        );
    }
}

/// The nanoseconds of σ and of σ' for a neuron, each the shortest of some samples.
fn times<T: Real>(activation: Activation) -> [f64; 2] {
    let z: Vec<T> = (0..NEURONS)
        .map(|index| {
            let index = u32::try_from(index * 37 % NEURONS).expect("a small number");
            T::from_f64(f64::from(index) / 100.0 - 5.0)
        })
        .collect();
    let mut a = z.clone();
    let cancel = CancelToken::none();
    activation.apply(&mut a, NEURONS, &cancel);
    let mut out = z.clone();
    let forward = shortest(|| {
        out.copy_from_slice(black_box(&z));
        activation.apply(&mut out, NEURONS, &cancel);
        black_box(&mut out);
    });
    let backward = shortest(|| {
        out.copy_from_slice(black_box(&z));
        activation.vjp(&mut out, &a, &z, NEURONS, &cancel);
        black_box(&mut out);
    });
    [forward, backward]
}

/// The shortest sample of `work`, in nanoseconds per neuron.
#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn shortest(mut work: impl FnMut()) -> f64 {
    let mut sample = || {
        let (start, mut calls) = (Instant::now(), 0_usize);
        while start.elapsed() < SAMPLE {
            for _ in 0..16 {
                work();
            }
            calls += 16;
        }
        start.elapsed().as_secs_f64() * 1e9 / (calls * NEURONS) as f64
    };
    let mut samples: Vec<f64> = (0..ROUNDS).map(|_| sample()).collect();
    samples.sort_by(f64::total_cmp);
    samples[0]
}
