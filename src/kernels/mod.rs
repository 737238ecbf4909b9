//! The inner loops. The only room that may hold SIMD.
//!
//! - `simd`: registers, and the level of the machine
//! - `math`: elementary functions of a register
//! - `elementwise`: functions of each number of a slice
//! - `gemm`: dense products
//! - `csr`, `spmm`: a sparse matrix, and products with one
//! - `real`: the two number types

#![allow(unsafe_code)]
// What is not inlined into a function with the instructions is compiled without them.
#![allow(clippy::inline_always)]

pub mod csr;
pub mod elementwise;
pub mod gemm;
pub mod math;
pub mod peak;
pub mod real;
pub mod simd;
pub mod spmm;
#[cfg(test)]
mod testing;
pub mod tuning;
