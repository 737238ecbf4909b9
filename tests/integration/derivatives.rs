//! Derivatives beyond the gradient of a batch: their recorded bits, and one call of each for tests of memory.

use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::inside::clip::ClippedSum;
use bpfast::inside::derivatives::{Derivatives, Seed};
use bpfast::inside::gauss_newton::{CurvatureMatrix, CurvatureProduct};
use bpfast::inside::hessian::HessianProduct;
use bpfast::inside::tangent::Direction;
use bpfast::kernels::gemm::Matrix;
use bpfast::kernels::simd::level;
use bpfast::pool::Team;
use bpfast::{Activation, Architecture, Cost, Network, Real, Result};

use super::bits::{Hash, numbers};

use Activation::{
    Gelu, GeluTanh, HardSwish, Identity, Mish, Relu, Selu, Sigmoid, Silu, Sin, Softmax, Softplus,
    Tanh,
};

/// A network, the examples of its batch, and the hashes of H v, of norms and of a clipped sum, in float32 and
/// in float64.
type Case = (
    &'static [usize],
    &'static [Activation],
    Activation,
    Cost,
    usize,
    [[u64; 3]; 2],
);

/// Together: every activation with a second derivative, and most costs.
const CASES: [Case; 6] = [
    (
        &[20, 33, 7],
        &[Tanh],
        Softmax,
        Cost::CrossEntropy,
        70,
        [
            [
                0xf4a8_3631_7c86_1afb,
                0x23eb_17a6_117c_eb62,
                0x9853_c8ef_87ef_2576,
            ],
            [
                0xd04b_7aa6_9a21_131f,
                0xf45b_23c5_4404_e23d,
                0x603c_35ca_3ea4_9e6e,
            ],
        ],
    ),
    (
        &[9, 40, 23, 3],
        &[Gelu, Silu],
        Softplus,
        Cost::Poisson,
        65,
        [
            [
                0x130b_d595_99d8_3e70,
                0x2f1b_7ab0_5d9c_0283,
                0x69b6_adb4_3e72_bd4b,
            ],
            [
                0xa2e5_47c9_bf86_343d,
                0x4a9e_1c66_ed90_b96c,
                0x294d_1f61_47c2_9651,
            ],
        ],
    ),
    (
        &[17, 29, 13, 5],
        &[Activation::ELU, Softplus],
        Tanh,
        Cost::Huber,
        50,
        [
            [
                0x8a8e_9c4b_df4e_a27b,
                0xe4ff_0b58_f66d_3e60,
                0x9f3f_227a_32e2_2244,
            ],
            [
                0x94a8_46a4_a130_1231,
                0x0f9a_579d_d92b_0275,
                0x27a6_22a4_2be8_b448,
            ],
        ],
    ),
    (
        &[784, 30, 10],
        &[Sigmoid],
        Softmax,
        Cost::LogLikelihood,
        37,
        [
            [
                0x843e_db3e_c629_9da6,
                0x755e_34d3_40ff_18b5,
                0x6651_8f89_e07b_bfb4,
            ],
            [
                0xf44c_ce1d_6b4b_13bf,
                0xebcc_63ab_25be_b7c4,
                0x5247_85b0_e148_65a8,
            ],
        ],
    ),
    (
        &[2, 33, 31, 1],
        &[Tanh, Relu],
        Identity,
        Cost::Quadratic,
        1100,
        [
            [
                0x7a6e_25f1_a823_24ef,
                0x360c_f821_984b_96b4,
                0xa7aa_dfd6_388f_2a14,
            ],
            [
                0xbf23_7468_3b0e_f9dd,
                0xdd2c_2500_13e6_71f0,
                0x2ace_beb4_a55a_f089,
            ],
        ],
    ),
    (
        &[9, 21, 18, 17, 16, 3],
        &[GeluTanh, Mish, HardSwish, Sin],
        Selu,
        Cost::Quadratic,
        60,
        [
            [
                0x64b4_43e4_4039_4ab9,
                0x954e_eb4f_09c0_3278,
                0xf32f_d29c_fd00_3e1a,
            ],
            [
                0x5236_a5d8_3940_a3c1,
                0x7969_c0ac_5de0_9d32,
                0x3ad8_b224_0c1a_e16f,
            ],
        ],
    ),
];

/// The results of all calls, reused.
pub struct Buffers<T: 'static> {
    pub scratch: Scratch<T>,
    gradient: Vec<T>,
    a: Vec<T>,
    tangent_a: Vec<T>,
    dx: Vec<T>,
    norms: Vec<f64>,
}

