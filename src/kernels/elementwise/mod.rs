//! Vectorized functions of the elements of a slice.

pub mod activations;
pub mod apply_rule;
pub mod checksum;
pub mod derivatives;
pub mod gelu_tanh;
pub(super) mod map;
pub mod mish;
pub(crate) mod optimizer_rules;
pub mod saturation;
mod scale_rows;
pub mod second_derivatives;
mod softmax;
pub mod squares;
pub mod taylor;
#[cfg(test)]
mod tests;
pub mod third_derivatives;
mod zip;

pub use map::{UnaryFunction, map, scale};
pub use scale_rows::scale_rows;
pub use softmax::softmax;
