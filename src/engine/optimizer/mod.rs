//! Optimizers: how a step updates the parameters from their gradient and the optimizer's state.
//!
//! Every formula is element by element. g is the derivative plus what [`Regularization`] adds, η the learning rate,
//! t the number of the step, from 1.

mod params_and_state;

pub use params_and_state::{MAX_STATES, ParamsAndState};

use crate::kernels::elementwise::optimizer::apply::{ElementRule as Kernel, update};
use crate::kernels::elementwise::optimizer::rules::{
    Adam, GradientDescent, Momentum, Regularized, SquaredGradient,
};
use crate::kernels::real::Real;
use crate::kernels::tuning::optimizer::{MIN_THREAD_PARAMS, PIECE_PARAMS, WORK_PER_PARAM};
use crate::pool::Team;

/// An optimizer's rule, without its learning rate and state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// v ← μ v + g, p ← p − η v; with `nesterov` p ← p − η (g + μ v). The state is v, or empty without
    /// momentum.
    Sgd {
        /// μ.
        momentum: f64,
        /// Whether to use Nesterov momentum.
        nesterov: bool,
    },
    /// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁^t) and
    /// v̂ = v / (1 − β₂^t). The state is m and v (Kingma and Ba, 2015). `decay` λ multiplies p by (1 − η λ)
    /// first (Loshchilov and Hutter, 2019).
    Adam {
        /// β₁.
        beta1: f64,
        /// β₂.
        beta2: f64,
        /// ε.
        epsilon: f64,
        /// λ.
        decay: f64,
    },
    /// v ← α v + (1 − α) g², p ← p − η g / (√v + ε). The state is v (Hinton, 2012).
    RmsProp {
        /// α.
        alpha: f64,
        /// ε.
        epsilon: f64,
    },
    /// v ← v + g², p ← p − η g / (√v + ε). The state is v (Duchi, Hazan and Singer, 2011).
    Adagrad {
        /// ε.
        epsilon: f64,
    },
}

impl Rule {
    /// Plain gradient descent.
    pub const SGD: Self = Self::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    /// Gradient descent with a momentum of 0.9.
    #[cfg(test)]
    pub const MOMENTUM: Self = Self::Sgd {
        momentum: 0.9,
        nesterov: false,
    };
    /// Adam with the numbers of its authors.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.0,
    };

    /// The number of state values per parameter.
    pub fn n_states(self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => usize::from(momentum != 0.0),
            Self::Adam { .. } => 2,
            Self::RmsProp { .. } | Self::Adagrad { .. } => 1,
        }
    }
}

/// Scaling and penalties of a derivative: g = `scale` ∂C/∂p + `l2` p + `l1` sign(p).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regularization {
    /// The factor of the derivative.
    pub scale: f64,
    /// λ of the penalty λ/2 Σ p².
    pub l2: f64,
    /// λ of the penalty λ Σ |p|.
    pub l1: f64,
}

impl Regularization {
    /// The derivative itself.
    pub const NONE: Self = Self {
        scale: 1.0,
        l2: 0.0,
        l1: 0.0,
    };
}

/// How a step updates the parameters of a network.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    /// The step.
    pub step: Step,
    /// The terms for weights.
    pub weights: Regularization,
    /// The terms for biases.
    pub biases: Regularization,
}

/// One step of an optimizer.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    rule: Rule,
    rate: f64,
    /// 1 − β₁^t and 1 − β₂^t.
    corrections: (f64, f64),
}

