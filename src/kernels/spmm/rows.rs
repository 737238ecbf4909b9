//! The rows of a weight gradient that a call computes.

/// Some rows of a weight gradient: those of the inputs from `first` on.
#[derive(Debug)]
pub struct GradientRows<'a, T> {
    /// (inputs, n_out), including the padding between rows.
    pub numbers: &'a mut [T],
    /// The first input.
    pub first: usize,
    /// The row stride.
    pub stride: usize,
}
