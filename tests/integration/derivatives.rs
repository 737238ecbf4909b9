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
                0x403f_3568_c341_ea7c,
                0x7052_c950_83d0_bee5,
                0x36d8_bbbb_7307_060f,
            ],
            [
                0x7c80_6c00_a748_630d,
                0x37eb_e340_f319_563e,
                0x4c08_3e77_8cf9_248e,
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
                0xf25e_a406_1221_f0c4,
                0xcc85_6f5e_cf73_66a1,
                0xb8eb_1f03_63e9_9fc2,
            ],
            [
                0x1b20_e88b_c51f_89e0,
                0xaf84_966a_6d35_361d,
                0xfc36_8312_fe49_21f6,
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
                0x4fea_8b1e_f58e_7786,
                0x84ec_183b_3c57_9196,
                0xb6aa_b512_f1ce_08bb,
            ],
            [
                0xa14b_2d91_07a4_d646,
                0xda8c_ae80_2b6f_91e1,
                0x9a48_bf93_4f6a_b9f0,
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
                0x7ee6_76bc_d5d9_0cec,
                0x2a4f_82c6_f05b_e2d2,
                0x10d7_a9dc_a9d4_f22f,
            ],
            [
                0xd0b2_a184_eb64_54b4,
                0x4a29_cc96_67a7_f2e9,
                0xa6bc_c610_c81f_635f,
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
                0x6f6f_3d6c_a835_a011,
                0x9823_59d8_b2f0_b32b,
                0xad2f_9ee2_d03e_bd48,
            ],
            [
                0x6b44_5c0e_0f5d_23b1,
                0x93dc_2c87_cff2_4a12,
                0xafd4_e654_1a0e_f0cc,
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
                0x1f22_e2e2_cbcb_4a01,
                0xa21f_572d_d481_b4b6,
                0x44b2_e210_942f_d746,
            ],
            [
                0x59a3_1226_31c4_f335,
                0x305c_856a_6ab3_5ea2,
                0x3750_aa2a_9dec_eaae,
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
