//! Hashes of results, bit by bit: every machine with fused multiply-add computes the same ones.

use bpfast::base::cancel::CancelToken;
use bpfast::base::random::permutation;
use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::engine::optimizer::ParamsAndState;
use bpfast::kernels::gemm::Matrix;
use bpfast::kernels::simd::level;
use bpfast::pool::Team;
use bpfast::train::monitor::Monitors;
use bpfast::train::{Report, Settings, StepSeries, TrainScratch};
use bpfast::{Architecture, Network, Real};

use super::bits_cases::{CASES, Case};

/// FNV-1a over the bits of numbers; float32 converts to float64 without a change.
pub struct Hash(pub u64);

impl Hash {
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub fn add<T: Real>(&mut self, values: &[T]) {
        for value in values {
            for byte in value.to_f64().to_bits().to_le_bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}

/// Pseudorandom multiples of 2^−23 in (−1, 1), exact in float32.
pub fn numbers(seed: u64, length: usize) -> impl Iterator<Item = f64> {
    let mut state = seed;
    let next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let bits = u32::try_from(state >> 40).expect("24 bits");
        f64::from(bits) / f64::from(1_u32 << 23) - 1.0
    };
    std::iter::repeat_with(next).take(length)
}

/// The hashes of forward, backprop and training.
fn hashes<T: Real>(case: &Case) -> [u64; 3] {
    let architecture = Architecture::new(case.sizes, case.hidden, case.output, case.cost);
    let architecture = &architecture.expect("a network");
    let (n, width, outputs) = (case.n, architecture.n_inputs(), architecture.n_outputs());
    let widest = u32::try_from(architecture.widest()).expect("small");
    // Small enough that no neuron saturates.
    let scale = 2.0 / f64::from(widest).sqrt();
    let params = numbers(1, architecture.n_params()).map(|p| T::from_f64(scale * p));
    let mut params: Vec<T> = params.collect();
    let x: Vec<T> = numbers(2, n * width).map(T::from_f64).collect();
    let y = numbers(3, n * outputs).map(|y| T::from_f64(y.abs()));
    let y: Vec<T> = y.collect();
    let inputs = Inputs::new(architecture, Matrix::by_rows(&x, n, width)).expect("x fits");
    let targets = Targets::values(outputs, n, Matrix::by_rows(&y, n, outputs)).expect("y fits");
    let team = &Team::assemble(2);
    let never = &|| false;

    let call = Call::new(Network::new(architecture, &params), inputs, team, never);
    let mut scratch = Scratch::default();
    let mut a = vec![T::ZERO; n * outputs];
    call.forward(&mut scratch, &mut a).expect("memory");
    let mut forward = Hash::new();
    forward.add(&a);

    let mut gradient = vec![T::ZERO; params.len()];
    let cost = call.backprop(&targets, &mut scratch, &mut gradient);
    let mut backprop = Hash::new();
    backprop.add(&[cost.expect("memory")]);
    backprop.add(&gradient);

    // Three epochs, whose last mini-batches are smaller.
    let mut order = vec![0; n];
    permutation(4, 0, &mut order, &CancelToken::none());
    let settings = Settings {
        l2: 0.01,
        dropout: vec![0.2; case.hidden.len()],
        seed: 5,
        ..Settings::new(case.rule, n.div_ceil(3).max(1))
    };
    let mut state = vec![vec![T::ZERO; params.len()]; case.rule.n_states()];
    let mut report = Report::default();
    let mut train_scratch = TrainScratch::default();
    let mut monitors = Monitors::default();
    for epoch in 0..3 {
        let steps = n.div_ceil(settings.batch_size);
        let series = StepSeries {
            architecture,
            settings: &settings,
            inputs,
            targets,
            costs: None,
            order: &order,
            rates: &vec![0.01; steps],
            steps_before: epoch * steps as u64,
            team,
            should_cancel: never,
        };
        let state = state.iter_mut().map(Vec::as_mut_slice);
        let params_and_state = ParamsAndState::new(&mut params, state);
        series
            .run(
                &mut train_scratch,
                &mut monitors,
                params_and_state,
                &mut report,
            )
            .expect("memory");
    }
    assert!(!report.diverged, "{:?}", case.sizes);
    let mut training = Hash::new();
    training.add(&params);
    training.add(&[report.cost.total().over(1.0)]);
    for values in &state {
        training.add(values);
    }
    [forward.0, backprop.0, training.0]
}

pub fn every_machine_computes_the_same_bits() {
    let level = level().expect("a level of this machine");
    if !level.is_fused() {
        return; // sums are rounded differently
    }
    let mut differences = Vec::new();
    for (at, case) in CASES.iter().enumerate() {
        let computed = [hashes::<f32>(case), hashes::<f64>(case)];
        for (dtype, (computed, recorded)) in computed.iter().zip(case.hashes).enumerate() {
            let names = ["forward", "backprop", "training"];
            for ((name, computed), recorded) in names.iter().zip(computed).zip(recorded) {
                let dtype = ["float32", "float64"][dtype];
                println!("{:?} {dtype} {name}: {computed:#018x}", case.sizes);
                if *computed != recorded {
                    differences.push(format!("case {at}, {dtype}, {name}: {computed:#018x}"));
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{}:\n{}",
        level.name(),
        differences.join("\n")
    );
}
