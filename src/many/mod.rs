//! Several networks in one call. Each is computed by one thread alone, or by all threads together, which give
//! the bits that it has in a call of its own.

pub mod calls;
pub mod epochs;
pub mod group;
pub mod schedule;
pub mod stopping;
