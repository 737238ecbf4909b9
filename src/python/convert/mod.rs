//! Validates Python arguments and converts them to types of the core.

pub mod arrays;
pub mod config;
pub mod custom;
pub mod inputs;
pub mod stepped;
pub mod targets;
pub mod wanted;
