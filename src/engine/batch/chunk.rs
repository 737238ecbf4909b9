//! What a thread does with a chunk: the forward pass, costs, errors, and in a run its gradient.

use std::ops::Range;

use crate::base::cancel::Pulse;
use crate::data::Targets;
use crate::engine::backward::{cost, error, gradient};
use crate::engine::batch::Call;
use crate::engine::forward::forward;
use crate::engine::workspace::Buffers;
use crate::kernels::gemm::Onto;
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// The forward pass of a chunk, a^L into `out` where it is given.
    pub(super) fn forward_chunk(
        &self,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        out: Option<&mut [T]>,
        room: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        forward(
            self.network,
            self.params,
            self.inputs.part(rows),
            buffers,
            out,
            self.dropout.as_ref().map(|dropout| (dropout, rows.start)),
            room,
            pulse,
        );
    }

    /// The forward pass and δ^l of a chunk, l = L … 2, and the costs of its grains.
    pub(super) fn errors_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        room: &mut [T],
        costs: &mut [f64],
        pulse: &Pulse<'_>,
    ) {
        self.costs_chunk(targets, rows, buffers, room, costs, pulse);
        for index in (0..self.network.layers().len()).rev() {
            if pulse.stopped_after(0) {
                return;
            }
            self.error(targets, rows, buffers, index, room, pulse);
        }
    }

    /// The forward pass of a chunk, and the costs of its grains.
    pub(super) fn costs_chunk(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        room: &mut [T],
        costs: &mut [f64],
        pulse: &Pulse<'_>,
    ) {
        self.forward_chunk(rows, buffers, None, room, pulse);
        if !pulse.stopped_after(0) {
            self.costs_of(targets, rows.clone(), buffers, costs, pulse);
        }
    }

    /// δ^l of a chunk for the layer at `index`, from its forward pass and δ^(l+1).
    fn error(
        &self,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        buffers: &mut [Buffers<&mut [T]>],
        index: usize,
        room: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        let (network, params, rows) = (self.network, self.params, rows.clone());
        error(network, params, targets, rows, buffers, index, room, pulse);
    }

    /// The cost of each grain of `rows`, from their forward pass.
    fn costs_of(
        &self,
        targets: &Targets<'_, T>,
        rows: Range<usize>,
        buffers: &[Buffers<&mut [T]>],
        costs: &mut [f64],
        pulse: &Pulse<'_>,
    ) {
        let (kind, output) = (self.network.cost(), self.network.output());
        let (width, last) = (self.network.n_outputs(), self.network.layers().len() - 1);
        let Buffers { z, a, .. } = &buffers[last];
        for (cost_of_grain, start) in costs
            .iter_mut()
            .zip((0..rows.len()).step_by(self.plan.grain))
        {
            let end = rows.len().min(start + self.plan.grain);
            let numbers = start * width..end * width;
            let z = z.get(numbers.clone()).unwrap_or_default();
            let examples = rows.start + start..rows.start + end;
            *cost_of_grain = cost(kind, output, z, &a[numbers], targets, examples, pulse);
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
        onto: Onto,
        room: &mut [T],
        pulse: &Pulse<'_>,
    ) {
        self.costs_chunk(targets, rows, buffers, room, costs, pulse);
        for layer in (0..self.network.layers().len()).rev() {
            if pulse.stopped_after(0) {
                return;
            }
            // BP4 follows while δ^l is in the cache.
            self.error(targets, rows, buffers, layer, room, pulse);
            let x = self.inputs.part(rows);
            gradient(self.network, x, buffers, layer, place, onto, room, pulse);
        }
    }
}
