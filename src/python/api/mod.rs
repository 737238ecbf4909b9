//! The classes and functions of the module.

pub mod bp1;
pub mod equations;
mod gradient_as_array;
pub mod network;
pub mod optimizers;
pub mod results;
mod run;
mod runs;
pub mod store;
pub mod threads;
pub mod trainer;
pub mod vector;
