//! Activations σ and their derivatives. A register is one SIMD vector.

pub mod first_derivatives;
pub mod functions;
pub mod gelu_tanh;
pub mod mish;
pub mod second_derivatives;
mod softmax;
pub mod taylor;
#[cfg(test)]
mod tests;
pub mod third_derivatives;

pub use softmax::softmax;
