//! Derivatives beyond the gradient of a batch: by the outputs and by x, along directions, per example, and
//! of second order. Each is a `Pass` over the chunks of a batch, or work
//! on each chunk.

pub mod clip;
pub mod derivatives;
mod example_norms;
pub mod gauss_newton;
mod gauss_newton_diagonal;
pub mod hessian;
pub mod moments;
pub mod per_example;
pub mod stored;
pub mod tangent;
pub mod taylor;
#[cfg(test)]
mod tests;
