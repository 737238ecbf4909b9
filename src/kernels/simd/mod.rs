//! SIMD registers behind one interface, and the level at which the kernels run.

#[cfg(target_arch = "aarch64")]
mod aarch64;
pub mod level;
mod portable;
mod prefetch;
pub(super) mod row;
pub(super) mod unrolled;
pub(super) mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::{Level, Registers, level};
pub(crate) use prefetch::prefetch;

use crate::base::error::Result;

/// The name of the SIMD level in use.
///
/// # Errors
/// As [`level()`].
pub fn simd_level() -> Result<&'static str> {
    level().map(Level::name)
}
