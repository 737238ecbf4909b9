//! A chunk's task: forward pass, costs, errors, and, if the batch is summed in groups, its gradient.

use crate::base::sum::extended::Extended;
use crate::data::{LayerInput, Targets};
use crate::engine::backward::bp4;
use crate::engine::batch::Call;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::costs::{Outputs, cost, example_costs};
use crate::engine::forward::forward;
use crate::engine::workspace::LayerBuffers;
use crate::kernels::gemm::Accumulate;
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// The forward pass of a chunk; a^L goes to `out` if given.
    pub(crate) fn forward_chunk(&self, chunk: &mut Chunk<'_, '_, T>, out: Option<&mut [T]>) {
        let first = chunk.rows.start;
        let dropout = self.dropout.as_ref().map(|dropout| (dropout, first));
        let x = self.inputs.row_range(&chunk.rows);
        forward(
            self.network,
            x,
            chunk.layers,
            out,
            dropout,
            &mut chunk.context,
        );
    }

    /// The forward pass and δ^l of a chunk, l = L … 2, and the costs of its groups.
    pub(crate) fn errors_chunk(
        &self,
        pass: &dyn Pass<T>,
        chunk: &mut Chunk<'_, '_, T>,
        costs: &mut [Extended],
    ) {
        pass.forward(self, chunk, costs);
        for index in (0..chunk.layers.len()).rev() {
            if chunk.context.cancel.poll_after(0) {
                return;
            }
            pass.error(self, chunk, index);
        }
        pass.finish(self, chunk);
    }

    /// The forward pass of a chunk, and the costs of its groups.
    pub(crate) fn forward_and_group_costs(
        &self,
        targets: &Targets<'_, T>,
        chunk: &mut Chunk<'_, '_, T>,
        costs: &mut [Extended],
    ) {
        self.forward_chunk(chunk, None);
        self.group_costs(targets, chunk, costs);
    }

    /// The costs of the groups of a chunk, whose forward pass is known.
    pub(crate) fn group_costs(
        &self,
        targets: &Targets<'_, T>,
        chunk: &mut Chunk<'_, '_, T>,
        costs: &mut [Extended],
    ) {
        let (architecture, cancel) = (self.network.architecture, chunk.context.cancel);
        let Some(LayerBuffers { z, a, width, .. }) = chunk.layers.last() else {
            return;
        };
        if cancel.poll_after(0) {
            return;
        }
        let rows = &chunk.rows;
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

    /// `C_x` of each example of a chunk, whose forward pass is known.
    pub(crate) fn example_costs_of_chunk(
        &self,
        targets: &Targets<'_, T>,
        chunk: &mut Chunk<'_, '_, T>,
        costs: &mut [f64],
    ) {
        let (architecture, cancel) = (self.network.architecture, chunk.context.cancel);
        let Some(LayerBuffers { z, a, width, .. }) = chunk.layers.last() else {
            return;
        };
        if cancel.poll_after(0) {
            return;
        }
        let outputs = Outputs {
            cost: architecture.cost(),
            activation: architecture.output(),
            z,
            a: &a[..chunk.rows.len() * width],
        };
        example_costs(outputs, targets, chunk.rows.clone(), costs, cancel);
    }

    /// The gradient of a chunk, written to `out` as `accumulate` says; its costs go to `costs`.
    pub(super) fn gradient_chunk(
        &self,
        pass: &dyn Pass<T>,
        chunk: &mut Chunk<'_, '_, T>,
        costs: &mut [Extended],
        out: &mut [T],
        accumulate: Accumulate,
    ) {
        let known = pass.has_finish();
        if known {
            self.errors_chunk(pass, chunk, costs);
        } else {
            pass.forward(self, chunk, costs);
        }
        for index in (0..chunk.layers.len()).rev() {
            if chunk.context.cancel.poll_after(0) {
                return;
            }
            if !known {
                // BP4 follows immediately, while δ^l is in the cache.
                pass.error(self, chunk, index);
            }
            self.layer_gradient(pass, chunk, index, out, accumulate);
        }
    }

    /// BP3 and BP4 of the layer at `index` for a chunk, into the layer's range of `out`, which has the layout
    /// of the parameters.
    fn layer_gradient(
        &self,
        pass: &dyn Pass<T>,
        chunk: &mut Chunk<'_, '_, T>,
        index: usize,
        out: &mut [T],
        mut accumulate: Accumulate,
    ) {
        let layer = &self.network.architecture.layers()[index];
        let mut end = layer.biases.end;
        let Chunk {
            rows,
            layers,
            derivatives,
            context,
            ..
        } = chunk;
        for factors in pass.products() {
            let of_layer = |index| factors.buffers(layers, derivatives, index);
            let a = if let Some(below) = index.checked_sub(1) {
                LayerInput::Dense(of_layer(below).activations_of(factors.a))
            } else {
                let x = self.inputs.row_range(rows);
                let Some(inputs) = factors.first_input(Some(pass), x, rows) else {
                    continue;
                };
                inputs.x
            };
            let delta = of_layer(index).errors_of(factors.delta);
            let neurons = (0..layer.n_in, layer.row_stride);
            let nabla = &mut out[layer.weights.start..end];
            bp4(delta, a, neurons, nabla, accumulate, context);
            // The first product has written the biases.
            (end, accumulate) = (layer.weights.end, Accumulate::Terms);
        }
    }
}
