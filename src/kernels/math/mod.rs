//! Elementary functions of a register.

pub(super) mod cubic_argument;
pub(super) mod exponential;
pub(super) mod logarithm;
pub(super) mod normal;
mod polynomial;
pub(super) mod sine;

pub use cubic_argument::CubicArgument;
pub use exponential::{Exp, Exponential};
pub use logarithm::{LnOneMinusExp, Logarithm};
pub use normal::Normal;
pub use sine::Sine;
