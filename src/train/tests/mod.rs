//! Training on small problems, compared with a plain loop.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kernels::gemm::Matrix;

use crate::base::error::ErrorKind;
use crate::engine::batch::Call;
use crate::engine::dropout::Dropout;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::model::network::Network;
use crate::train::*;

mod bits;
mod problem;

use problem::*;

/// With slices or the whole gradient, in blocks or groups, on one thread or more.
#[test]
fn a_series_equals_a_plain_loop_of_steps() {
    for (sizes, n, batch_size) in [
        (&[3, 5, 2][..], 23, 7),
        (&[20, 70, 3], 60, 50),
        (&[6, 9, 4, 1], 1500, 700),
        (&[200, 300, 40], 40, 20),
        (&[900, 60, 4], 60, 30),
        (&[900, 60, 4], 60, 10),
        (&[80, 1, 3], 40, 7),
    ] {
        let order = order(n);
        let mut problem = Problem::new(sizes, n);
        for (rule, is_weighted) in [
            (Rule::SGD, false),
            (Rule::ADAM, false),
            (Rule::MOMENTUM, true),
            (Rule::ADAM, true),
        ] {
            // Also with mini-batches of weight 0, where penalties and momentum still apply.
            problem.weights = is_weighted.then(|| {
                let mut weights: Vec<f64> = numbers(n, 3).iter().map(|s| s + 1.0).collect();
                for &row in &order[..batch_size] {
                    weights[row as usize] = 0.0;
                }
                weights
            });
            let mut settings = settings(rule, batch_size);
            settings.weight_decay = 0.01;
            let rates = vec![0.01; n.div_ceil(batch_size)];
            let expected = plain_loop(&problem, &settings, &order, 0.01);
            let train = |threads| problem.train(&settings, &order, &rates, threads, &|| false);
            let (params, report, outcome) = train(1);
            assert_eq!(outcome, Ok(()));
            assert_eq!((report.steps, report.diverged), (rates.len(), false));
            let case = format!("{sizes:?} {rule:?} {is_weighted}");
            assert!(distance(&params, &expected) < 1e-12, "{case}");
            assert!(params == train(3).0, "{case}");
        }
    }
}

/// Small steps of large parameters: terms that are rounded to the parameter one by one would be lost.
#[test]
fn a_small_step_of_large_parameters_is_accurate() {
    let architecture = Architecture::new(&[1, 2], &[], Activation::Identity, Cost::Quadratic);
    let architecture = architecture.expect("a network");
    for (n, rate) in [(10, 1e-6), (128, 3e-5), (500, 1e-4)] {
        // a = 2 and y = 1.9 everywhere: the gradient is 0.1, the parameters are 1.
        let (x, y) = (vec![1.0_f32; n], vec![1.9; 2 * n]);
        let x = Matrix::by_rows(&x, n, 1);
        let y = Matrix::by_rows(&y, n, 2);
        let order: Vec<u32> = (0..).take(n).collect();
        let series = StepSeries {
            architecture: &architecture,
            settings: &settings(Rule::SGD, n),
            inputs: Inputs::new(&architecture, x).expect("good inputs"),
            targets: Targets::values(2, n, y).expect("good targets"),
            costs: None,
            order: &order,
            rates: &[rate],
            steps_before: 0,
            team: &Team::alone(),
            should_cancel: &|| false,
        };
        let mut params = [1.0_f32; 4];
        series
            .run(
                &mut TrainScratch::default(),
                &mut Monitors::default(),
                ParamsAndState::new(&mut params, []),
                &mut Report::default(),
            )
            .expect("nobody interrupts");
        for p in params {
            let step = f64::from(1.0 - p);
            // Half an ulp below 1.
            assert!(
                (step - 0.1 * rate).abs() < 6e-8 / 2.0 + 1e-5 * rate,
                "{n} {rate}: {step}"
            );
        }
    }
}

#[test]
fn a_cancelled_series_stops_after_a_whole_step() {
    let problem = Problem::new(&[30, 60, 5], 4000);
    let settings = settings(Rule::ADAM, 10);
    let order: Vec<u32> = order(4000).repeat(200);
    let rates = vec![0.001; order.len() / 10];
    let asked = AtomicUsize::new(0);
    let should_cancel = || asked.fetch_add(1, Ordering::Relaxed) == 1;
    let (params, report, outcome) = problem.train(&settings, &order, &rates, 1, &should_cancel);
    assert_eq!(
        outcome.map_err(|error| error.kind()),
        Err(ErrorKind::Interrupted)
    );
    assert!(0 < report.steps && report.steps < rates.len(), "{report:?}");
    let order = &order[..report.steps * 10];
    let (again, report, _) = problem.train(&settings, order, &rates, 1, &|| false);
    assert_eq!(report.steps, order.len() / 10);
    assert_eq!(params, again);
}

#[test]
fn a_diverging_series_rolls_back_to_its_last_finite_step() {
    let problem = Problem::new(&[4, 6, 2], 90);
    for rule in [Rule::SGD, Rule::ADAM] {
        let order = order(90);
        let mut rates = vec![0.01; 9];
        rates[5] = f64::MAX;
        let train = |order: &[u32], check_finite| {
            let mut settings = settings(rule, 10);
            settings.check_finite = check_finite;
            problem.train(&settings, order, &rates, 1, &|| false)
        };
        let (params, report, outcome) = train(&order, true);
        assert_eq!(outcome, Ok(()));
        assert!(
            report.diverged && params.iter().all(|p| p.is_finite()),
            "{report:?}"
        );
        assert_eq!(
            params,
            train(&order[..report.steps * 10], true).0,
            "{rule:?}"
        );
        let (params, report, _) = train(&order, false);
        assert_eq!((report.steps, report.diverged), (9, false));
        assert!(!params.iter().all(|p| p.is_finite()));
    }
}

#[test]
fn the_gradient_with_dropout_agrees_with_differences() {
    let problem = Problem::new(&[3, 8, 6, 2], 5);
    let dropout = Some(Dropout {
        rates: &[0.5, 0.25],
        seed: 1,
        step: 4,
        positions: None,
    });
    let team = Team::alone();
    let inputs = problem.inputs();
    let targets = problem.targets();
    let scratch = &mut batch::Scratch::default();
    let mut gradient = vec![f64::NAN; problem.params.len()];
    let c = Call::new(
        Network::new(&problem.architecture, &problem.params),
        inputs,
        &team,
        &|| false,
    )
    .with_dropout(dropout)
    .backprop(&targets, scratch, &mut gradient)
    .expect("nobody interrupts");
    let step = 1e-6;
    let mut cost = |index: usize, by: f64| {
        let mut moved = problem.params.clone();
        moved[index] += by;
        let call = Call::new(
            Network::new(&problem.architecture, &moved),
            inputs,
            &team,
            &|| false,
        );
        let cost = call.with_dropout(dropout).cost(&targets, scratch);
        cost.expect("nobody interrupts")
    };
    for (index, derivative) in gradient.iter().enumerate() {
        assert_eq!(cost(index, 0.0).to_bits(), c.to_bits());
        let difference = (cost(index, step) - cost(index, -step)) / (2.0 * step);
        // The error of the difference quotient: step² times a third derivative, plus rounding divided by
        // the step.
        assert!((difference - derivative).abs() < 1e-8, "{index}");
    }
}
