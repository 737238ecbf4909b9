//! A training step that never stores the whole gradient: each slice updates its parameters while it is in
//! the cache. If the step is p ← p − η g, the products accumulate directly into the parameters.

use crate::base::alloc::reserve;
use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::base::sum::pairwise::add;
use crate::data::{Incoming, Inputs, Targets};
use crate::engine::batch::slices::{Block, GradientSlice, GradientSlices};
use crate::engine::batch::{Call, Scratch, ThreadBuffers};
use crate::engine::optimizer::{ParamsAndState, Step, Update};
use crate::engine::plan::{Plan, SumOrder};
use crate::kernels::elementwise::map;
use crate::kernels::elementwise::optimizer_rules::Scale;
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;
use crate::kernels::tuning::fused_step::{FEW_TERMS, PART, WHOLE_WORK};
use crate::model::architecture::{Architecture, Layer};
use crate::pool::Team;

/// A batch with known errors, whose gradient can update the parameters.
pub(crate) struct Ready<'a, T> {
    architecture: &'a Architecture,
    inputs: Inputs<'a, T>,
    /// How the batch is divided.
    plan: Plan,
    team: &'a Team,
    /// η of a step that adds −η times the gradient, where the errors include −η.
    plain_rate: Option<f64>,
}

impl<T: Real> Call<'_, T> {
    /// Whether the step can run slice by slice: the gradient is a single block, and the work is short.
    pub(crate) fn is_short(&self) -> bool {
        let SumOrder::Blocks { chunks_per_block } = self.plan.sum else {
            return false;
        };
        let work = self
            .inputs
            .n
            .saturating_mul(self.network.architecture.n_weights());
        let work = work.max(Step::work(self.network.architecture.n_params()));
        self.plan.chunks <= chunks_per_block && work <= WHOLE_WORK
    }

    /// The forward pass and the errors for a step of `update`. Returns C and the plan.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(crate) fn errors_for(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        update: &Update,
    ) -> Result<(f64, Plan)> {
        let chunks = self.plan.chunks;
        cancellable(self.should_cancel, |cancel| {
            reserve(&mut scratch.costs, self.plan.cost_groups(), 1, cancel)?;
            self.prepare_block(scratch, chunks, cancel)?;
            let longest = self
                .network
                .architecture
                .layers()
                .iter()
                .map(longest_part)
                .max();
            for worker in &mut scratch.workers[..self.team.threads()] {
                reserve(&mut worker.part, longest.unwrap_or(0), 1, cancel)?;
            }
            Ok(())
        })?;
        let rate = plain_rate(&self.inputs, update);
        let targets = targets.scaled(rate.map_or(1.0, |rate| -rate));
        self.errors_of_block(&targets, scratch, 0..chunks)?;
        Ok((self.total(&targets, scratch), self.plan))
    }
}

/// η, if the step adds −η times the gradient to the parameters, so that the errors can include −η.
///
/// With CSR input each term is rounded to its parameter separately, so only if a weight has few terms.
fn plain_rate<T: Real>(inputs: &Inputs<'_, T>, update: &Update) -> Option<f64> {
    let many = |stored| stored > FEW_TERMS.saturating_mul(inputs.width());
    if inputs.stored().is_some_and(many) || update.weights.l1 != 0.0 {
        return None;
    }
    update.step.plain_rate()
}

/// The neurons whose outgoing weights make a slice with a gradient buffer.
fn neurons_of_part(layer: &Layer) -> usize {
    (PART / layer.row).clamp(1, layer.n_in)
}

fn longest_part(layer: &Layer) -> usize {
    neurons_of_part(layer) * layer.row
}

impl<'a, T: Real> Ready<'a, T> {
    /// A batch whose errors [`Call::errors_for`] has computed, with the plan that it returned.
    pub(crate) fn new(
        architecture: &'a Architecture,
        inputs: Inputs<'a, T>,
        plan: Plan,
        team: &'a Team,
        update: &Update,
    ) -> Self {
        Self {
            architecture,
            inputs,
            plan,
            team,
            plain_rate: plain_rate(&inputs, update),
        }
    }

    /// Updates the parameters. Cannot be cancelled.
    pub(crate) fn update(
        &self,
        scratch: &mut Scratch<T>,
        update: &Update,
        mut changed: ParamsAndState<'_, T>,
    ) {
        let threads = self.team.threads();
        let Scratch { workers, block, .. } = scratch;
        let block = Block::new(self.architecture, self.inputs, block, self.plan.rows);
        let neurons = |index: usize, layer: &Layer| {
            let even = layer.n_in.div_ceil(2 * threads);
            match (self.adds_in_place(block, index), threads) {
                (true, 1) => layer.n_in,
                // Each slice of a CSR layer scans all stored elements.
                (true, _) if self.is_sparse(index) => even,
                _ => neurons_of_part(layer).min(even),
            }
        };
        let parts = GradientSlices::new(self.architecture, neurons);
        let parts = parts.map_while(|part| Some((changed.cut(part.length)?, part)));
        let done = self.team.run(
            &mut workers[..threads],
            parts,
            &|| false,
            |worker, (changed, part), _| self.change(update, &part, block, worker, changed),
        );
        debug_assert!(done.is_ok(), "nobody interrupts");
    }

    /// Whether the input of the layer at `index` is a CSR x.
    fn is_sparse(&self, index: usize) -> bool {
        index == 0 && matches!(self.inputs.x, Incoming::Sparse(_))
    }

    /// Whether the gradient of a layer's weights is accumulated into the weights without a buffer. A sum of
    /// several products needs a buffer: otherwise the division of the batch would change how sums are
    /// rounded.
    fn adds_in_place(&self, block: Block<'_, T>, index: usize) -> bool {
        self.plain_rate.is_some() && (block.is_one_product(index) || self.is_sparse(index))
    }

    /// Updates the parameters of a slice.
    fn change(
        &self,
        update: &Update,
        part: &GradientSlice,
        block: Block<'_, T>,
        worker: &mut ThreadBuffers<T>,
        changed: ParamsAndState<'_, T>,
    ) {
        let ThreadBuffers {
            pack_buffer,
            part: buffer,
            ..
        } = worker;
        let terms = match part.neuron {
            Some(_) => update.weights,
            None => update.biases,
        };
        let cancel = &CancelToken::none();
        let context = &mut Context::new(pack_buffer, cancel);
        if part.neuron.is_some() && self.adds_in_place(block, part.layer) {
            let params = changed.params;
            shrink(params, 1.0 - self.plain_rate.unwrap_or(0.0) * terms.l2);
            block.sum(part, Accumulate::Sum, params, context);
            return;
        }
        let gradient = &mut buffer[..part.length];
        block.sum(part, Accumulate::Overwrite, gradient, context);
        if let Some(rate) = self.plain_rate {
            shrink(changed.params, 1.0 - rate * terms.l2);
            add(changed.params, gradient, cancel);
        } else {
            update.step.apply(terms, changed, gradient);
        }
    }
}

/// p ← p · factor.
fn shrink<T: Real>(params: &mut [T], factor: f64) {
    let factor = T::from_f64(factor);
    if factor != T::ONE {
        map(params, Scale(factor), |p| p * factor);
    }
}
