//! Several networks in one call, dealt to the threads network by network. Each is computed by one thread
//! alone, or by all threads together, which give the bits that it has in a call of its own.

pub mod calls;
pub mod deal;
pub mod epochs;
pub mod group;
pub mod stopping;
