//! Exact gradients of fully connected networks on the CPU: the forward pass and the four equations
//! of backpropagation (Nielsen, *Neural Networks and Deep Learning*, ch. 2) over whole batches, on
//! all cores, with the same bits on every run.
//!
//! A [`Network`] is sizes, activations and a cost; its parameters are one flat vector. A
//! [`batch::Call`] brings network, parameters and a batch together and runs them on a
//! [`pool::Team`] of threads.
//!
//! ```
//! use bpfast::batch::{Call, Scratch};
//! use bpfast::examples::{Inputs, Targets};
//! use bpfast::pool::Team;
//! use bpfast::{Activation, Cost, Network};
//! use ndarray::aview2;
//!
//! // One neuron, w = 2, b = 1, at x = 3: a = 7, and with y = 5 C = ½ · 2² = 2.
//! let network = Network::new(&[1, 1], &[], Activation::Identity, Cost::Quadratic)?;
//! let params = [2.0, 1.0];
//! let inputs = Inputs::new(&network, aview2(&[[3.0]]))?;
//! let targets = Targets::values(1, 1, aview2(&[[5.0]]))?;
//! let team = Team::alone();
//! let call = Call::new(&network, &params, inputs, &team, &|| false);
//! let mut gradient = [0.0; 2];
//! let cost = call.backprop(&targets, &mut Scratch::default(), &mut gradient)?;
//! assert_eq!(cost, 2.0);
//! assert_eq!(gradient, [6.0, 2.0]); // ∂C/∂w = (a − y) x, ∂C/∂b = a − y
//! # Ok::<(), bpfast::Error>(())
//! ```

#![deny(unsafe_code)]

pub mod allocator;
pub mod error;
pub mod interrupt;
pub mod kernels;
mod line;
mod names;
pub mod random;
mod reserve;
pub mod scalar;
pub mod sparse;
pub mod store;
pub mod sum;

pub mod activation;
pub mod cost;
mod fused;

pub mod network;

pub mod compensated;
pub mod examples;
mod labels;
mod layout;
pub mod pairwise;
pub mod rows;
pub mod saved;
pub mod workspace;

pub mod dropout;
pub mod forward;

pub mod backward;

pub mod plan;
pub mod pool;

pub mod optimizer;

pub mod batch;
pub mod equations;
pub mod train;

#[cfg(feature = "python")]
mod python;

pub use activation::Activation;
pub use cost::Cost;
pub use error::{Error, Result};
pub use kernels::simd_level;
pub use network::Network;
pub use scalar::Real;
