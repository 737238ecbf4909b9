//! y, the sample weights, and the reduction of the costs.

use std::ops::Range;

use crate::base::error::{Error, Result};
use crate::base::sum::extended::Extended;
use crate::base::sum::sum;
use crate::data::target_shape::check_axes;
use crate::data::{contiguous, labels};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::cost::{Cost, ExampleTarget};

/// y of each example.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Y<'a, T> {
    /// (n, n_L), row-major.
    Values(&'a [T]),
    /// (n,): the neuron whose target is 1, while the others' are 0; for a single output, the target itself.
    Labels(&'a [i64]),
}

/// How the costs of the examples are combined to C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reduction {
    /// `C = Σ C_x / n`, or `Σ s_x C_x / Σ s_x`.
    #[default]
    Mean,
    /// `C = Σ C_x`, or `Σ s_x C_x`.
    Sum,
}

impl Reduction {
    /// The reduction called `name`.
    ///
    /// # Errors
    /// No reduction has this name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "mean" => Ok(Self::Mean),
            "sum" => Ok(Self::Sum),
            "none" => Err(Error::value(
                "reduction",
                "'mean' or 'sum'",
                "'none', which cost and errors alone take",
            )),
            _ => Err(Error::unknown_name("reduction", name, &["mean", "sum"])),
        }
    }

    /// The reduction of a cost; nothing where its examples are not added up.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn of_cost(name: &str) -> Result<Option<Self>> {
        match name {
            "none" => Ok(None),
            "mean" | "sum" => Self::from_name(name).map(Some),
            _ => Err(Error::unknown_name(
                "reduction",
                name,
                &["mean", "sum", "none"],
            )),
        }
    }
}

/// y and the weight of each example.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a, T> {
    pub(crate) y: Y<'a, T>,
    pub(crate) width: usize,
    pub(crate) sample_weight: Option<&'a [f64]>,
    /// The unit of the weights, chosen so that a weighted mean cannot overflow.
    unit: f64,
    divisor: f64,
    /// An additional factor of every δ.
    scale: f64,
}

impl<'a, T: Real> Targets<'a, T> {
    /// y of shape (n, `width`), contiguous and row-major: the target values. With a custom cost: ∇_a `C_x`.
    ///
    /// # Errors
    /// Another shape or layout.
    pub fn values(width: usize, n: usize, y: Matrix<'a, T>) -> Result<Self> {
        check_axes(&[n, width], &<[usize; 2]>::from(y.shape()))?;
        Ok(Self::new(Y::Values(contiguous("y", &y)?), n, width))
    }

    /// y of shape (n,): class labels from 0 to `width` − 1; 0 or 1 for a single output.
    ///
    /// # Errors
    /// The cost takes no labels, the length is not n, or a label is out of range.
    pub fn labels(width: usize, cost: Cost, n: usize, y: &'a [i64]) -> Result<Self> {
        labels::check(width, cost, n, y, 0)?;
        Ok(Self::new(Y::Labels(y), n, width))
    }

    #[allow(clippy::cast_precision_loss)] // n < 2^53
    pub(crate) fn new(y: Y<'a, T>, n: usize, width: usize) -> Self {
        Self {
            y,
            width,
            sample_weight: None,
            unit: 1.0,
            divisor: n as f64,
            scale: 1.0,
        }
    }

