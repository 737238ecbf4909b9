//! C and ∇_a C: the cost functions, and the output activations that each allows.

use crate::base::error::{Error, Result};
use crate::base::sum::LaneSum;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::fused::Fused;
use crate::model::residual::{huber, quadratic, sum_rows};

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
    /// The caller computes `C_x` and ∇_a C from a^L (a custom cost).
    Custom,
    /// The caller computes `C_x` and ∂C/∂z^L from z^L (a custom cost too).
    CustomOfZ,
}

/// How far y may exceed its range: values computed in float32 are off by rounding.
const ROUNDING: f64 = 1e-6;

impl Cost {
    /// Every cost with a name, in the order shown to users.
    pub const ALL: [Self; 6] = [
        Self::Quadratic,
        Self::CrossEntropy,
        Self::LogLikelihood,
        Self::Huber,
        Self::Absolute,
        Self::Poisson,
    ];

    /// The name that users type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quadratic => "quadratic",
            Self::CrossEntropy => "cross_entropy",
            Self::LogLikelihood => "log_likelihood",
            Self::Huber => "huber",
            Self::Absolute => "absolute",
            Self::Poisson => "poisson",
            Self::Custom | Self::CustomOfZ => "custom",
        }
    }

    /// The cost called `name`; errors name the argument `argument`.
    ///
    /// # Errors
    /// No cost has this name; the message lists the valid ones.
    pub fn from_name(argument: impl std::fmt::Display, name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|cost| cost.name() == name)
            .ok_or_else(|| Error::unknown_name(argument, name, &Self::ALL.map(Self::name)))
    }

    /// The output activations that the cost allows: those whose range is within the cost's domain. Empty:
    /// all of them.
    pub const fn allowed_outputs(self) -> &'static [Activation] {
        use Activation::{Sigmoid, Softmax, Softplus};
        match self {
            Self::CrossEntropy => &[Sigmoid, Softmax],
            Self::LogLikelihood => &[Softmax],
            Self::Poisson => &[Sigmoid, Softplus, Softmax],
            Self::Quadratic | Self::Huber | Self::Absolute | Self::Custom | Self::CustomOfZ => &[],
        }
    }

    /// Checks that the cost allows the output activation `output`.
    ///
    /// # Errors
    /// It does not; the message lists those that it allows.
    pub fn check_output(self, output: Activation) -> Result<()> {
        let outputs = self.allowed_outputs();
        if outputs.is_empty() || outputs.contains(&output) {
            return Ok(());
        }
        let names: Vec<&str> = outputs.iter().map(|output| output.name()).collect();
        Err(Error::value(
            "output",
            format_args!("'{}' with cost '{}'", names.join("' or '"), self.name()),
            format_args!("'{output}'"),
        ))
    }

    /// The closed interval of y for which the cost has a minimum; None if it has one for every y.
    pub const fn range(self) -> Option<(f64, f64)> {
        match self {
            Self::CrossEntropy => Some((0.0, 1.0)),
            Self::LogLikelihood | Self::Poisson => Some((0.0, f64::INFINITY)),
            Self::Quadratic | Self::Huber | Self::Absolute | Self::Custom | Self::CustomOfZ => None,
        }
    }

    /// Checks the range of y, with `width` values per example; errors count examples from `first`. NaN is
    /// accepted.
    ///
    /// # Errors
    /// A value for which the cost has no minimum, by more than a rounding error.
    pub fn check_range<T: Real>(self, y: &[T], width: usize, first: usize) -> Result<()> {
        let Some((least, most)) = self.range() else {
            return Ok(());
        };
        let beyond = |y: &T| {
            let y = y.to_f64();
            y < least - ROUNDING || y > most + ROUNDING
        };
        let Some(index) = y.iter().position(beyond) else {
            return Ok(());
        };
        let expected = if most.is_finite() {
            format!("numbers from {least} to {most}")
        } else {
            format!("numbers of {least} or above")
        };
        Err(Error::value(
            format_args!("y[{}]", first + index / width),
            format_args!("{expected} with cost '{}'", self.name()),
            format_args!("{:?}", y[index]),
        ))
    }

    /// Whether y may be given as class labels.
    pub const fn takes_labels(self) -> bool {
        matches!(self, Self::CrossEntropy | Self::LogLikelihood)
    }

    /// The fused form of the cost with that output, if there is one.
    pub(crate) const fn fused(self, output: Activation) -> Option<Fused> {
        match (self, output) {
            (Self::CustomOfZ, _) => Some(Fused::Given),
            (Self::CrossEntropy, Activation::Sigmoid) => Some(Fused::SigmoidCrossEntropy),
            (Self::CrossEntropy, Activation::Softmax) => Some(Fused::SoftmaxCrossEntropy),
            (Self::LogLikelihood, Activation::Softmax) => Some(Fused::SoftmaxLogLikelihood),
            (Self::Poisson, Activation::Sigmoid) => Some(Fused::SigmoidPoisson),
            (Self::Poisson, Activation::Softplus) => Some(Fused::SoftplusPoisson),
            (Self::Poisson, Activation::Softmax) => Some(Fused::SoftmaxPoisson),
            _ => None,
        }
    }

    /// `C_x` of one example, in float64; 0 for a custom cost, whose value is not known here.
    #[inline]
    pub fn of_example<T: Real>(
        self,
        output: Activation,
        z: &[T],
        a: &[T],
        y: ExampleTarget<'_, T>,
    ) -> f64 {
        match y {
            ExampleTarget::Values(y) => {
                let y = &y[..a.len()];
                self.sum(output, z, a, |j| y[j])
            }
            ExampleTarget::Label(label) => self.sum(output, z, a, |j| indicator(label == Some(j))),
        }
    }

    #[inline]
    fn sum<T: Real>(self, output: Activation, z: &[T], a: &[T], y: impl Fn(usize) -> T) -> f64 {
        if let Some(fused) = self.fused(output) {
            return fused.cost(z, a, y);
        }
        let mut sum = LaneSum::default();
        let residual = |j: usize| a[j].to_f64() - y(j).to_f64();
        match self {
            Self::Quadratic => sum.add(a.len(), |j| quadratic(residual(j))),
            Self::Huber => sum.add(a.len(), |j| huber(residual(j))),
            Self::Absolute => sum.add(a.len(), |j| residual(j).abs()),
            Self::Custom => {}
            Self::CrossEntropy | Self::LogLikelihood | Self::Poisson | Self::CustomOfZ => {
                unreachable!("fused with every output that it allows")
            }
        }
        sum.total()
    }

    /// Calls `each` with `C_x` of several examples in order, if the cost is not fused with the output: the same
    /// as [`Self::of_example`] of each, in less time.
    ///
    /// `a`, `y`: (rows, `width`).
    pub(crate) fn of_examples<T: Real>(
        self,
        a: &[T],
        y: &[T],
        width: usize,
        each: impl FnMut(f64),
    ) {
        match self {
            Self::Quadratic => sum_rows(a, y, width, quadratic, each),
            Self::Huber => sum_rows(a, y, width, huber, each),
            Self::Absolute => sum_rows(a, y, width, f64::abs, each),
            Self::Custom => (0..a.len() / width).map(|_| 0.0).for_each(each),
            Self::CrossEntropy | Self::LogLikelihood | Self::Poisson | Self::CustomOfZ => {
                unreachable!("fused with every output that it allows")
            }
        }
    }

    /// ∇_a `C_x` of one example, or δ^L if the cost is fused with the output. With a custom cost, y is
    /// `∂C_x/∂a` or `∂C_x/∂z` itself.
    pub fn nabla<T: Real>(
        self,
        output: Activation,
        z: &[T],
        a: &[T],
        y: ExampleTarget<'_, T>,
        delta: &mut [T],
    ) {
        match y {
            ExampleTarget::Values(y) => {
                let (y, delta) = (&y[..a.len()], &mut delta[..a.len()]);
                self.nabla_from(output, z, a, |j| y[j], delta);
            }
            ExampleTarget::Label(label) => {
                self.nabla_from(output, z, a, |j| indicator(label == Some(j)), delta);
            }
        }
    }

    fn nabla_from<T: Real>(
        self,
        output: Activation,
        z: &[T],
        a: &[T],
        y: impl Fn(usize) -> T,
        delta: &mut [T],
    ) {
        if let Some(fused) = self.fused(output) {
            return fused.delta(z, a, y, delta);
        }
        if self == Self::Custom {
            delta
                .iter_mut()
                .enumerate()
                .for_each(|(j, delta)| *delta = y(j));
            return;
        }
        for (j, (delta, &a)) in delta.iter_mut().zip(a).enumerate() {
            *delta = a - y(j);
        }
        let derivative = |r: T| if r.abs() > T::ONE { sign(r) } else { r };
        match self {
            Self::Huber => delta.iter_mut().for_each(|r| *r = derivative(*r)),
            Self::Absolute => delta.iter_mut().for_each(|r| *r = sign(*r)),
            Self::Quadratic | Self::Custom => {}
            Self::CrossEntropy | Self::LogLikelihood | Self::Poisson | Self::CustomOfZ => {
                unreachable!("fused with every output that it allows")
            }
        }
    }

    /// Whether [`Self::nabla`] is already δ^L. A fused cost reads z^L in addition to a^L; of any other cost an
    /// element of ∇_a C_x depends on its own a and y alone.
    pub(crate) fn is_fused(self, output: Activation) -> bool {
        self.fused(output).is_some()
    }
}

/// The targets of one example.
#[derive(Debug, Clone, Copy)]
pub enum ExampleTarget<'a, T> {
    /// One value per output.
    Values(&'a [T]),
    /// 1 for one output, or for none, and 0 for the others.
    Label(Option<usize>),
}

impl<T: Real> ExampleTarget<'_, T> {
    /// `y_j`.
    pub(crate) fn value(&self, j: usize) -> f64 {
        match self {
            Self::Values(y) => y[j].to_f64(),
            Self::Label(label) => indicator(*label == Some(j)),
        }
    }
}

fn indicator<T: Real>(condition: bool) -> T {
    if condition { T::ONE } else { T::ZERO }
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
