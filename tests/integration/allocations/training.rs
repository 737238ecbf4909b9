//! Steps of training, with all that goes with them.

use bpfast::data::{Inputs, Targets};
use bpfast::engine::optimizer::{ParamsAndState, Rule};
use bpfast::kernels::csr::CsrPattern;
use bpfast::kernels::gemm::Matrix;
use bpfast::pool::Team;
use bpfast::train::monitor::{Monitors, StepMonitor};
use bpfast::train::{Report, Settings, StepSeries, TrainScratch};
use bpfast::{Activation, Architecture, Cost};

use super::{architecture, fail_each_allocation};

/// Of 1500 examples that lie in no order, so that mini-batches are gathered.
const N: usize = 1500;

pub fn steps() {
    let quadratic = architecture(&[90, 60, 5], Activation::Sigmoid, Cost::Quadratic);
    let classes = architecture(&[90, 60, 5], Activation::Softmax, Cost::LogLikelihood);
    let large = architecture(&[90, 600, 5], Activation::Softmax, Cost::LogLikelihood);
    let plain = Settings {
        l2: 0.01,
        seed: 1,
        ..Settings::new(Rule::ADAM, 500)
    };
    let norms = Settings {
        clip_norm: Some(1.0),
        max_norm: Some(1.0),
        dropout: vec![0.2],
        ..plain.clone()
    };
    let small = Settings {
        batch_size: 20,
        ..plain.clone()
    };
    for threads in [1, 3] {
        for (name, architecture, settings, sparse) in [
            ("values", &quadratic, &plain, false),
            ("labels", &classes, &plain, false),
            ("small batches", &classes, &small, false),
            ("norms", &large, &norms, false),
            ("sparse", &classes, &plain, true),
        ] {
            let name = format!("steps, {name}, {threads} threads");
            training(&name, architecture, settings, sparse, threads);
        }
    }
}

fn training(
    name: &str,
    architecture: &Architecture,
    settings: &Settings,
    sparse: bool,
    threads: usize,
) {
    let (width, outputs) = (architecture.n_inputs(), architecture.n_outputs());
    let (x, y) = (vec![0.5_f64; N * width], vec![0.25; N * outputs]);
    let (classes, weights) = (vec![0; N], vec![1.0; N]);
    let indptr: Vec<i64> = (0..).take(N + 1).collect();
    let pattern = CsrPattern::new((N, width), &indptr, &vec![3; N]).expect("positions");
    let view = Matrix::by_rows(&x, N, width);
    let y = Matrix::by_rows(&y, N, outputs);
    let inputs = if sparse {
        Inputs::sparse(architecture, pattern.with_values(&x).expect("a value each"))
    } else {
        Inputs::new(architecture, view)
    };
    let targets = if architecture.cost().takes_labels() {
        Targets::labels(outputs, architecture.cost(), N, &classes)
    } else {
        Targets::values(outputs, N, y)
    };
    let (inputs, targets) = (inputs.expect("x fits"), targets.expect("y fits"));
    let order: Vec<u32> = (0..).step_by(7).take(N).map(|k| k % 1500).collect();
    let rates = vec![0.001; N.div_ceil(settings.batch_size)];
    let team = Team::assemble(threads);
    let run = StepSeries {
        architecture,
        settings,
        inputs,
        targets: targets.with_weights(Some(&weights)),
        costs: None,
        order: &order,
        rates: &rates,
        steps_before: 0,
        team: &team,
        should_cancel: &|| false,
    };
    let mut params = vec![0.01; architecture.n_params()];
    let mut kept = vec![vec![0.0; params.len()]; 2];
    fail_each_allocation(name, || {
        let params_and_state =
            ParamsAndState::new(&mut params, kept.iter_mut().map(Vec::as_mut_slice));
        let mut monitors = Monitors::default();
        monitors.add(StepMonitor::new(2, true))?;
        run.run(
            &mut TrainScratch::default(),
            &mut monitors,
            params_and_state,
            &mut Report::default(),
        )
    });
}
