//! What all modules use: errors, memory, cancellation, random numbers, sums. Knows no network.

pub(crate) mod alloc;
pub(crate) mod cache_line;
pub mod cancel;
pub mod checksum;
pub mod error;
pub mod random;
pub mod ranges;
pub(crate) mod reserve;
mod suggest;
pub mod sum;
