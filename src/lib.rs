//! Exact gradients of fully connected networks on the CPU: the forward pass and the four equations
//! of backpropagation (Nielsen, *Neural Networks and Deep Learning*, ch. 2) over whole batches, on
//! all cores, with the same bits on every run.
//!
//! The crate is the core of the Python package `bpfast` and not published: its modules are public for tests
//! and benchmarks, and may change at any time.
//!
//! An [`Architecture`] is sizes, activations and a cost; its parameters are one flat vector. An
//! [`engine::batch::Call`] combines a network, its parameters and a batch, and runs them on a
//! [`pool::Team`] of threads.
//!
//! ```
//! use bpfast::engine::batch::{Call, Scratch};
//! use bpfast::data::{Inputs, Targets};
//! use bpfast::pool::Team;
//! use bpfast::{Activation, Architecture, Cost, Network};
//! use bpfast::kernels::gemm::Matrix;
//!
//! // One neuron, w = 2, b = 1, at x = 3: a = 7, and with y = 5 C = ½ · 2² = 2.
//! let architecture = Architecture::new(&[1, 1], &[], Activation::Identity, Cost::Quadratic)?;
//! let params = [2.0, 1.0];
//! let inputs = Inputs::new(&architecture, Matrix::by_rows(&[3.0], 1, 1))?;
//! let targets = Targets::values(1, 1, Matrix::by_rows(&[5.0], 1, 1))?;
//! let team = Team::alone();
//! let network = Network::new(&architecture, &params);
//! let call = Call::new(network, inputs, &team, &|| false);
//! let mut gradient = [0.0; 2];
//! let cost = call.backprop(&targets, &mut Scratch::default(), &mut gradient)?;
//! assert_eq!(cost, 2.0);
//! assert_eq!(gradient, [6.0, 2.0]); // ∂C/∂w = (a − y) x, ∂C/∂b = a − y
//! # Ok::<(), bpfast::Error>(())
//! ```

#![deny(unsafe_code)]

pub mod base;
pub mod data;
pub mod engine;
pub mod inside;
pub mod io;
pub mod kernels;
pub mod many;
pub mod model;
pub mod pool;
pub mod train;

#[cfg(feature = "python")]
mod python;

pub use base::error::{Error, Result};
pub use kernels::real::Real;
pub use kernels::simd::simd_level;
pub use model::activation::Activation;
pub use model::architecture::Architecture;
pub use model::cost::Cost;
pub use model::network::Network;
