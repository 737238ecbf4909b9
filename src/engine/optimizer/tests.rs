use crate::engine::optimizer::*;

const RULES: [Rule; 7] = [
    Rule::SGD,
    Rule::MOMENTUM,
    Rule::Sgd {
        momentum: 0.8,
        nesterov: true,
    },
    Rule::Adam {
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        decay: 0.0,
    },
    Rule::Adam {
        beta1: 0.25,
        beta2: 0.999,
        epsilon: 1e-3,
        decay: 0.3,
    },
    Rule::RmsProp {
        alpha: 0.9,
        epsilon: 1e-4,
    },
    Rule::Adagrad { epsilon: 1e-10 },
];
const TERMS: [Regularization; 2] = [
    Regularization::NONE,
    Regularization {
        scale: 0.5,
        l2: 0.1,
        l1: 0.2,
    },
];
const RATE: f64 = 0.03;

/// The documented formulas in f64, for one parameter: p after the step.
fn plain(rule: Rule, terms: Regularization, t: i32, p: f64, g: f64, state: &mut [f64]) -> f64 {
    let sign = if p == 0.0 { 0.0 } else { p.signum() };
    let g = terms.scale * g + terms.l2 * p + terms.l1 * sign;
    match rule {
        Rule::Sgd { momentum: 0.0, .. } => p - RATE * g,
        Rule::Sgd { momentum, nesterov } => {
            state[0] = momentum * state[0] + g;
            let ahead = g + momentum * state[0];
            p - RATE * if nesterov { ahead } else { state[0] }
        }
        Rule::Adam {
            beta1,
            beta2,
            epsilon,
            decay,
        } => {
            state[0] = beta1 * state[0] + (1.0 - beta1) * g;
            state[1] = beta2 * state[1] + (1.0 - beta2) * g * g;
            let (m, v) = (
                state[0] / (1.0 - beta1.powi(t)),
                state[1] / (1.0 - beta2.powi(t)),
            );
            p * (1.0 - RATE * decay) - RATE * m / (v.sqrt() + epsilon)
        }
        Rule::RmsProp { alpha, epsilon } => {
            state[0] = alpha * state[0] + (1.0 - alpha) * g * g;
            p - RATE * g / (state[0].sqrt() + epsilon)
        }
        Rule::Adagrad { epsilon } => {
            state[0] += g * g;
            p - RATE * g / (state[0].sqrt() + epsilon)
        }
    }
}

/// Values of both signs and many magnitudes, one of them 0.
fn numbers<T: Real>(length: usize, shift: f64) -> Vec<T> {
    let number = |k: usize| {
        let x = f64::from(u16::try_from(k % 997).expect("small")) + shift;
        if k == 3 {
            0.0
        } else {
            (x * x).sin() * x.cos().exp()
        }
    };
    (0..length).map(|k| T::from_f64(number(k))).collect()
}

fn params_and_state<'a, T>(params: &'a mut [T], state: &'a mut [Vec<T>]) -> ParamsAndState<'a, T> {
    ParamsAndState::new(params, state.iter_mut().map(Vec::as_mut_slice))
}

