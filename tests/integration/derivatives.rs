//! Derivatives beyond the gradient of a batch: their recorded bits, and one call of each for tests of memory.

use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
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
                0xc34d_2956_987f_0dc2,
                0xfdad_b025_a4ac_5e3e,
            ],
            [
                0xd04b_7aa6_9a21_131f,
                0xf909_a022_5a04_0427,
                0x3029_ec93_3d05_08b2,
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
                0xe1e7_2109_aca0_d12e,
                0x6df6_4d6a_50af_a24b,
            ],
            [
                0xa2e5_47c9_bf86_343d,
                0x5559_7b0f_4ab2_cbcd,
                0xe2c1_6e11_3fa1_66bc,
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
                0x3725_0779_7747_7121,
                0x73cb_9247_445b_0117,
            ],
            [
                0x94a8_46a4_a130_1231,
                0x5ac1_687d_b372_d92c,
                0xa495_d993_58ea_9717,
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
                0x4f3c_a778_6243_f7d0,
                0x2c83_8901_b6cc_1c5c,
            ],
            [
                0xf44c_ce1d_6b4b_13bf,
                0x440b_d246_da9d_c13c,
                0xa227_2c00_ae3b_2407,
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
                0x0f77_aec9_7b84_a606,
                0xa6a3_2372_68e2_e820,
            ],
            [
                0xbf23_7468_3b0e_f9dd,
                0x138e_5615_c5a8_3eba,
                0x51fe_f5c5_b10d_2244,
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
                0x1958_4ad1_609b_7d94,
                0x2ec5_7d21_b337_e960,
            ],
            [
                0x5236_a5d8_3940_a3c1,
                0xf2b7_1f1b_e2a4_2d8e,
                0x4120_717d_158c_1566,
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
            norms: vec![0.0; n * architecture.layers().len()],
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
        "norms" => call.per_example_norms(&derivatives, scratch, norms),
        "clipped" => {
            let norms = &mut norms[..inputs.len()];
            call.clipped(derivatives, 0.05, scratch, gradient, norms)
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
