//! The inner loops. The only room that may hold unsafe code or SIMD.

#![allow(unsafe_code)]
// What is not inlined into a function with the instructions is compiled without them.
#![allow(clippy::inline_always)]

mod lanes;
mod level;
mod panel;
pub mod peak;
pub mod product;
mod tile;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::{Level, Registers, level};

/// The widest SIMD instructions that the products use on this machine.
pub fn simd_level() -> &'static str {
    level::current().name()
}