    /// The same targets with `reduction`, and example x weighted by `sample_weight[x]`.
    ///
    /// # Errors
    /// A wrong number of weights, a weight that is not finite, or, for the mean, one below 0 or a sum of 0.
    #[allow(clippy::cast_precision_loss)]
    pub fn weighted(
        self,
        n: usize,
        reduction: Reduction,
        sample_weight: Option<&'a [f64]>,
    ) -> Result<Self> {
        let (total, unit) = match (sample_weight, reduction) {
            (None, _) => (n as f64, 1.0),
            (Some(weights), Reduction::Sum) => (check_weights(n, weights, true)?, 1.0),
            (Some(weights), Reduction::Mean) => {
                let total = check_weights(n, weights, false)?;
                let usual = (1e-100..1e100).contains(&total);
                let unit = if usual { 1.0 } else { total };
                (total / unit, unit)
            }
        };
        let divisor = match reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean if total > 0.0 => total,
            Reduction::Mean => {
                return Err(Error::value(
                    "sample_weight",
                    "a weight above 0 for at least one example",
                    "all zero",
                ));
            }
        };
        Ok(Self {
            sample_weight,
            unit,
            divisor,
            ..self
        })
    }

    /// Empty targets for `n` examples whose cost the caller computes.
    pub fn none(n: usize) -> Self {
        Self::new(Y::Values(&[]), n, 0)
    }

    /// The same targets, weighted by `sample_weight`, which has been validated.
    pub fn with_weights(self, sample_weight: Option<&'a [f64]>) -> Self {
        Self {
            sample_weight,
            ..self
        }
    }

    /// The same targets, with every δ multiplied by `scale`.
    pub(crate) fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The same targets, with each example by itself: a factor of 1.
    pub(crate) fn of_single_examples(&self) -> Self {
        Self {
            sample_weight: None,
            unit: 1.0,
            divisor: 1.0,
            scale: 1.0,
            ..*self
        }
    }

    /// `s_x / Σ s`: the factor of δ of example `x`.
    pub(crate) fn factor(&self, x: usize) -> T {
        T::from_f64(self.sample_weight(x) / self.divisor * self.scale)
    }

    /// `s_x`, in the unit of the weights.
    #[inline]
    pub(crate) fn sample_weight(&self, x: usize) -> f64 {
        self.sample_weight
            .map_or(1.0, |weights| weights[x] / self.unit)
    }

    /// Whether the examples have weights.
    pub(crate) fn is_weighted(&self) -> bool {
        self.sample_weight.is_some()
    }

    /// Σ |`s_x`| in the same unit, if the examples have weights.
    pub(crate) fn all_weight(&self) -> Option<f64> {
        let weights = self.sample_weight?;
        Some(sum(weights.iter().map(|weight| (weight / self.unit).abs())))
    }

    /// Σ s in the same unit, or 1: the divisor of the sum of the costs.
    pub(crate) fn divisor(&self) -> f64 {
        self.divisor
    }

    /// `s_x C_x` from the costs `C_x` of the examples, in place.
    pub fn weigh(&self, costs: &mut [f64]) {
        for (x, cost) in costs.iter_mut().enumerate() {
            *cost *= self.sample_weight(x);
        }
    }

    /// C from the costs `C_x` of the examples.
    pub fn total(&self, costs: &[f64]) -> f64 {
        let costs = costs.iter().enumerate();
        let weighted = costs.map(|(x, &cost)| Extended::product(self.sample_weight(x), cost));
        Extended::sum(weighted).over(self.divisor)
    }

    /// y of the examples `rows`, (rows, n_L), unless it is given as labels.
    pub(crate) fn values_of(&self, rows: &Range<usize>) -> Option<&'a [T]> {
        match self.y {
            Y::Values(y) => Some(&y[rows.start * self.width..rows.end * self.width]),
            Y::Labels(_) => None,
        }
    }

    /// The factor of δ of all examples, if it is the same for all.
    pub(crate) fn common_factor(&self) -> Option<T> {
        self.sample_weight.is_none().then(|| self.factor(0))
    }

    /// y of example `x`.
    #[inline]
    pub(crate) fn example(&self, x: usize) -> ExampleTarget<'a, T> {
        match self.y {
            Y::Values(y) => ExampleTarget::Values(&y[x * self.width..][..self.width]),
            Y::Labels(labels) if self.width == 1 => {
                ExampleTarget::Label((labels[x] == 1).then_some(0))
            }
            Y::Labels(labels) => ExampleTarget::Label(usize::try_from(labels[x]).ok()),
        }
    }
}

/// Σ s_x. With `signed` weights may be negative; a mean could divide by 0.
pub(crate) fn check_weights(n: usize, weights: &[f64], signed: bool) -> Result<f64> {
    if weights.len() != n {
        return Err(Error::shape("sample_weight", &[n], &[weights.len()]));
    }
    let is_good = |weight: f64| weight.is_finite() && (signed || weight >= 0.0);
    if let Some(x) = weights.iter().position(|&weight| !is_good(weight)) {
        return Err(Error::value(
            format_args!("sample_weight[{x}]"),
            if signed {
                "a finite weight"
            } else {
                "a finite weight, 0 or above"
            },
            format_args!(
                "{}{}",
                weights[x].to_string().to_lowercase(), // as Python writes nan
                if weights[x].is_finite() {
                    "; reduction='sum' takes any sign"
                } else {
                    ""
                },
            ),
        ));
    }
    let total = sum(weights.iter().copied());
    if !total.is_finite() {
        return Err(Error::value("sample_weight", "a finite sum", total));
    }
    Ok(total)
}
