//! Taylor mode: derivatives of the outputs by x along given directions, up to the second, and the gradient by
//! the parameters of a cost of all of these.
//!
//! Along x + t v every quantity is a function of t, of which the value and two derivatives are carried through
//! the layers: ż^l = ȧ^(l−1) (W^l)ᵀ, z̈^l = ä^(l−1) (W^l)ᵀ, ȧ^l = σ' ż^l, ä^l = σ'' (ż^l)² + σ' z̈^l, from ȧ^1 =
//! v and ä^1 = 0 (Griewank & Walther, *Evaluating Derivatives*, 2008, ch. 13; Bettencourt, Johnson &
//! Duvenaud, *Taylor-Mode Automatic Differentiation for Higher-Order Derivatives in JAX*, 2019).

mod backward;
mod directions;
mod elementwise;
mod forward;
#[cfg(test)]
mod tests;

pub use backward::{Nabla, TaylorCost};
pub use directions::{Directions, Series};
