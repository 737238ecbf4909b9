//! A network with examples, and the plain loop that trains it.

use crate::kernels::gemm::Matrix;

use crate::base::random::{permutation, philox};
use crate::data::Reduction;
use crate::engine::batch::Call;
use crate::engine::optimizer::{Regularization, Step};
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::train::monitor::StepMonitor;
use crate::train::*;

/// A network and examples for it.
pub(super) struct Problem {
    pub(super) architecture: Architecture,
    pub(super) params: Vec<f64>,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) n: usize,
}

pub(super) fn numbers(count: usize, stream: u32) -> Vec<f64> {
    (0..count)
        .map(|k| {
            let word = philox(1, [u32::try_from(k).expect("small"), stream, 0, 77])[0];
            f64::from(word) / f64::from(u32::MAX) * 2.0 - 1.0
        })
        .collect()
}

impl Problem {
    pub(super) fn new(sizes: &[usize], n: usize) -> Self {
        let hidden = vec![Activation::Tanh; sizes.len() - 2];
        let output = Activation::Identity;
        let architecture =
            Architecture::new(sizes, &hidden, output, Cost::Quadratic).expect("a network");
        Self {
            params: numbers(architecture.n_params(), 0),
            x: numbers(n * architecture.n_inputs(), 1),
            y: numbers(n * architecture.n_outputs(), 2),
            weights: None,
            architecture,
            n,
        }
    }

    pub(super) fn inputs(&self) -> Inputs<'_, f64> {
        let shape = (self.n, self.architecture.n_inputs());
        let x = Matrix::by_rows(&self.x, shape.0, shape.1);
        Inputs::new(&self.architecture, x).expect("good inputs")
    }

    pub(super) fn targets(&self) -> Targets<'_, f64> {
        let width = self.architecture.n_outputs();
        let y = Matrix::by_rows(&self.y, self.n, width);
        let targets = Targets::values(width, self.n, y).expect("good targets");
        targets.with_weights(self.weights.as_deref())
    }

    /// Trains from the start. Returns the parameters and the report.
    pub(super) fn train(
        &self,
        settings: &Settings,
        order: &[u32],
        rates: &[f64],
        threads: usize,
        should_cancel: ShouldCancel<'_>,
    ) -> (Vec<f64>, Report, Result<()>) {
        self.train_on(
            self.inputs(),
            settings,
            (order, rates),
            threads,
            should_cancel,
        )
    }

    /// The same with other inputs.
    pub(super) fn train_on(
        &self,
        inputs: Inputs<'_, f64>,
        settings: &Settings,
        (order, rates): (&[u32], &[f64]),
        threads: usize,
        should_cancel: ShouldCancel<'_>,
    ) -> (Vec<f64>, Report, Result<()>) {
        let team = Team::assemble(threads);
        let series = StepSeries {
            inputs,
            should_cancel,
            ..self.series(settings, (order, rates), &team)
        };
        self.run(&series, &mut Monitors::default())
    }

    /// The parameters, and the records of every step with cosines.
    pub(super) fn train_recorded(
        &self,
        settings: &Settings,
        order: &[u32],
        rates: &[f64],
        threads: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let mut monitors = Monitors::default();
        let added = monitors.add(StepMonitor::new(1, true));
        added.expect("memory");
        let team = Team::assemble(threads);
        let series = self.series(settings, (order, rates), &team);
        let (params, _, outcome) = self.run(&series, &mut monitors);
        outcome.expect("nobody interrupts");
        (params, monitors.all[0].rows().to_vec())
    }

    fn series<'a>(
        &'a self,
        settings: &'a Settings,
        (order, rates): (&'a [u32], &'a [f64]),
        team: &'a Team,
    ) -> StepSeries<'a, f64> {
        StepSeries {
            architecture: &self.architecture,
            settings,
            inputs: self.inputs(),
            targets: self.targets(),
            costs: None,
            order,
            rates,
            steps_before: 0,
            team,
            should_cancel: &|| false,
        }
    }

    fn run(
        &self,
        series: &StepSeries<'_, f64>,
        monitors: &mut Monitors<f64>,
    ) -> (Vec<f64>, Report, Result<()>) {
        let mut params = self.params.clone();
        let mut state = vec![vec![0.0; params.len()]; series.settings.rule.n_states()];
        let mut report = Report::default();
        let mut scratch = TrainScratch::default();
        let params_and_state =
            ParamsAndState::new(&mut params, state.iter_mut().map(Vec::as_mut_slice));
        let outcome = series.run(&mut scratch, monitors, params_and_state, &mut report);
        (params, report, outcome)
    }
}

pub(super) fn settings(rule: Rule, batch_size: usize) -> Settings {
    Settings {
        seed: 3,
        ..Settings::new(rule, batch_size)
    }
}

pub(super) fn order(n: usize) -> Vec<u32> {
    let mut order = vec![0; n];
    permutation(9, 1, &mut order, &CancelToken::none());
    order
}

/// A plain loop over mini-batches: the whole gradient, Σ `s_x` ∇`C_x` / n, then the update.
pub(super) fn plain_loop(
    problem: &Problem,
    settings: &Settings,
    order: &[u32],
    rate: f64,
) -> Vec<f64> {
    let (architecture, mut params) = (&problem.architecture, problem.params.clone());
    let mut state = vec![vec![0.0; params.len()]; settings.rule.n_states()];
    let mut gradient = vec![0.0; params.len()];
    for (index, rows) in order.chunks(settings.batch_size).enumerate() {
        let of = |all: &[f64], width: usize| -> Vec<f64> {
            let row = |&row: &u32| all[row as usize * width..][..width].to_vec();
            rows.iter().flat_map(row).collect()
        };
        let (x, y) = (
            of(&problem.x, architecture.n_inputs()),
            of(&problem.y, architecture.n_outputs()),
        );
        let small = Problem {
            architecture: architecture.clone(),
            params: params.clone(),
            x,
            y,
            weights: problem.weights.as_ref().map(|all| of(all, 1)),
            n: rows.len(),
        };
        let team = Team::alone();
        let call = Call::new(
            Network::new(architecture, &params),
            small.inputs(),
            &team,
            &|| false,
        );
        let sum = small
            .targets()
            .weighted(small.n, Reduction::Sum, small.weights.as_deref())
            .expect("good weights");
        call.backprop(&sum, &mut batch::Scratch::default(), &mut gradient)
            .expect("nobody interrupts");
        #[allow(clippy::cast_precision_loss)]
        for g in &mut gradient {
            *g /= small.n as f64;
        }
        let terms = Regularization {
            l2: settings.weight_decay,
            ..Regularization::NONE
        };
        let params_and_state =
            ParamsAndState::new(&mut params, state.iter_mut().map(Vec::as_mut_slice));
        Step::new(settings.rule, rate, index as u64 + 1).apply(terms, params_and_state, &gradient);
    }
    params
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let difference = square(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (difference / square(&mut b.iter().copied())).sqrt()
}
