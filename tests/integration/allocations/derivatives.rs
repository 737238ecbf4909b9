//! Derivatives beyond the gradient of a batch.

use std::sync::atomic::Ordering;

use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::kernels::gemm::Matrix;
use bpfast::pool::Team;
use bpfast::{Activation, Architecture, Cost, Network};

use super::{REQUESTS, architecture, fail_each_allocation};
use crate::derivatives::{Buffers, NAMES, run};

/// Calls `each` with a function that does one call by name, for `n` examples.
fn with_calls(
    architecture: &Architecture,
    n: usize,
    threads: usize,
    each: impl FnOnce(&dyn Fn(&str, &mut Buffers<f64>) -> bpfast::Result<()>),
) {
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let params = vec![0.01; architecture.n_params()];
    let (x, y) = (vec![0.5; n * width], vec![0.25; n * outputs]);
    let (x, y) = (
        Matrix::by_rows(&x, n, width),
        Matrix::by_rows(&y, n, outputs),
    );
    let inputs = Inputs::new(architecture, x).expect("x fits");
    let targets = Targets::values(outputs, n, y).expect("y fits");
    let team = Team::assemble(threads);
    let network = Network::new(architecture, &params);
    let call = Call::new(network, inputs, &team, &|| false);
    each(&|name, buffers| run(name, &call, &targets, network, inputs, buffers));
}

fn networks() -> [(Architecture, usize); 4] {
    let quadratic = |sizes: &[usize]| architecture(sizes, Activation::Sigmoid, Cost::Quadratic);
    let large = quadratic(&[2, 400, 330, 1]);
    [
        (quadratic(&[20, 30, 5]), 32),
        (quadratic(&[20, 30, 5]), 3000),
        (large, 300),
        (
            architecture(&[20, 30, 5], Activation::Softmax, Cost::CrossEntropy),
            600,
        ),
    ]
}

pub fn any_allocation_may_fail() {
    for (architecture, n) in networks() {
        for threads in [1, 3] {
            with_calls(&architecture, n, threads, |call| {
                let mut buffers = Buffers::new(&architecture, n);
                for name in NAMES {
                    let what = format!("{name}, {n} examples, {threads} threads");
                    fail_each_allocation(&what, || {
                        buffers.scratch = Scratch::default();
                        call(name, &mut buffers)
                    });
                }
            });
        }
    }
}

pub fn nothing_is_allocated() {
    for (architecture, n) in networks() {
        for threads in [1, 3] {
            with_calls(&architecture, n, threads, |call| {
                let mut buffers = Buffers::new(&architecture, n);
                for name in NAMES {
                    let mut turn = || call(name, &mut buffers).expect("no interrupt");
                    turn();
                    turn();
                    let before = REQUESTS.load(Ordering::Relaxed);
                    (0..5).for_each(|_| turn());
                    let asked = REQUESTS.load(Ordering::Relaxed) - before;
                    assert!(asked == 0, "{name}, {n}, {threads} threads: {asked}");
                }
            });
        }
    }
}
