//! Vectorized functions of the elements of a slice.
//!
//! - `activations`: σ and its derivatives
//! - `optimizer`: the update rules of the optimizers
//! - `norms`: Euclidean norms and sums of squares

pub mod activations;
pub mod checksum;
pub(super) mod map;
pub mod norms;
pub mod optimizer;
pub mod saturation;
mod scale_rows;
mod zip;

pub use map::{UnaryFunction, map, scale};
pub use scale_rows::scale_rows;
