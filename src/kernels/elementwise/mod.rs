//! Functions of each number of a slice, in registers.

pub mod activations;
pub mod apply_rule;
pub mod derivatives;
pub(super) mod map;
pub(crate) mod optimizer_rules;
mod softmax;
#[cfg(test)]
mod tests;

pub use map::{Function, map, scale};
pub use softmax::softmax;
