//! C and ∇_a C: the cost functions, and which outputs each of them goes with.

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::fused::Fused;
use crate::interrupt::Pulse;
use crate::scalar::Real;

/// The cost `C_x` of one example, a sum over the output neurons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// `C_x = ½ ‖a − y‖²`.
    Quadratic,
    /// `C_x = −Σ [y ln a + (1 − y) ln(1 − a)]`; outputs in (0, 1).
    CrossEntropy,
    /// `C_x = −Σ y ln a`; softmax outputs.
    LogLikelihood,
    /// `C_x = Σ h(a − y)`, `h(r) = ½ r²` for |r| ≤ 1, else |r| − ½.
    Huber,
    /// `C_x = Σ |a − y|`; its gradient at a = y is 0.
    Absolute,
    /// `C_x = Σ a − y ln a` (without the constant ln y!); positive outputs.
    Poisson,
    /// The caller computes `C_x` and ∇_a C.
    Custom,
}

impl Cost {
    /// Every cost that has a name, in the order in which they are listed to users.
    pub const ALL: [Self; 6] = [
        Self::Quadratic,
        Self::CrossEntropy,
        Self::LogLikelihood,
        Self::Huber,
        Self::Absolute,
        Self::Poisson,
    ];

    /// The name by which users call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quadratic => "quadratic",
            Self::CrossEntropy => "cross_entropy",
            Self::LogLikelihood => "log_likelihood",
            Self::Huber => "huber",
            Self::Absolute => "absolute",
            Self::Poisson => "poisson",
            Self::Custom => "custom",
        }
    }

    /// The cost of that `name`, wanted for the argument `argument`.
    ///
    /// # Errors
    /// There is none; the message lists those there are.
    pub fn from_name(argument: impl std::fmt::Display, name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|cost| cost.name() == name)
            .ok_or_else(|| Error::unknown_name(argument, name, &Self::ALL.map(Self::name)))
    }

    /// The outputs that the cost goes with: those whose range is, by construction, where the cost
    /// is defined. Empty: all of them.
    pub const fn outputs(self) -> &'static [Activation] {
        use Activation::{Sigmoid, Softmax, Softplus};
        match self {
            Self::CrossEntropy => &[Sigmoid, Softmax],
            Self::LogLikelihood => &[Softmax],
            Self::Poisson => &[Sigmoid, Softplus, Softmax],
            Self::Quadratic | Self::Huber | Self::Absolute | Self::Custom => &[],
        }
    }

    /// Checks that the cost goes with an `output`.
    ///
    /// # Errors
    /// It does not; the message says which outputs do.
    pub fn check_output(self, output: Activation) -> Result<()> {
        let outputs = self.outputs();
        if outputs.is_empty() || outputs.contains(&output) {
            return Ok(());
        }
        let names: Vec<&str> = outputs.iter().map(|output| output.name()).collect();
        Err(Error::value(
            "output",
            format_args!("'{}' with cost '{}'", names.join("' or '"), self.name()),
            format_args!("'{}'", output.name()),
        ))
    }

    /// Whether y may be given as class labels.
    pub const fn takes_labels(self) -> bool {
        matches!(self, Self::CrossEntropy | Self::LogLikelihood)
    }

    /// Whether `C_x` or BP1 reads z^L beside a^L.
    pub fn needs_z(self, output: Activation) -> bool {
        self.fused(output).is_some()
    }

    /// The fused form of the cost over that output, if there is one.
    const fn fused(self, output: Activation) -> Option<Fused> {
        match (self, output) {
            (Self::CrossEntropy, Activation::Sigmoid) => Some(Fused::SigmoidCrossEntropy),
            (Self::CrossEntropy, Activation::Softmax) => Some(Fused::SoftmaxCrossEntropy),
            (Self::LogLikelihood, Activation::Softmax) => Some(Fused::SoftmaxLogLikelihood),
            (Self::Poisson, Activation::Sigmoid) => Some(Fused::SigmoidPoisson),
            (Self::Poisson, Activation::Softplus) => Some(Fused::SoftplusPoisson),
            (Self::Poisson, Activation::Softmax) => Some(Fused::SoftmaxPoisson),
            _ => None,
        }
    }

    /// `C_x` of one example, in float64. `y(j)` is the target of output neuron j.
    /// A custom cost has no value here: 0.
    pub fn of_example<T: Real>(
        self,
        output: Activation,
        z: &[T],
        a: &[T],
        y: impl Fn(usize) -> T,
    ) -> f64 {
        if let Some(fused) = self.fused(output) {
            return fused.cost(z, a, y);
        }
        let term = |residual: f64| match self {
            Self::Quadratic => 0.5 * residual * residual,
            Self::Huber if residual.abs() <= 1.0 => 0.5 * residual * residual,
            Self::Huber => residual.abs() - 0.5,
            Self::Absolute => residual.abs(),
            _ => 0.0,
        };
        let residuals = a
            .iter()
            .enumerate()
            .map(|(j, a)| a.to_f64() - y(j).to_f64());
        residuals.fold(0.0, |sum, residual| sum + term(residual))
    }

    /// BP1 for one example: δ^L = ∇_a `C_x` ⊙ σ'(z^L), the Jacobian product for softmax.
    /// With a custom cost, `y(j)` is `∂C_x/∂a_j` itself.
    pub fn bp1<T: Real>(
        self,
        output: Activation,
        z: &[T],
        a: &[T],
        y: impl Fn(usize) -> T,
        delta: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        if let Some(fused) = self.fused(output) {
            fused.delta(z, a, y, delta);
            return;
        }
        let nabla_a = |residual: T| match self {
            Self::Huber if residual.abs() > T::ONE => sign(residual),
            Self::Absolute => sign(residual),
            _ => residual,
        };
        for (j, (delta, &a)) in delta.iter_mut().zip(a).enumerate() {
            *delta = match self {
                Self::Custom => y(j),
                _ => nabla_a(a - y(j)),
            };
        }
        output.pull_back(delta, a, z, a.len(), pulse);
    }
}

/// −1, ±0 or 1; NaN for NaN.
fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        // ±0 and NaN.
        x
    }
}
