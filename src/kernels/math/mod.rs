//! Elementary functions of a register.

pub(super) mod exponential;
pub(super) mod logarithm;
pub(super) mod normal;
mod polynomial;

pub use exponential::{Exp, Exponential};
pub use logarithm::{LnOneMinusExp, Logarithm};
pub use normal::Normal;