fn steps_are_the_formulas<T: Real>(tolerance: f64) {
    const LENGTH: usize = 67;
    for rule in RULES {
        for terms in TERMS {
            let mut p: Vec<T> = numbers(LENGTH, 0.0);
            let mut state = vec![vec![T::ZERO; LENGTH]; rule.n_states()];
            let mut expected: Vec<f64> = p.iter().map(|p| p.to_f64()).collect();
            let mut wanted_kept = vec![vec![0.0; rule.n_states()]; LENGTH];
            for t in 1..=10 {
                let g: Vec<T> = numbers(LENGTH, f64::from(t));
                let step = Step::new(rule, RATE, u64::try_from(t).expect("positive"));
                step.apply(terms, params_and_state(&mut p, &mut state), &g);
                for k in 0..LENGTH {
                    expected[k] = plain(
                        rule,
                        terms,
                        t,
                        expected[k],
                        g[k].to_f64(),
                        &mut wanted_kept[k],
                    );
                }
            }
            for k in 0..LENGTH {
                let (got, expected) = (p[k].to_f64(), expected[k]);
                let error = (got - expected).abs();
                assert!(
                    error <= tolerance,
                    "{rule:?} {terms:?} {k}: {got}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn a_step_agrees_with_its_formula() {
    // Parameters near 1; rounding errors of 10 steps add up.
    steps_are_the_formulas::<f64>(1e-14);
    steps_are_the_formulas::<f32>(3e-6);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let length = 2 * MIN_THREAD_PARAMS + 12_345;
    for rule in RULES {
        let step = Step::new(rule, RATE, 3);
        let g: Vec<f32> = numbers(length, 0.5);
        let run = |threads| {
            let mut p: Vec<f32> = numbers(length, 0.0);
            let mut state = vec![numbers::<f32>(length, 0.0); rule.n_states()];
            for vector in &mut state {
                for x in vector {
                    *x = x.abs();
                }
            }
            let team = Team::assemble(threads);
            step.run(
                &team,
                Regularization::NONE,
                params_and_state(&mut p, &mut state),
                &g,
            );
            state.push(p);
            let bits = |x: &f32| x.to_bits();
            state.iter().flatten().map(bits).collect::<Vec<_>>()
        };
        let alone = run(1);
        assert!(alone == run(2) && alone == run(3), "{rule:?}");
    }
}

/// p after one step from zero state.
fn first(rule: Rule, g: f32) -> f32 {
    let (mut p, mut state) = ([0.0], vec![vec![0.0]; rule.n_states()]);
    Step::new(rule, RATE, 1).apply(
        Regularization::NONE,
        params_and_state(&mut p, &mut state),
        &[g],
    );
    p[0]
}

#[test]
fn a_zero_gradient_changes_nothing_at_any_epsilon() {
    let epsilon = 1e-300; // 0 in f32
    let (beta1, beta2, decay) = (0.9, 0.999, 0.0);
    let adam = Rule::Adam {
        beta1,
        beta2,
        epsilon,
        decay,
    };
    for rule in [
        adam,
        Rule::RmsProp {
            alpha: 0.9,
            epsilon,
        },
        Rule::Adagrad { epsilon },
    ] {
        assert_eq!(first(rule, 0.0).to_bits() << 1, 0, "{rule:?}");
    }
}

#[test]
fn squares_of_large_gradients_do_not_overflow() {
    // 10^40 overflows f32; (1 − β₂) 10^40 does not.
    assert!((f64::from(first(RULES[4], 1e20)) + RATE).abs() < 1e-8);
}

/// After an overflow v is infinite, and the parameter does not change, as in the formula.
#[test]
fn an_infinite_second_moment_stays_infinite() {
    for rule in [RULES[3], RULES[5], RULES[6]] {
        let mut state = vec![vec![f32::INFINITY]; rule.n_states()];
        state[0][0] = if rule.n_states() == 2 {
            1.0
        } else {
            f32::INFINITY
        };
        for g in [1.0, 1e30] {
            let mut p = [0.5];
            Step::new(rule, RATE, 9).apply(
                Regularization::NONE,
                params_and_state(&mut p, &mut state),
                &[g],
            );
            assert_eq!(p[0].to_bits(), 0.5_f32.to_bits(), "{rule:?}");
        }
    }
}

/// A mean with a decay near 0 equals the gradient, however large its old value; one with a decay near 1
/// keeps the old value's digits.
#[test]
fn moving_averages_are_accurate_for_beta_near_0_and_1() {
    for (beta1, m, g, expected) in [(0.0, 1e10, 1.0, 1.0), (0.999_999, 1.0, 0.0, 0.999_999)] {
        let (beta2, epsilon, decay) = (0.9, 1e-8, 0.0);
        let rule = Rule::Adam {
            beta1,
            beta2,
            epsilon,
            decay,
        };
        let mut state = vec![vec![m], vec![1.0_f32]];
        Step::new(rule, RATE, 9).apply(
            Regularization::NONE,
            params_and_state(&mut [0.0], &mut state),
            &[g],
        );
        assert!((f64::from(state[0][0]) - expected).abs() < 1e-7);
    }
}

#[test]
fn bias_corrections_are_accurate_at_any_step() {
    let correction = |beta2: f64, t| {
        let rule = Rule::Adam {
            beta1: 0.0,
            beta2,
            epsilon: 1e-8,
            decay: 0.0,
        };
        Step::new(rule, RATE, t).corrections
    };
    assert_eq!(correction(0.0, 1), (1.0, 1.0));
    assert!((correction(0.999, 2).1 - 0.001_999).abs() < 1e-16);
    // (1 − 2^-40)^(2^40) equals 1/e up to about 2^-41.
    let beta = 1.0 - 2.0_f64.powi(-40);
    assert!((correction(beta, 1 << 40).1 - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
    assert_eq!(correction(0.999, u64::MAX), (1.0, 1.0));
}

#[test]
fn little_work_uses_one_thread() {
    assert_eq!(Step::threads(0, 8), 1);
    assert_eq!(Step::threads(2 * MIN_THREAD_PARAMS - 1, 8), 1);
    assert_eq!(Step::threads(2 * MIN_THREAD_PARAMS, 8), 2);
    assert_eq!(Step::threads(usize::MAX, 8), 8);
}
