//! A chunk's task: forward pass, costs, errors, and, if the batch is summed in groups, its gradient.

use std::ops::Range;

use crate::data::{LayerInput, Targets};
use crate::engine::backward::{error, gradient};
use crate::engine::batch::Call;
use crate::engine::costs::{Outputs, cost, each_cost};
use crate::engine::forward::forward;
use crate::engine::workspace::LayerBuffers;
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// The forward pass of a chunk; a^L goes to `out` if given.
    pub(super) fn forward_chunk(
        &self,
        rows: &Range<usize>,
        buffers: &mut [LayerBuffers<&mut [T]>],
        out: Option<&mut [T]>,
        context: &mut Context<'_, T>,
    ) {
        let dropout = self.dropout.as_ref().map(|dropout| (dropout, rows.start));
        let x = self.inputs.row_range(rows);
        forward(self.network, x, buffers, out, dropout, context);
    }

    /// The forward pass and δ^l of a chunk, l = L … 2, and the costs of its groups.
    pub(super) fn errors_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [LayerBuffers<&mut [T]>],
        costs: &mut [f64],
        context: &mut Context<'_, T>,
    ) {
        self.costs_chunk(targets, rows, buffers, costs, context);
        for index in (0..self.network.architecture.layers().len()).rev() {
            if context.cancel.poll_after(0) {
                return;
            }
            error(self.network, targets, rows.clone(), buffers, index, context);
        }
    }

    /// The forward pass of a chunk, and the costs of its groups.
    pub(super) fn costs_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [LayerBuffers<&mut [T]>],
        costs: &mut [f64],
        context: &mut Context<'_, T>,
    ) {
        self.forward_chunk(rows, buffers, None, context);
        let (architecture, cancel) = (self.network.architecture, context.cancel);
        let Some(LayerBuffers { z, a, width, .. }) = buffers.last() else {
            return;
        };
        if cancel.poll_after(0) {
            return;
        }
        let starts = (0..rows.len()).step_by(self.plan.cost_group);
        for (of_group, start) in costs.iter_mut().zip(starts) {
            let end = rows.len().min(start + self.plan.cost_group);
            let numbers = start * width..end * width;
            let outputs = Outputs {
                cost: architecture.cost(),
                activation: architecture.output(),
                z: z.get(numbers.clone()).unwrap_or_default(),
                a: &a[numbers],
            };
            let examples = rows.start + start..rows.start + end;
            *of_group = cost(outputs, targets, examples, cancel);
        }
    }

    /// The forward pass of a chunk, and `C_x` of each of its examples.
    pub(super) fn each_cost_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [LayerBuffers<&mut [T]>],
        costs: &mut [f64],
        context: &mut Context<'_, T>,
    ) {
        self.forward_chunk(rows, buffers, None, context);
        let (architecture, cancel) = (self.network.architecture, context.cancel);
        let Some(LayerBuffers { z, a, width, .. }) = buffers.last() else {
            return;
        };
        if cancel.poll_after(0) {
            return;
        }
        let outputs = Outputs {
            cost: architecture.cost(),
            activation: architecture.output(),
            z,
            a: &a[..rows.len() * width],
        };
        each_cost(outputs, targets, rows.clone(), costs, cancel);
    }

    /// The gradient of a chunk, written to `out` as `accumulate` says; its costs are known, and its forward
    /// pass is in `buffers`.
    pub(super) fn gradient_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [LayerBuffers<&mut [T]>],
        (out, accumulate): (&mut [T], Accumulate),
        context: &mut Context<'_, T>,
    ) {
        let layers = self.network.architecture.layers();
        for (index, layer) in layers.iter().enumerate().rev() {
            if context.cancel.poll_after(0) {
                return;
            }
            // BP4 follows immediately, while δ^l is in the cache.
            error(self.network, targets, rows.clone(), buffers, index, context);
            let a = match index {
                0 => self.inputs.row_range(rows).x,
                _ => LayerInput::Dense(buffers[index - 1].activations()),
            };
            let delta = buffers[index].errors();
            gradient(layer, a, delta, out, accumulate, context);
        }
    }
}
