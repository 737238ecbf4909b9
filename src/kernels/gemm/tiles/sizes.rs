//! MR and NR: the size of the tile of C that a microkernel holds in registers.
//!
//! | level | registers | MR · NR float32 | MR · NR float64 |
//! |---|---|---|---|
//! | AVX-512 | 32 of 64 bytes | 9 · 48 | 9 · 24 |
//! | AVX2 | 16 of 32 bytes | 6 · 16 | 6 · 8 |
//! | NEON | 32 of 16 bytes | 8 · 12 | 8 · 6 |
//!
//! Each term of k loads NR registers of B and MR numbers of A for MR · NR multiply-adds. The accumulators and
//! these operands then fill the registers with the fewest loads.

use crate::kernels::simd::vector::Vector;

/// NR in registers.
pub const fn nr<V: Vector>() -> usize {
    if V::ACCUMULATORS < 20 { 2 } else { 3 }
}

/// MR: as many rows of NR columns as the registers hold.
pub const fn mr<V: Vector>() -> usize {
    V::ACCUMULATORS / nr::<V>()
}
