//! Validates Python arguments and converts them to types of the core.

pub mod arrays;
pub mod config;
pub mod custom;
pub mod dropout;
pub mod dtype;
pub mod inputs;
pub mod integer;
pub mod name;
pub mod optimizer_arrays;
pub mod output;
pub mod targets;
pub mod taylor;
