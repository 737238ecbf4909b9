//! The networks whose bits are recorded.

use bpfast::engine::optimizer::Rule;
use bpfast::model::activation::Parameter;
use bpfast::{Activation, Cost};

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
pub struct Case {
    pub sizes: &'static [usize],
    pub hidden: &'static [Activation],
    pub output: Activation,
    pub cost: Cost,
    pub n: usize,
    pub rule: Rule,
    /// The hashes of forward, backprop and training, in float32 and in float64.
    pub hashes: [[u64; 3]; 2],
}

const NESTEROV: Rule = Rule::Sgd {
    momentum: 0.9,
    nesterov: true,
};
const ADAMW: Rule = Rule::Adam {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    decay: 0.01,
};

/// Together: every activation and cost, products of one row, of few columns, of several blocks in each
/// direction, and tiles that are not full.
pub const CASES: [Case; 10] = [
    Case {
        sizes: &[784, 30, 10],
        hidden: &[Sigmoid],
        output: Sigmoid,
        cost: Cost::CrossEntropy,
        n: 37,
        rule: Rule::SGD,
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
        rule: ADAMW,
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
        rule: NESTEROV,
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
        rule: ADAMW,
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
        rule: ADAMW,
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
        rule: NESTEROV,
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
        rule: ADAMW,
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
        rule: ADAMW,
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
