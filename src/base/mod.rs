//! What every room uses and what knows no network.

pub(crate) mod alloc;
pub mod allocator;
pub(crate) mod cache_line;
pub mod cancel;
pub mod error;
pub mod random;
mod suggest;
pub mod sum;
