//! Steps in lanes have the bits of steps of one network alone.

#![allow(clippy::cast_precision_loss)] // small numbers

use crate::base::cancel::{CancelFlag, CancelToken};
use crate::data::{Inputs, Targets};
use crate::engine::optimizer::{ParamsAndState, Rule};
use crate::kernels::gemm::Matrix;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::pool::Team;
use crate::train::lockstep::{Lane, LockstepScratch, fits_a_lane, run};
use crate::train::monitor::Monitors;
use crate::train::{Report, Settings, StepSeries, TrainScratch};

const N: usize = 50;
static ALONE: Team = Team::alone();

fn numbers(count: usize, seed: usize) -> Vec<f64> {
    let number = |k: usize| ((k * 7919 + seed * 104_729) % 1013) as f64 / 500.0 - 1.0;
    (0..count).map(number).collect()
}

/// What all networks have in common.
struct Problem {
    architecture: Architecture,
    x: Vec<f64>,
    y: Vec<f64>,
    labels: Option<Vec<i64>>,
    weights: Option<Vec<f64>>,
}

/// A network: its settings, order, rate, parameters, state and report.
#[derive(Clone)]
struct Network {
    settings: Settings,
    order: Vec<u32>,
    rates: Vec<f64>,
    params: Vec<f64>,
    state: Vec<Vec<f64>>,
    report: Report,
}

impl Problem {
    fn new(sizes: &[usize], activation: Activation, output: Activation, cost: Cost) -> Self {
        let hidden = vec![activation; sizes.len() - 2];
        let architecture = Architecture::new(sizes, &hidden, output, cost).expect("a network");
        let width = architecture.n_outputs();
        Self {
            x: numbers(N * sizes[0], 1),
            y: numbers(N * width, 2).iter().map(|y| y.abs()).collect(),
            labels: None,
            weights: None,
            architecture,
        }
    }

    fn series<'a>(&'a self, network: &'a Network) -> StepSeries<'a, f64> {
        let architecture = &self.architecture;
        let (width, n_in) = (architecture.n_outputs(), architecture.n_inputs());
        let x = Matrix::by_rows(&self.x, N, n_in);
        let targets = match &self.labels {
            Some(labels) => Targets::labels(width, architecture.cost(), N, labels),
            None => Targets::values(width, N, Matrix::by_rows(&self.y, N, width)),
        };
        let targets = targets.expect("good targets");
        StepSeries {
            architecture,
            settings: &network.settings,
            inputs: Inputs::new(architecture, x).expect("good inputs"),
            targets: targets.with_weights(self.weights.as_deref()),
            costs: None,
            order: &network.order,
            rates: &network.rates,
            steps_before: 2,
            team: &ALONE,
            should_cancel: &|| false,
        }
    }

    /// A network with rules, penalties and a batch of its own.
    fn network(&self, k: usize) -> Network {
        let rule = match k % 4 {
            0 => Rule::SGD,
            1 => Rule::Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                decay: 0.01,
            },
            2 => Rule::Sgd {
                momentum: 0.9,
                nesterov: true,
            },
            _ => Rule::Adagrad { epsilon: 1e-8 },
        };
        let settings = Settings {
            weight_decay: if k == 2 { 0.1 } else { 0.0 },
            l2: if k > 3 { 0.01 } else { 0.0 },
            l1: if k == 5 { 0.01 } else { 0.0 },
            dropout: vec![0.0],
            check_finite: k != 6,
            ..Settings::new(rule, 16)
        };
        let length = self.architecture.n_params();
        let order = (0..N).map(|e| u32::try_from((e * 7 + k) % N).expect("small"));
        Network {
            order: order.collect(),
            rates: vec![0.01 * (1 + k) as f64; N.div_ceil(16)],
            params: numbers(length, 3 + k),
            state: vec![vec![0.0; length]; rule.n_states()],
            report: Report::default(),
            settings,
        }
    }
}

/// Runs the series of each network by itself.
fn alone(problem: &Problem, networks: &mut [Network]) {
    for network in networks {
        let mut changed = network.clone();
        let state = changed.state.iter_mut().map(Vec::as_mut_slice);
        let params_and_state = ParamsAndState::new(&mut changed.params, state);
        let (scratch, monitors) = (&mut TrainScratch::default(), &mut Monitors::default());
        let series = problem.series(network);
        let done = series.run(scratch, monitors, params_and_state, &mut changed.report);
        done.expect("nobody interrupts");
        *network = changed;
    }
}

