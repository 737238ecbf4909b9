//! What comes in with a batch: x, y and the weights of the examples, checked against a network.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::cost::{Cost, Wanted};
use crate::error::{Error, Result};
use crate::interrupt::ELEMENT_WORK;
use crate::kernels::product::Values;
use crate::labels;
use crate::network::Network;
use crate::scalar::Real;
use crate::sparse::SparseRows;

/// a^(l−1) of some examples: what comes into a layer.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a, T> {
    /// A number for each neuron.
    Dense(Values<'a, T>),
    /// Some numbers of each example; the others are 0.
    Sparse(SparseRows<'a, T>),
}

/// x: n examples of n_1 numbers, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a, T> {
    pub(crate) n: usize,
    width: usize,
    pub(crate) x: Incoming<'a, T>,
}

impl<'a, T: Real> Inputs<'a, T> {
    /// Takes x of shape (n, n_1), n ≥ 1, C-contiguous.
    ///
    /// # Errors
    /// Another shape, an empty batch, or another layout.
    pub fn new(network: &Network, x: ArrayView2<'a, T>) -> Result<Self> {
        let (n, width) = check_shape(network, x.dim())?;
        let x = Incoming::Dense(Values::by_example(contiguous("x", x)?));
        Ok(Self { n, width, x })
    }

    /// Takes x of shape (n, n_1), n ≥ 1, of which only some numbers are stored. They were proven
    /// before: nothing is looked at here but the shape.
    ///
    /// # Errors
    /// Another shape, an empty batch.
    pub fn sparse(network: &Network, x: SparseRows<'a, T>) -> Result<Self> {
        let (n, width) = check_shape(network, (x.len(), x.width()))?;
        let x = Incoming::Sparse(x);
        Ok(Self { n, width, x })
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Some of the examples.
    pub(crate) fn part(&self, rows: &Range<usize>) -> Self {
        let (n, width) = (rows.len(), self.width);
        let x = match self.x {
            Incoming::Dense(x) => Incoming::Dense(x.part(rows, width)),
            Incoming::Sparse(x) => Incoming::Sparse(x.part(rows.clone())),
        };
        Self { n, width, x }
    }

    /// Other examples of the same width: `n` of them, all their numbers in `x`.
    pub(crate) fn with_dense(&self, n: usize, x: &'a [T]) -> Self {
        let x = Incoming::Dense(Values::by_example(x));
        Self { n, x, ..*self }
    }

    /// Some of the examples, read where they lie: all their numbers are there, one example after the
    /// other.
    pub(crate) fn picked(&self, all: &'a [T], rows: &'a [u32]) -> Self {
        let (n, x) = (rows.len(), Values::picked(all, self.width, rows));
        Self {
            n,
            x: Incoming::Dense(x),
            ..*self
        }
    }

    /// Whether the first layer's numbers have to lie by example.
    pub(crate) fn by_example(&self) -> bool {
        match self.x {
            Incoming::Dense(x) => x.are_picked(),
            Incoming::Sparse(_) => true,
        }
    }

    /// Other examples of the same width, of which only some numbers are stored.
    pub(crate) fn with_sparse(&self, x: SparseRows<'a, T>) -> Self {
        let (n, x) = (x.len(), Incoming::Sparse(x));
        Self { n, x, ..*self }
    }

    /// n_1.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many numbers of x are stored, where not all are.
    pub(crate) fn stored(&self) -> Option<usize> {
        match self.x {
            Incoming::Dense(_) => None,
            Incoming::Sparse(x) => Some(x.stored()),
        }
    }

    /// The multiply-adds of the forward pass's products.
    pub(crate) fn products(&self, network: &Network) -> usize {
        let all = self.n.saturating_mul(network.n_weights());
        let Some(stored) = self.stored() else {
            return all;
        };
        let first = &network.layers()[0];
        let missing = self.n.saturating_mul(first.n_in).saturating_sub(stored);
        all.saturating_sub(missing.saturating_mul(first.n_out))
    }

    /// What the forward pass costs, in multiply-adds.
    pub fn work(&self, network: &Network) -> usize {
        let elements = network.n_neurons().saturating_mul(ELEMENT_WORK);
        self.products(network)
            .saturating_add(self.n.saturating_mul(elements))
    }

    /// x into `out`, (n, n_1), with every number.
    ///
    /// # Panics
    /// `out` has another length.
    pub fn write_dense(&self, out: &mut [T]) {
        match self.x {
            Incoming::Dense(x) => {
                for (place, row) in out.chunks_exact_mut(self.width).zip(x.rows(self.width)) {
                    place.copy_from_slice(row);
                }
            }
            Incoming::Sparse(x) => x.write_dense(out),
        }
    }

    /// Never: an empty batch is an error.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// y for each example.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Y<'a, T> {
    /// (n, n_L), row by row.
    Values(&'a [T]),
    /// (n,): the neuron that should be 1 while the others are 0; a single output's own value.
    Labels(&'a [i64]),
}

/// How the costs of the examples add up to C.
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
    /// There is none.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "mean" => Ok(Self::Mean),
            "sum" => Ok(Self::Sum),
            _ => Err(Error::unknown_name("reduction", name, &["mean", "sum"])),
        }
    }
}

