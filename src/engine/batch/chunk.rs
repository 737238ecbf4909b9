//! What a thread does with a chunk: the forward pass, costs, errors, and in a run its gradient.

use std::ops::Range;

use crate::base::cancel::CancelToken;
use crate::data::Targets;
use crate::engine::backward::{cost, error, gradient};
use crate::engine::batch::Call;
use crate::engine::forward::forward;
use crate::engine::workspace::Buffers;
use crate::kernels::gemm::Accumulate;
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// The forward pass of a chunk, a^L into `out` where it is given.
    pub(super) fn forward_chunk(
        &self,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        out: Option<&mut [T]>,
        pack_buffer: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        forward(
            self.architecture,
            self.params,
            self.inputs.part(rows),
            buffers,
            out,
            self.dropout.as_ref().map(|dropout| (dropout, rows.start)),
            pack_buffer,
            cancel,
        );
    }

    /// The forward pass and δ^l of a chunk, l = L … 2, and the costs of its grains.
    pub(super) fn errors_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        pack_buffer: &mut [T],
        costs: &mut [f64],
        cancel: &CancelToken<'_>,
    ) {
        self.costs_chunk(targets, rows, buffers, pack_buffer, costs, cancel);
        for index in (0..self.architecture.layers().len()).rev() {
            if cancel.poll_after(0) {
                return;
            }
            self.error(targets, rows, buffers, index, pack_buffer, cancel);
        }
    }

    /// The forward pass of a chunk, and the costs of its grains.
    pub(super) fn costs_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        pack_buffer: &mut [T],
        costs: &mut [f64],
        cancel: &CancelToken<'_>,
    ) {
        self.forward_chunk(rows, buffers, None, pack_buffer, cancel);
        if !cancel.poll_after(0) {
            self.costs_of(targets, rows.clone(), buffers, costs, cancel);
        }
    }

    /// δ^l of a chunk for the layer at `index`, from its forward pass and δ^(l+1).
    fn error(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        index: usize,
        pack_buffer: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let (architecture, params, rows) = (self.architecture, self.params, rows.clone());
        error(
            architecture,
            params,
            targets,
            rows,
            buffers,
            index,
            pack_buffer,
            cancel,
        );
    }

    /// The cost of each grain of `rows`, from their forward pass.
    fn costs_of(
        &self,
        targets: &Targets<'_, T>,
        rows: Range<usize>,
        buffers: &[Buffers<&mut [T]>],
        costs: &mut [f64],
        cancel: &CancelToken<'_>,
    ) {
        let (kind, output) = (self.architecture.cost(), self.architecture.output());
        let (width, last) = (
            self.architecture.n_outputs(),
            self.architecture.layers().len() - 1,
        );
        let Buffers { z, a, .. } = &buffers[last];
        for (cost_of_grain, start) in costs
            .iter_mut()
            .zip((0..rows.len()).step_by(self.plan.cost_group))
        {
            let end = rows.len().min(start + self.plan.cost_group);
            let numbers = start * width..end * width;
            let z = z.get(numbers.clone()).unwrap_or_default();
            let examples = rows.start + start..rows.start + end;
            *cost_of_grain = cost(kind, output, z, &a[numbers], targets, examples, cancel);
        }
    }

    /// The gradient of a chunk, put `onto` what `place` holds, and the costs of its grains.
    pub(super) fn gradient_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        costs: &mut [f64],
        place: &mut [T],
        onto: Accumulate,
        pack_buffer: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        self.costs_chunk(targets, rows, buffers, pack_buffer, costs, cancel);
        for layer in (0..self.architecture.layers().len()).rev() {
            if cancel.poll_after(0) {
                return;
            }
            // BP4 follows while δ^l is in the cache.
            self.error(targets, rows, buffers, layer, pack_buffer, cancel);
            let x = self.inputs.part(rows);
            gradient(
                self.architecture,
                x,
                buffers,
                layer,
                place,
                onto,
                pack_buffer,
                cancel,
            );
        }
    }
}
