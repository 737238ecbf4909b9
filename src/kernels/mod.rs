//! The inner loops. The only room that may hold unsafe code or SIMD.

#![allow(unsafe_code)]
// What is not inlined into a function with the instructions is compiled without them.
#![allow(clippy::inline_always)]

pub mod activations;
mod exponential;
#[cfg(test)]
mod guarded;
mod lanes;
mod level;
mod logarithm;
mod map;
mod normal;
#[cfg(test)]
mod number;
mod panel;
pub mod peak;
mod polynomial;
pub mod product;
mod row;
pub mod slopes;
mod softmax;
pub mod sparse;
pub(crate) mod steps;
mod streams;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tile;
mod tiles;
pub mod update;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use exponential::{Exp, Exponential};
pub use level::{Level, Registers, level};
pub use logarithm::{LnOneMinusExp, Logarithm};
pub use map::{Function, map, scale};
pub use normal::Normal;
pub use softmax::softmax;
pub use streams::ask_for;

use crate::error::Result;

/// The name of the SIMD level in use.
///
/// # Errors
/// As [`level`].
pub fn simd_level() -> Result<&'static str> {
    level().map(Level::name)
}
