//! The inner loops: the only module with SIMD code.
//!
//! - `machine`: what is asked of the machine, before the kernels run
//! - `caches`: the data caches of the processor
//! - `simd`: registers, and the level of the machine
//! - `math`: elementary functions of a register
//! - `elementwise`: functions of the elements of a slice
//! - `gemm`: dense matrix products
//! - `interleaved`: products of the matrices of several networks at once
//! - `csr`, `spmm`: sparse matrices, and products with them
//! - `moments`: mean and variance of products over examples
//! - `real`: `f32` and `f64`

#![allow(unsafe_code)]
// Functions that are not inlined into a `target_feature` function are compiled without its instructions.
#![allow(clippy::inline_always)]

pub mod caches;
pub mod csr;
pub mod elementwise;
pub mod gemm;
pub mod interleaved;
pub mod machine;
pub mod math;
pub mod moments;
pub mod peak;
pub mod real;
pub mod simd;
pub mod spmm;
#[cfg(test)]
mod testing;
pub mod tuning;