impl Step {
    /// η, if the step is p ← p − η g.
    pub fn sgd_rate(&self) -> Option<f64> {
        match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => Some(self.rate),
            _ => None,
        }
    }

    /// Step number `t`, from 1, with the learning rate `rate`.
    pub fn new(rule: Rule, rate: f64, t: u64) -> Self {
        #[allow(clippy::cast_precision_loss)] // β^t is constant once t needs more than 53 bits
        let t = t as f64;
        let correction = |beta: f64| -libm::expm1(t * libm::log(beta));
        let corrections = match rule {
            Rule::Adam { beta1, beta2, .. } => (correction(beta1), correction(beta2)),
            _ => (1.0, 1.0),
        };
        Self {
            rule,
            rate,
            corrections,
        }
    }

    /// The cost of updating `length` parameters, in multiply-adds.
    pub fn work(length: usize) -> usize {
        length.saturating_mul(WORK_PER_PARAM)
    }

    /// The number of threads worth using, at most `allowed`.
    pub fn threads(length: usize, allowed: usize) -> usize {
        allowed.min(length / MIN_THREAD_PARAMS).max(1)
    }

    /// [`Self::apply`] for many parameters, by all threads of a team. Cannot be cancelled.
    ///
    /// # Panics
    /// As [`Self::apply`].
    pub fn run<T: Real>(
        &self,
        team: &Team,
        terms: Regularization,
        mut params_and_state: ParamsAndState<'_, T>,
        gradient: &[T],
    ) {
        let length = params_and_state.params.len();
        assert_eq!(length, gradient.len(), "the length of a gradient");
        if team.threads() == 1 || length <= PIECE_PARAMS {
            return self.apply(terms, params_and_state, gradient);
        }
        let pieces = gradient.chunks(PIECE_PARAMS);
        let pieces =
            pieces.map_while(|piece| Some((params_and_state.split_front(piece.len())?, piece)));
        let mut states = vec![(); team.threads()];
        let done = team.run(
            &mut states,
            pieces,
            &|| false,
            |(), (params_and_state, gradient), _| self.apply(terms, params_and_state, gradient),
        );
        debug_assert!(done.is_ok(), "nobody interrupts");
    }

    /// Updates some parameters, whose state has as many slices as [`Rule::n_states`] says.
    ///
    /// # Panics
    /// The state has another number of slices, or the gradient has another length.
    pub fn apply<T: Real>(
        &self,
        terms: Regularization,
        params_and_state: ParamsAndState<'_, T>,
        gradient: &[T],
    ) {
        let number = T::from_f64;
        let rate = number(self.rate);
        match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => {
                run(GradientDescent { rate }, terms, params_and_state, gradient);
            }
            Rule::Sgd { momentum, nesterov } => {
                let rule = Momentum {
                    rate,
                    mu: number(momentum),
                    nesterov,
                };
                run(rule, terms, params_and_state, gradient);
            }
            Rule::Adam {
                beta1,
                beta2,
                epsilon,
                decay,
            } => {
                let rule = Adam {
                    beta1: (number(beta1), number(1.0 - beta1)),
                    beta2: (number(beta2), number(1.0 - beta2)),
                    forgets: beta1 < 0.5,
                    epsilon: positive(epsilon),
                    shrink: number(1.0 - self.rate * decay),
                    rate: number(self.rate / self.corrections.0),
                    root: number(1.0 / self.corrections.1.sqrt()),
                };
                run(rule, terms, params_and_state, gradient);
            }
            Rule::RmsProp { alpha, epsilon } => {
                let rule = SquaredGradient {
                    rate,
                    epsilon: positive(epsilon),
                    keep: number(alpha),
                    take: number(1.0 - alpha),
                };
                run(rule, terms, params_and_state, gradient);
            }
            Rule::Adagrad { epsilon } => {
                let rule = SquaredGradient {
                    rate,
                    epsilon: positive(epsilon),
                    keep: T::ONE,
                    take: T::ONE,
                };
                run(rule, terms, params_and_state, gradient);
            }
        }
    }
}

/// ε as a `T`, but never 0, which would give 0 / 0 for a parameter with a zero gradient.
fn positive<T: Real>(epsilon: f64) -> T {
    let (epsilon, least) = (T::from_f64(epsilon), T::ONE / T::MAX);
    if epsilon < least { least } else { epsilon }
}

fn run<T: Real, const STATE: usize>(
    rule: impl Kernel<T, STATE>,
    terms: Regularization,
    params_and_state: ParamsAndState<'_, T>,
    gradient: &[T],
) {
    let (params, state) = params_and_state.into_slices::<STATE>();
    if terms == Regularization::NONE {
        return update(rule, params, gradient, state);
    }
    let rule = Regularized {
        rule,
        scale: T::from_f64(terms.scale),
        l2: T::from_f64(terms.l2),
        l1: T::from_f64(terms.l1),
    };
    update(rule, params, gradient, state);
}

#[cfg(test)]
mod tests;
