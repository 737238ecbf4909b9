//! What is trained: sizes, activations and a cost, and where each W^l and b^l lies.

pub mod activation;
pub mod architecture;
pub mod cost;
pub(crate) mod fused;
pub mod network;
