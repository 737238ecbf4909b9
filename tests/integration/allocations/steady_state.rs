//! In steady state a call allocates nothing: neither on the thread that makes it nor on workers.

use std::sync::atomic::Ordering;

use bpfast::data::{Inputs, Targets};
use bpfast::engine::batch::{Call, Scratch};
use bpfast::engine::optimizer::{ParamsAndState, Rule};
use bpfast::kernels::csr::{CsrPattern, GatheredRows};
use bpfast::kernels::gemm::Matrix;
use bpfast::pool::Team;
use bpfast::train::monitor::{Monitors, StepMonitor};
use bpfast::train::{self, Report, Settings, StepSeries};
use bpfast::{Activation, Architecture, Cost, Network};

use super::{REQUESTS, architecture};

/// The allocations of `calls` calls, forward and backprop, after two that warm up.
fn allocations(
    architecture: &Architecture,
    n: usize,
    threads: usize,
    labels: bool,
    calls: usize,
) -> usize {
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let params = vec![0.01_f32; architecture.n_params()];
    let (x, y) = (vec![0.5; n * width], vec![0.25; n * outputs]);
    let classes = vec![0; n];
    let mut gradient = vec![f32::NAN; params.len()];
    let mut out = vec![f32::NAN; n * outputs];
    let mut scratch = Scratch::default();
    let kept = Team::assemble(threads);
    let mut turn = |team: &Team| {
        let x = Matrix::by_rows(&x, n, width);
        let inputs = Inputs::new(architecture, x).expect("x fits");
        let targets = if labels {
            Targets::labels(outputs, architecture.cost(), n, &classes)
        } else {
            let y = Matrix::by_rows(&y, n, outputs);
            Targets::values(outputs, n, y)
        };
        let call = Call::new(Network::new(architecture, &params), inputs, team, &|| false);
        call.forward(&mut scratch, &mut out).expect("no interrupt");
        call.backprop(&targets.expect("y fits"), &mut scratch, &mut gradient)
            .expect("no interrupt");
    };
    turn(&kept);
    turn(&kept);
    let before = REQUESTS.load(Ordering::Relaxed);
    for _ in 0..calls {
        turn(&kept); // a team that is kept, and one that is made for a call, as Python does
        turn(&Team::assemble(threads));
    }
    REQUESTS.load(Ordering::Relaxed) - before
}

/// The same for rows that are gathered from a sparse matrix for each call.
fn sparse_allocations(
    architecture: &Architecture,
    n: usize,
    threads: usize,
    calls: usize,
) -> usize {
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let (params, y) = (
        vec![0.01_f32; architecture.n_params()],
        vec![0.25; n * outputs],
    );
    let indptr: Vec<i64> = (0..).take(2 * n + 1).collect();
    let pattern = CsrPattern::new((2 * n, width), &indptr, &vec![1; 2 * n]).expect("positions");
    let values = vec![0.5; 2 * n];
    let x = pattern.with_values(&values).expect("a value each");
    let rows: Vec<u32> = (0..).step_by(2).take(n).collect();
    let (mut gathered, mut scratch) = (GatheredRows::default(), Scratch::default());
    let mut gradient = vec![f32::NAN; params.len()];
    let team = Team::assemble(threads);
    let mut turn = || {
        let x = gathered.gather(x, &rows).expect("memory");
        let inputs = Inputs::sparse(architecture, x).expect("x fits");
        let y = Matrix::by_rows(&y, n, outputs);
        let targets = Targets::values(outputs, n, y).expect("y fits");
        let call = Call::new(Network::new(architecture, &params), inputs, &team, &|| {
            false
        });
        call.backprop(&targets, &mut scratch, &mut gradient)
            .expect("no interrupt");
    };
    turn();
    turn();
    let before = REQUESTS.load(Ordering::Relaxed);
    (0..calls).for_each(|_| turn());
    REQUESTS.load(Ordering::Relaxed) - before
}

