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
                0x7492_0274_0031_d7b5,
                0xbcb4_7a78_0e87_1991,
                0x892c_72f5_ab04_6b91,
            ],
            [
                0xd438_2cb4_0e13_7230,
                0xfbec_df3b_4e12_145b,
                0x2dbe_6830_a7d5_e3d8,
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
                0xabaf_a60a_09e8_5be6,
                0x3bc1_8f58_23c1_4c11,
                0x6c6c_571e_e121_9c6a,
            ],
            [
                0x4a1e_77a3_d110_f365,
                0x93ab_fb83_b8ef_a18a,
                0xf914_d44a_c973_9ba0,
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
                0x9129_3751_7c65_8172,
                0xec5b_d7ea_bb4a_8ac0,
                0x5d70_a2ad_7c92_5536,
            ],
            [
                0x1d21_0401_4782_088c,
                0xb0a9_75b9_c67a_0950,
                0xaef5_4731_7dbf_0203,
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
                0x4cf7_3b2d_d3a8_61ad,
                0xaa26_8366_aa70_124c,
                0xe8b4_abb1_0c30_e6e3,
            ],
            [
                0x6a54_47e7_e50a_3a32,
                0x9216_c041_d1bd_76ba,
                0x142c_1e10_39c0_d77a,
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
                0x44c6_5bad_35b3_1c07,
                0xe358_7e1d_7522_2d24,
                0x0772_2fe6_11bc_8a34,
            ],
            [
                0x58cf_74de_000b_a5fe,
                0xff30_3a1e_b279_1b1a,
                0x0bfc_3bb5_849f_c325,
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
                0xbe56_ac8e_cac8_0038,
                0xc388_eaa5_c199_f5b7,
                0x4e98_7baf_347c_cf51,
            ],
            [
                0x93a2_d3a3_5a9e_e296,
                0x1342_8536_6ea6_dec4,
                0xa9a1_2ea9_d4ed_bdf6,
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
                0x125d_8a18_128b_a749,
                0x7be2_cb63_2ca8_4690,
                0x3a01_ecb5_f033_22da,
            ],
            [
                0xb15c_5c4b_b180_454e,
                0xb6e6_60a5_4587_9d79,
                0x3ad7_96c9_7177_ee48,
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
                0xe2d8_e383_d994_2dd9,
                0xe6d7_9d28_dbd1_552f,
                0xc6ef_7701_78df_40b6,
            ],
            [
                0x3d32_6ce1_503d_2988,
                0x67e4_dfcd_3f78_257a,
                0x22c8_aeb0_45a0_f37b,
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
                0xee9b_4d4e_07cb_e9ba,
                0xfb90_1a58_31aa_7769,
                0x8403_a987_58b3_beed,
            ],
            [
                0x06da_3ad0_857a_49b9,
                0x2992_f1eb_3c5f_33c8,
                0xda68_ab35_6c2a_2c20,
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
                0x3d62_c012_0c70_beb5,
                0x8b70_58b2_6de5_2674,
                0x58b9_2d3f_49d8_ce1e,
            ],
            [
                0xf590_818c_c6fc_8452,
                0xa6f2_d201_4c61_f2b9,
                0x2641_6536_9f99_1eb6,
            ],
        ],
    },
];
