//! The gradient of a batch as a sum over its chunks, in an order that depends on the shapes of network and
//! batch alone.
//!
//! Small networks and large batches: the gradients of groups of chunks are added pairwise (`groups`, in the
//! order of `tree`). Large networks and small batches: each of the `slices` of the gradient is added over the
//! examples of a block in their order, and the blocks with compensation (`blocks`). `Plan` chooses.

mod blocks;
mod groups;
pub(in crate::engine::batch) mod slices;
mod tree;
