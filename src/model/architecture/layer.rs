//! A layer of weights.

use std::ops::Range;

use crate::model::activation::Activation;

/// One layer of weights, from `n_in` = n_(l−1) to `n_out` = n_l neurons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layer {
    /// n_(l−1).
    pub n_in: usize,
    /// n_l.
    pub n_out: usize,
    /// σ_l.
    pub activation: Activation,
    /// The range of (W^l)ᵀ in the flat vector: (n_(l−1), n_l), row-major, so that the weights into adjacent
    /// neurons are adjacent in memory.
    pub weights: Range<usize>,
    /// The row stride: n_l, or more if rows are padded to whole cache lines.
    pub row_stride: usize,
    /// The range of b^l, directly after the weights; empty if the layer has no biases.
    pub biases: Range<usize>,
}

impl Layer {
    /// Whether the layer has biases.
    pub fn has_biases(&self) -> bool {
        !self.biases.is_empty()
    }
}
