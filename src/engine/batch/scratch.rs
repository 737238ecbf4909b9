//! The buffers of a call.

use crate::base::sum::extended::Extended;
use crate::engine::batch::moments::{FactorBuffers, MomentBuffers};
use crate::engine::plan::Plan;
use crate::engine::rows_out::RowsOutList;
use crate::engine::workspace::Workspace;

/// Buffers that are reused by later calls: those that are large enough are not allocated again.
#[derive(Debug, Default)]
pub struct Scratch<T: 'static> {
    pub(super) workers: Vec<ThreadBuffers<T>>,
    pub(super) costs: Vec<Extended>,
    /// The sums of all branches but the first, which uses the result's memory.
    pub(super) branches: Vec<Vec<T>>,
    /// The chunks of a block.
    pub(super) block: Workspace<T>,
    /// The rounding errors of the sum over the blocks.
    pub(super) compensation: Vec<T>,
    /// z^l of a small batch, task by task.
    pub(super) z_by_task: Vec<T>,
    /// The list of the rows that chunks write; empty between calls.
    pub(crate) rows_out: RowsOutList<T>,
    /// The moments of the gradients of examples.
    pub(super) moments: MomentBuffers,
    /// How the batch is divided whose forward pass `block` holds, if it is kept for the backward pass.
    pub(super) stored_forward: Option<Plan>,
}

/// The buffers of one worker.
#[derive(Debug, Default)]
pub(super) struct ThreadBuffers<T: 'static> {
    /// The pack buffer of the products.
    pub(super) pack_buffer: Vec<T>,
    pub(super) workspace: Workspace<T>,
    /// The partial sums of the current branch, except the lowest, which is in the branch's own buffer.
    pub(super) stack: Vec<Vec<T>>,
    /// A slice of a block's gradient.
    pub(super) slice: Vec<T>,
    /// Sums of a chunk in float64.
    pub(super) float64_sums: Vec<f64>,
    /// Factors of products of which moments are computed.
    pub(super) factors: FactorBuffers,
}
