//! Hashes of results, bit by bit: every machine with fused multiply-add computes the same ones.

use bpfast::base::cancel::CancelToken;
use bpfast::base::random::permutation;
use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::engine::optimizer::{ParamsAndState, Rule};
use bpfast::kernels::gemm::Matrix;
use bpfast::kernels::simd::level;
use bpfast::model::activation::Parameter;
use bpfast::pool::Team;
use bpfast::train::monitor::Monitors;
use bpfast::train::{Report, Settings, StepSeries, TrainScratch};
use bpfast::{Activation, Architecture, Cost, Network, Real};

use Activation::{
    Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, Mish, Relu, Selu, Sigmoid, Silu, Sin,
    Softmax, Softplus, Tanh,
};

const LEAKY: Activation = Activation::LeakyRelu(parameter(0.2));
const STEEP_ELU: Activation = Activation::Elu(parameter(1.5));

const fn parameter(value: f64) -> Parameter {
    Parameter::new(value).expect("a positive number")
}

/// A network, its batch, and the optimizer that trains it.
struct Case {
    sizes: &'static [usize],
    hidden: &'static [Activation],
    output: Activation,
    cost: Cost,
    n: usize,
    rule: Rule,
    /// The hashes of forward, backprop and training, in float32 and in float64.
    hashes: [[u64; 3]; 2],
}

const MOMENTUM: Rule = Rule::Sgd {
    momentum: 0.9,
    nesterov: true,
};
const ADAM: Rule = Rule::Adam {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    decay: 0.01,
};