impl<T: Real> Buffers<T> {
    pub fn new(architecture: &Architecture, n: usize) -> Self {
        Self {
            scratch: Scratch::default(),
            gradient: vec![T::ZERO; architecture.n_params()],
            a: vec![T::ZERO; n * architecture.n_outputs()],
            tangent_a: vec![T::ZERO; n * architecture.n_outputs()],
            dx: vec![T::ZERO; n * architecture.n_inputs()],
            norms: vec![0.0; n * (1 + architecture.layers().len())],
        }
    }
}

/// The calls, by name.
pub const NAMES: [&str; 8] = [
    "vjp",
    "jvp",
    "squares",
    "norms",
    "clipped",
    "hvp",
    "ggn_vp",
    "empirical_fisher_vp",
];

/// One call; `direction` in the layout of the parameters.
pub fn run<T: Real>(
    name: &str,
    call: &Call<'_, T>,
    targets: &Targets<'_, T>,
    direction: Network<'_, T>,
    inputs: Inputs<'_, T>,
    buffers: &mut Buffers<T>,
) -> Result<()> {
    let Buffers {
        scratch,
        gradient,
        a,
        tangent_a,
        dx,
        norms,
    } = buffers;
    let derivatives = Derivatives {
        seed: Seed::Cost(targets),
        stored: None,
    };
    match name {
        "vjp" => call.derivatives(derivatives, scratch, Some(gradient), Some(dx)),
        "jvp" => {
            let direction = Direction {
                params: Some(direction),
                x: Some(&dx[..]),
            };
            call.jvp(direction, None, scratch, a, tangent_a)
        }
        "squares" => call.squared_gradients(derivatives, scratch, gradient),
        "norms" => {
            call.per_example_norms(&derivatives, scratch, &mut norms[..inputs.len()])?;
            let of_layers = &mut norms[inputs.len()..];
            call.per_example_layer_norms(&derivatives, scratch, of_layers)
        }
        "clipped" => {
            let sum = ClippedSum {
                max_norm: 0.05,
                is_empty: false,
                noise: Some((7, 1e-3)),
                divisor: None,
            };
            call.clipped(derivatives, sum, scratch, gradient)
        }
        "hvp" => {
            let product = HessianProduct {
                targets,
                direction,
                stored: None,
                errors: None,
            };
            call.hvp(&product, scratch, gradient)
        }
        _ => {
            let matrix = match name {
                "ggn_vp" => CurvatureMatrix::GaussNewton,
                _ => CurvatureMatrix::EmpiricalFisher,
            };
            let product = CurvatureProduct {
                matrix,
                targets,
                direction,
                stored: None,
            };
            call.curvature_product(&product, scratch, gradient)
        }
    }
}

fn hashes<T: Real>((sizes, hidden, output, cost, n, _): &Case) -> [u64; 3] {
    let architecture = &Architecture::new(sizes, hidden, *output, *cost).expect("a network");
    let (n, width, outputs) = (*n, architecture.n_inputs(), architecture.n_outputs());
    let widest = u32::try_from(architecture.widest()).expect("small");
    let scale = 2.0 / f64::from(widest).sqrt();
    let params = numbers(1, architecture.n_params()).map(|p| T::from_f64(scale * p));
    let params: Vec<T> = params.collect();
    let x: Vec<T> = numbers(2, n * width).map(T::from_f64).collect();
    let y: Vec<T> = numbers(3, n * outputs)
        .map(|y| T::from_f64(y.abs()))
        .collect();
    let v: Vec<T> = numbers(4, params.len()).map(T::from_f64).collect();
    let inputs = Inputs::new(architecture, Matrix::by_rows(&x, n, width)).expect("x fits");
    let targets = Targets::values(outputs, n, Matrix::by_rows(&y, n, outputs)).expect("y fits");
    let (team, never) = (&Team::assemble(2), &|| false);
    let call = Call::new(Network::new(architecture, &params), inputs, team, never);
    let mut buffers = Buffers::new(architecture, n);
    ["hvp", "norms", "clipped"].map(|name| {
        let direction = Network::new(architecture, &v);
        run(name, &call, &targets, direction, inputs, &mut buffers).expect("memory");
        let mut hash = Hash::new();
        if name == "norms" {
            hash.add(&buffers.norms);
        } else {
            hash.add(&buffers.gradient);
        }
        hash.0
    })
}

pub fn every_machine_computes_the_same_derivatives() {
    if !level::level().expect("a level of this machine").is_fused() {
        return; // sums are rounded differently
    }
    let found = CASES
        .each_ref()
        .map(|case| [hashes::<f32>(case), hashes::<f64>(case)]);
    let recorded = CASES.each_ref().map(|case| case.5);
    assert!(found == recorded, "{found:#018x?}");
}
