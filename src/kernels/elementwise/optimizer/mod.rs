//! A step of an optimizer: its update rules, and the pass over parameters and state that applies one.

pub mod apply;
pub(crate) mod rules;