/// y, and the factor with which each example counts.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a, T> {
    pub(crate) y: Y<'a, T>,
    pub(crate) width: usize,
    pub(crate) sample_weight: Option<&'a [f64]>,
    /// What the weights are taken in units of, so that a mean with them cannot overflow.
    unit: f64,
    divisor: f64,
    /// What every δ is multiplied with beside.
    scale: f64,
}

impl<'a, T: Real> Targets<'a, T> {
    /// y of shape (n, `width`), C-contiguous: the outputs wanted. With a custom cost: ∇_a `C_x`.
    ///
    /// # Errors
    /// Another shape or layout.
    pub fn values(width: usize, n: usize, y: ArrayView2<'a, T>) -> Result<Self> {
        if y.dim() != (n, width) {
            return Err(Error::shape("y", &[n, width], y.shape()));
        }
        Ok(Self::new(Y::Values(contiguous("y", y)?), n, width))
    }

    /// y of shape (n,): class labels from 0 to `width` − 1; 0 or 1 for a single output.
    ///
    /// # Errors
    /// A cost that takes no labels, another length, a label out of range.
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

    /// The same targets under `reduction`, example x counted with `sample_weight[x]`.
    ///
    /// # Errors
    /// A wrong number of weights, one that is negative or not finite, or, for the mean, a sum of 0.
    #[allow(clippy::cast_precision_loss)]
    pub fn weighted(
        self,
        n: usize,
        reduction: Reduction,
        sample_weight: Option<&'a [f64]>,
    ) -> Result<Self> {
        let (total, unit) = match (sample_weight, reduction) {
            (None, _) => (n as f64, 1.0),
            (Some(weights), Reduction::Sum) => (check_weights(n, weights)?, 1.0),
            (Some(weights), Reduction::Mean) => {
                let total = check_weights(n, weights)?;
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

    /// Nothing, for `n` examples whose cost the caller computes.
    pub fn none(n: usize) -> Self {
        Self::new(Y::Values(&[]), n, 0)
    }

    /// The same targets, each to be counted with its number of `sample_weight`, which has been
    /// checked.
    pub fn with_weights(self, sample_weight: Option<&'a [f64]>) -> Self {
        Self {
            sample_weight,
            ..self
        }
    }

    /// The same targets, whose δ are multiplied with `scale`.
    pub(crate) fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// `s_x / Σ s`: what δ of example `x` is multiplied with.
    pub(crate) fn factor(&self, x: usize) -> T {
        T::from_f64(self.sample_weight(x) / self.divisor * self.scale)
    }

    /// `s_x`, in units of its own.
    pub(crate) fn sample_weight(&self, x: usize) -> f64 {
        self.sample_weight
            .map_or(1.0, |weights| weights[x] / self.unit)
    }

    /// Σ s in the same units, or 1: what the sum of the costs is divided by.
    pub(crate) fn divisor(&self) -> f64 {
        self.divisor
    }

    /// C from the costs `C_x` of the examples.
    pub fn total(&self, costs: &[f64]) -> f64 {
        let costs = costs.iter().enumerate();
        let sum = costs.fold(0.0, |sum, (x, cost)| sum + self.sample_weight(x) * cost);
        sum / self.divisor
    }

    /// y of example `x`.
    pub(crate) fn of(&self, x: usize) -> Wanted<'a, T> {
        match self.y {
            Y::Values(y) => Wanted::Values(&y[x * self.width..][..self.width]),
            Y::Labels(labels) if self.width == 1 => Wanted::Label((labels[x] == 1).then_some(0)),
            Y::Labels(labels) => Wanted::Label(usize::try_from(labels[x]).ok()),
        }
    }
}

/// Σ s_x.
pub(crate) fn check_weights(n: usize, weights: &[f64]) -> Result<f64> {
    if weights.len() != n {
        return Err(Error::shape("sample_weight", &[n], &[weights.len()]));
    }
    let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
    if let Some(x) = weights.iter().position(bad) {
        return Err(Error::value(
            format_args!("sample_weight[{x}]"),
            "a finite weight, 0 or above",
            weights[x].to_string().to_lowercase(), // as Python writes nan
        ));
    }
    let total: f64 = weights.iter().sum();
    if !total.is_finite() {
        return Err(Error::value("sample_weight", "a finite sum", total));
    }
    Ok(total)
}

/// # Errors
/// x is not of shape (n, n_1), or n = 0.
fn check_shape(network: &Network, (n, width): (usize, usize)) -> Result<(usize, usize)> {
    if width != network.n_inputs() {
        return Err(Error::shape("x", &[n, network.n_inputs()], &[n, width]));
    }
    if n == 0 {
        return Err(Error::value("x", "one example or more", "an empty batch"));
    }
    Ok((n, width))
}

fn contiguous<'a, T>(argument: &str, array: ArrayView2<'a, T>) -> Result<&'a [T]> {
    array
        .to_slice()
        .ok_or_else(|| Error::value(argument, "a C-contiguous array", "another layout"))
}