/// Runs them in lanes.
fn together(problem: &Problem, networks: &mut [Network], cancel: &CancelToken<'_>) -> bool {
    let before = networks.to_vec();
    let lanes = networks.iter_mut().zip(&before).map(|(network, before)| {
        let state = network.state.iter_mut().map(Vec::as_mut_slice);
        Lane {
            series: problem.series(before),
            params_and_state: ParamsAndState::new(&mut network.params, state),
            report: &mut network.report,
        }
    });
    let mut lanes: Vec<_> = lanes.collect();
    run(&mut lanes, &mut LockstepScratch::default(), cancel).expect("memory")
}

fn bits(network: &Network) -> (Vec<u64>, Report) {
    let numbers = network.params.iter().chain(network.state.iter().flatten());
    (numbers.map(|x| x.to_bits()).collect(), network.report)
}

fn problems() -> Vec<Problem> {
    let classes = (Activation::Softmax, Cost::LogLikelihood);
    let mut labelled = Problem::new(&[4, 6, 3], Activation::Gelu, classes.0, classes.1);
    labelled.labels = Some(
        (0..N)
            .map(|k| i64::try_from(k % 3).expect("small"))
            .collect(),
    );
    let mut weighted = Problem::new(
        &[4, 5, 7, 2],
        Activation::Silu,
        Activation::Sigmoid,
        Cost::CrossEntropy,
    );
    weighted.weights = Some((0..N).map(|k| (k % 5) as f64 / 2.0).collect());
    let mut unbiased = Problem::new(
        &[3, 10, 1],
        Activation::Relu,
        Activation::Gelu,
        Cost::Quadratic,
    );
    let architecture = unbiased.architecture.with_biases(&[false, true]);
    unbiased.architecture = architecture.expect("a bool for each layer");
    vec![
        Problem::new(
            &[1, 1],
            Activation::Tanh,
            Activation::Identity,
            Cost::Quadratic,
        ),
        Problem::new(
            &[4, 9, 1],
            Activation::Tanh,
            Activation::Identity,
            Cost::Quadratic,
        ),
        labelled,
        weighted,
        unbiased,
    ]
}

#[test]
fn lanes_have_the_bits_of_networks_alone() {
    for problem in problems() {
        let mut networks: Vec<_> = (0..7).map(|k| problem.network(k)).collect();
        for network in &networks {
            let inputs = &problem.series(network).inputs;
            assert!(fits_a_lane(
                &problem.architecture,
                &network.settings,
                inputs,
                N
            ));
        }
        let mut others = networks.clone();
        alone(&problem, &mut others);
        assert!(together(&problem, &mut networks, &CancelToken::none()));
        for (k, (network, other)) in networks.iter().zip(&others).enumerate() {
            assert_eq!(bits(network), bits(other), "{:?} {k}", problem.architecture);
            assert_eq!(network.report.steps, 4);
        }
    }
}

#[test]
fn numbers_that_are_not_finite_change_nothing() {
    let problem = &problems()[1];
    for (rate, state) in [(1e200, 0.0), (0.01, f64::NAN)] {
        let mut networks: Vec<_> = (0..3).map(|k| problem.network(k)).collect();
        networks[2].rates[1] = rate;
        networks[1].state[0][3] = state;
        let before: Vec<_> = networks.iter().map(bits).collect();
        assert!(!together(problem, &mut networks, &CancelToken::none()));
        let after: Vec<_> = networks.iter().map(bits).collect();
        assert_eq!(after, before);
    }
}

#[test]
fn a_cancelled_series_ends_after_whole_steps() {
    let problem = &problems()[1];
    let mut networks: Vec<_> = (0..3).map(|k| problem.network(k)).collect();
    let before: Vec<_> = networks.iter().map(bits).collect();
    let flag = CancelFlag::default();
    let cancel = CancelToken::caller(&flag, &|| true);
    assert!(!cancel.poll()); // starts the interval
    std::thread::sleep(crate::base::cancel::INTERVAL);
    assert!(together(problem, &mut networks, &cancel));
    assert_eq!(networks.iter().map(bits).collect::<Vec<_>>(), before);
}

#[test]
fn other_steps_do_not_fit() {
    let problem = &problems()[1];
    let fits = |change: &dyn Fn(&mut Settings)| {
        let mut network = problem.network(0);
        change(&mut network.settings);
        let inputs = problem.series(&network).inputs;
        fits_a_lane(&problem.architecture, &network.settings, &inputs, N)
    };
    assert!(fits(&|_| {}));
    assert!(!fits(&|settings| settings.clip_norm = Some(1.0)));
    assert!(!fits(&|settings| settings.max_norm = Some(1.0)));
    assert!(!fits(&|settings| settings.dropout = vec![0.5]));
}