/// The same for steps of training by Adam: the allocations of a series of many steps beyond those of two. With
/// `records` of every step.
fn training_allocations(
    architecture: &Architecture,
    batch_size: usize,
    threads: usize,
    records: bool,
) -> usize {
    let n = 3 * batch_size;
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let (x, y) = (vec![0.5_f64; n * width], vec![0.25; n * outputs]);
    let x = Matrix::by_rows(&x, n, width);
    let y = Matrix::by_rows(&y, n, outputs);
    let mut params = vec![0.01; architecture.n_params()];
    let mut kept = vec![vec![0.0; params.len()]; 2];
    let settings = Settings {
        l2: 0.01,
        seed: 1,
        ..Settings::new(Rule::ADAM, batch_size)
    };
    let order: Vec<u32> = (0..).take(n).collect::<Vec<_>>().repeat(8);
    let (rates, team) = (vec![0.001; 24], Team::assemble(threads));
    let (mut scratch, mut report) = (train::TrainScratch::default(), Report::default());
    let mut monitors = Monitors::default();
    if records {
        monitors.add(StepMonitor::new(1, true)).expect("memory");
    }
    let mut turn = |steps: usize| {
        let before = REQUESTS.load(Ordering::Relaxed);
        let run = StepSeries {
            architecture,
            settings: &settings,
            inputs: Inputs::new(architecture, x).expect("x fits"),
            targets: Targets::values(outputs, n, y).expect("y fits"),
            costs: None,
            order: &order[..steps * batch_size],
            rates: &rates,
            steps_before: 0,
            team: &team,
            should_cancel: &|| false,
        };
        let params_and_state =
            ParamsAndState::new(&mut params, kept.iter_mut().map(Vec::as_mut_slice));
        let outcome = run.run(&mut scratch, &mut monitors, params_and_state, &mut report);
        outcome.expect("no interrupt");
        monitors.all.iter_mut().for_each(StepMonitor::clear);
        REQUESTS.load(Ordering::Relaxed) - before
    };
    turn(24);
    let few = turn(2);
    turn(24) - few
}

pub fn nothing_is_allocated() {
    let quadratic = |sizes: &[usize]| architecture(sizes, Activation::Sigmoid, Cost::Quadratic);
    let small = quadratic(&[20, 30, 5]);
    let classes = architecture(&[20, 30, 5], Activation::Softmax, Cost::LogLikelihood);
    let large = quadratic(&[2, 400, 330, 1]);
    assert!(large.n_params() > 1 << 17); // in blocks of 4096 rows, as src/engine/plan.rs says
    for threads in [1, 2, 3] {
        for (name, architecture, n, labels, calls) in [
            ("lanes", &small, 20_000, false, 20),
            ("lanes of a chunk", &small, 2000, false, 20),
            ("a block", &small, 32, false, 20),
            ("one example", &small, 1, false, 20),
            ("two examples", &large, 2, false, 20), // shared out by neurons
            ("labels, lanes", &classes, 2000, true, 20),
            ("labels, a block", &classes, 32, true, 20),
            ("blocks", &large, 4100, false, 1),
            ("one block", &large, 300, false, 2),
        ] {
            let asked = allocations(architecture, n, threads, labels, calls);
            assert_eq!(asked, 0, "{name}, {threads} threads");
        }
        for (architecture, batch_size) in [(&small, 10), (&small, 2000), (&large, 60)] {
            for records in [false, true] {
                let asked = training_allocations(architecture, batch_size, threads, records);
                let case = format!("steps of {batch_size}, {threads} threads, {records}");
                assert_eq!(asked, 0, "{case}");
            }
        }
        for (architecture, n) in [(&small, 32), (&small, 2000), (&large, 300)] {
            let asked = sparse_allocations(architecture, n, threads, 5);
            assert_eq!(asked, 0, "sparse, {n}, {threads} threads");
        }
    }
}