/// Together: every activation and cost, products of one row, of few columns, of several blocks in each
/// direction, and tiles that are not full.
const CASES: [Case; 10] = [
    Case {
        sizes: &[784, 30, 10],
        hidden: &[Sigmoid],
        output: Sigmoid,
        cost: Cost::CrossEntropy,
        n: 37,
        rule: Rule::Sgd {
            momentum: 0.0,
            nesterov: false,
        },
        hashes: [
            [
                0xac3c_4117_b502_6a35,
                0x4cde_0cd1_b837_733f,
                0xf0b2_89bb_e1a1_4c5a,
            ],
            [
                0x5ba0_0203_92b1_7718,
                0x0efd_4397_cea2_2677,
                0x637a_eef6_18dd_0f56,
            ],
        ],
    },
    Case {
        sizes: &[64, 96, 50, 10],
        hidden: &[Relu, Activation::LEAKY_RELU],
        output: Softmax,
        cost: Cost::LogLikelihood,
        n: 130,
        rule: ADAM,
        hashes: [
            [
                0x480f_1e28_00a1_2a1f,
                0x52c3_7720_4b7e_4564,
                0x1441_fdd3_7613_d181,
            ],
            [
                0x8e9a_4949_ee8e_7702,
                0xda77_6725_ceb4_ee40,
                0x93e6_e095_b47e_9610,
            ],
        ],
    },
    Case {
        sizes: &[2, 33, 31, 1],
        hidden: &[Tanh, Tanh],
        output: Identity,
        cost: Cost::Quadratic,
        n: 1100,
        rule: MOMENTUM,
        hashes: [
            [
                0x8292_e4ca_242a_7de0,
                0x6575_1a7d_d3b0_0000,
                0x65f3_bd2f_8e7f_614e,
            ],
            [
                0x8cd9_f2d4_0e50_2eaa,
                0x433f_bc0b_c310_7fc0,
                0x21c2_54f1_e756_d1e6,
            ],
        ],
    },
    Case {
        sizes: &[9, 40, 23, 3],
        hidden: &[Gelu, Silu],
        output: Softplus,
        cost: Cost::Poisson,
        n: 65,
        rule: Rule::RmsProp {
            alpha: 0.99,
            epsilon: 1e-8,
        },
        hashes: [
            [
                0x2290_c941_7138_2ced,
                0x17c0_f8c0_774a_4567,
                0x7e4c_3444_96e1_ad1a,
            ],
            [
                0x3cc5_74f1_27e5_7e23,
                0xb7b9_e71a_ab37_7812,
                0x0365_d3db_710b_b1c9,
            ],
        ],
    },
    Case {
        sizes: &[17, 29, 13, 5],
        hidden: &[Activation::ELU, Softplus],
        output: Tanh,
        cost: Cost::Huber,
        n: 50,
        rule: Rule::Adagrad { epsilon: 1e-10 },
        hashes: [
            [
                0x7bde_281e_def8_abde,
                0xb50b_4ac1_fcaa_edb8,
                0xa348_07b1_8a76_7034,
            ],
            [
                0x8fa9_3200_54ea_85ea,
                0xe41d_71d4_9e49_b8a7,
                0x0caa_d034_6e17_4fa3,
            ],
        ],
    },
    Case {
        sizes: &[4, 32, 16, 4],
        hidden: &[Tanh, Sigmoid],
        output: Identity,
        cost: Cost::Absolute,
        n: 301,
        rule: ADAM,
        hashes: [
            [
                0xdf37_da3b_63e0_c87c,
                0x4d5e_2f0b_7b47_bc2f,
                0xdbfe_9ba9_f34b_7802,
            ],
            [
                0xe5e7_6b2c_8c40_5548,
                0x4609_e410_6227_71f3,
                0x2b21_f243_5a7d_a097,
            ],
        ],
    },
    Case {
        sizes: &[8, 64, 64, 4],
        hidden: &[Relu, Tanh],
        output: Softmax,
        cost: Cost::CrossEntropy,
        n: 1,
        rule: ADAM,
        hashes: [
            [
                0xabf2_6241_c849_644a,
                0x0fad_9bcd_3823_78f7,
                0x9af9_e3f5_efff_104e,
            ],
            [
                0xb15c_5c4b_b180_454e,
                0xb6e6_60a5_4587_9d79,
                0x32e8_ed1c_d050_cafb,
            ],
        ],
    },
    Case {
        sizes: &[520, 300, 27],
        hidden: &[Silu],
        output: Softplus,
        cost: Cost::Quadratic,
        n: 100,
        rule: MOMENTUM,
        hashes: [
            [
                0x5db6_61f4_9c29_f416,
                0x6c15_ac3e_4c6b_dc55,
                0xdef4_444f_6b92_8849,
            ],
            [
                0x3cff_17fc_732c_1898,
                0x03fb_ebe1_be5d_366b,
                0x6533_1592_0fff_c52c,
            ],
        ],
    },
    Case {
        sizes: &[1300, 70],
        hidden: &[],
        output: Sigmoid,
        cost: Cost::Quadratic,
        n: 40,
        rule: ADAM,
        hashes: [
            [
                0xce34_dcdc_e329_f4de,
                0x833a_7f63_a369_7207,
                0xc34f_94e6_0b4e_8152,
            ],
            [
                0xae76_000f_072d_5806,
                0x6c3e_232d_7c96_8ec3,
                0x9322_1c2f_138f_96b3,
            ],
        ],
    },
    Case {
        sizes: &[12, 21, 18, 17, 16, 19, 20, 15, 4],
        hidden: &[
            LEAKY,
            GeluTanh,
            Mish,
            Selu,
            HardSwish,
            HardSigmoid,
            STEEP_ELU,
        ],
        output: Sin,
        cost: Cost::Quadratic,
        n: 90,
        rule: ADAM,
        hashes: [
            [
                0x38d6_3f22_5bcd_aa58,
                0x835b_8a20_6530_c94e,
                0x22d2_6f75_a564_a842,
            ],
            [
                0xeac7_fa00_86d4_809f,
                0x08e8_0a3f_ce57_34df,
                0x4895_9856_aa69_624c,
            ],
        ],
    },
];

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
        rule: case.rule,
        weight_decay: 0.0,
        l2: 0.01,
        l1: 0.0,
        clip_norm: None,
        max_norm: None,
        dropout: vec![0.2; case.hidden.len()],
        seed: 5,
        batch_size: n.div_ceil(3).max(1),
        check_finite: true,
    };
    let mut state = vec![vec![T::ZERO; params.len()]; case.rule.state()];
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
    training.add(&[report.cost.total()]);
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
