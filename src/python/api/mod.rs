//! The classes and functions of the module.

pub mod bp1;
pub mod equations;
pub mod files;
mod flat_vector;
pub mod gradient;
pub mod many;
pub mod network;
pub mod norms;
pub mod optimizers;
pub mod random;
pub mod threads;
pub mod trace;
pub mod trainer;
mod typed_network;
pub mod views;
