//! Several networks in one call, dealt to the threads network by network. Each is computed by one thread
//! alone, which gives the bits that it has in a call of its own.

pub mod epochs;
