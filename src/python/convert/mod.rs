//! Arguments to types of the core, checked.

pub mod arrays;
pub mod config;
pub mod custom;
pub mod inputs;
pub mod stepped;
pub mod targets;
pub mod wanted;
