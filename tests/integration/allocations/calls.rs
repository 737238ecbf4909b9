//! Networks, batches, sparse inputs, the equations by themselves, and threads.

use bpfast::base::cancel::CancelToken;
use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::engine::equations;
use bpfast::kernels::csr::{CsrPattern, GatheredRows};
use bpfast::kernels::gemm::Matrix;
use bpfast::pool::Team;
use bpfast::{Activation, Architecture, Cost, Network};

use super::{architecture, fail_each_allocation, refusing};

/// More layers than fit in a slot of the reserve.
const MANY: usize = 5000;

pub fn networks() {
    let (sizes, hidden) = (vec![1; MANY], vec![Activation::Tanh; MANY - 2]);
    fail_each_allocation("a network", || {
        Architecture::new(&sizes, &hidden, Activation::Sigmoid, Cost::Quadratic).map(|_| ())
    });
}

pub fn batches() {
    let quadratic = |sizes: &[usize]| architecture(sizes, Activation::Sigmoid, Cost::Quadratic);
    let small = quadratic(&[20, 30, 5]);
    let large = quadratic(&[2, 400, 330, 1]); // in blocks
    let deep = quadratic(&[1; 300]);
    let classes = architecture(&[20, 30, 5], Activation::Softmax, Cost::LogLikelihood);
    for (name, architecture, n) in [
        ("small", &small, 5000),
        ("large", &large, 600),
        ("few", &large, 2),
        ("deep", &deep, 20),
        ("labels", &classes, 3000),
    ] {
        for threads in [1, 3] {
            batch(
                &format!("{name}, {threads} threads"),
                architecture,
                n,
                threads,
            );
        }
    }
}

fn batch(name: &str, architecture: &Architecture, n: usize, threads: usize) {
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let params = vec![0.01_f64; architecture.n_params()];
    let (x, y) = (vec![0.5; n * width], vec![0.25; n * outputs]);
    let classes = vec![0; n];
    let x = Matrix::by_rows(&x, n, width);
    let y = Matrix::by_rows(&y, n, outputs);
    let inputs = Inputs::new(architecture, x).expect("x fits");
    let targets = if architecture.cost().takes_labels() {
        Targets::labels(outputs, architecture.cost(), n, &classes)
    } else {
        Targets::values(outputs, n, y)
    };
    let targets = targets.expect("y fits");
    let team = Team::assemble(threads);
    let call = Call::new(Network::new(architecture, &params), inputs, &team, &|| {
        false
    });

    let mut out = vec![0.0; n * outputs];
    let mut gradient = vec![0.0; params.len()];
    let shown = || -> Vec<Vec<f64>> {
        let layers = architecture.layers().iter();
        layers.map(|layer| vec![0.0; n * layer.n_out]).collect()
    };
    let (mut z, mut a) = (shown(), shown());
    let mut z: Vec<&mut [f64]> = z.iter_mut().map(Vec::as_mut_slice).collect();
    let mut a: Vec<&mut [f64]> = a.iter_mut().map(Vec::as_mut_slice).collect();
    let scratch = Scratch::default;
    fail_each_allocation(&format!("forward, {name}"), || {
        call.forward(&mut scratch(), &mut out)
    });
    fail_each_allocation(&format!("cost, {name}"), || {
        call.cost(&targets, &mut scratch()).map(|_| ())
    });
    fail_each_allocation(&format!("trace, {name}"), || {
        call.trace(&mut scratch(), &mut z, &mut a)
    });
    fail_each_allocation(&format!("errors, {name}"), || {
        call.errors(&targets, &mut scratch(), &mut z)
    });
    fail_each_allocation(&format!("backprop, {name}"), || {
        let cost = call.backprop(&targets, &mut scratch(), &mut gradient);
        cost.map(|_| ())
    });
}

pub fn sparse() {
    let (n, width) = (4000, 2000);
    let indptr: Vec<i64> = (0..).take(n + 1).collect();
    let (indices, values) = (vec![7; n], vec![0.5_f32; n]);
    fail_each_allocation("positions", || {
        CsrPattern::new((n, width), &indptr, &indices).map(|_| ())
    });
    let dense: Vec<f32> = (0..600 * width).map(|k| f32::from(k % 9 == 0)).collect();
    fail_each_allocation("positions of dense rows", || {
        CsrPattern::from_dense(&dense, width, dense.len()).map(|_| ())
    });
    let pattern = CsrPattern::new((n, width), &indptr, &indices).expect("positions");
    let x = pattern.with_values(&values).expect("a value each");
    let rows: Vec<u32> = (0..).take(n).collect();
    fail_each_allocation("gathered rows", || {
        GatheredRows::default().gather(x, &rows).map(|_| ())
    });
}

pub fn equations() {
    let (n, width) = (3000, 600);
    let (delta, z) = (vec![0.5_f64; n * width], vec![0.25; n * width]);
    let weights = vec![0.1; width * width];
    let (mut out, mut nabla) = (vec![0.0; n * width], vec![0.0; width * width]);
    let cancel = CancelToken::none();
    fail_each_allocation("bp2", || {
        let sigma = Activation::Tanh;
        let weights = Matrix::by_rows(&weights, width, width);
        equations::bp2(&delta, weights, sigma, (&z, &z), &mut out, &cancel)
    });
    fail_each_allocation("bp3", || {
        equations::bp3(&delta, &mut nabla[..width], &cancel)
    });
    fail_each_allocation("bp4", || equations::bp4(&delta, &z, &mut nabla, n, &cancel));
}

/// A thread that cannot be started is done without.
pub fn threads() {
    for all_later in [false, true] {
        for k in 1..=30 {
            let before = Team::assemble(3).threads();
            let (team, _) = refusing(k, all_later, || Team::assemble(before + 1));
            assert!((before..=before + 1).contains(&team.threads()));
        }
    }
}
