//! The trained model: sizes, activations, cost, and the positions of W^l and b^l in the parameter vector.

pub mod activation;
pub mod architecture;
pub mod cost;
pub(crate) mod fused;
pub mod network;
pub(crate) mod output_curvature;
mod residual;
