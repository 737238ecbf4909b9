//! A training step that never stores the whole gradient: each slice updates its parameters while it is in
//! the cache. If the step is p ← p − η g, the products accumulate directly into the parameters.

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::base::sum::pairwise::add;
use crate::data::{Inputs, LayerInput};
use crate::engine::batch::gradient_sum::slices::{Block, GradientSlice, GradientSlices};
use crate::engine::batch::pass::Backprop;
use crate::engine::batch::scratch::ThreadBuffers;
use crate::engine::batch::{Call, Scratch};
use crate::engine::optimizer::{ParamsAndState, Regularization, Step, Update};
use crate::engine::plan::Plan;
use crate::engine::workspace::BufferConfig;
use crate::kernels::elementwise::map;
use crate::kernels::elementwise::optimizer::rules::Scale;
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;
use crate::kernels::tuning::fused_step::{
    MAX_SLICE_ELEMENTS, MAX_TERMS_PER_WEIGHT, MAX_UNPOLLED_WORK,
};
use crate::model::architecture::{Architecture, Layer};
use crate::pool::Team;

/// A batch with known errors, whose gradient can update the parameters.
pub(crate) struct FusedStep<'a, T> {
    pub(super) architecture: &'a Architecture,
    pub(super) inputs: Inputs<'a, T>,
    /// How the batch is divided.
    pub(super) plan: Plan,
    pub(super) team: &'a Team,
    /// η of a step that adds −η times the gradient, where the errors include −η.
    pub(super) sgd_rate: Option<f64>,
}

impl<T: Real> Call<'_, T> {
    /// Whether the step can run slice by slice: the gradient is a single block, and the work is short.
    pub(crate) fn can_be_fused(&self) -> bool {
        can_be_fused(self.network.architecture, &self.plan, self.inputs.n)
    }

    /// The forward pass and the errors for a step of `update`. Returns C and the plan.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub(crate) fn fused_errors(
        &self,
        backprop: &Backprop<'_, T>,
        scratch: &mut Scratch<T>,
        update: &Update,
    ) -> Result<(f64, Plan)> {
        let chunks = self.plan.chunks;
        cancellable(self.should_cancel, |cancel| {
            grow_workspace(&mut scratch.costs, self.plan.cost_groups(), 1, cancel)?;
            self.prepare_block(scratch, chunks, BufferConfig::BACKPROP, cancel)?;
            let longest = self
                .network
                .architecture
                .layers()
                .iter()
                .map(longest_slice)
                .max();
            for worker in &mut scratch.workers[..self.team.threads()] {
                grow_workspace(&mut worker.slice, longest.unwrap_or(0), 1, cancel)?;
            }
            Ok(())
        })?;
        let rate = sgd_rate(&self.inputs, update);
        let targets = &backprop.targets.scaled(rate.map_or(1.0, |rate| -rate));
        let scaled = Backprop {
            targets,
            ..*backprop
        };
        self.errors_of_block(&scaled, scratch, 0..chunks)?;
        Ok((self.total(targets, scratch), self.plan))
    }
}

/// Whether a step of `n` examples can run slice by slice.
pub(crate) fn can_be_fused(architecture: &Architecture, plan: &Plan, n: usize) -> bool {
    let work = n.saturating_mul(architecture.n_weights());
    let work = work.max(Step::work(architecture.n_params()));
    plan.is_one_block() && work <= MAX_UNPOLLED_WORK
}

/// η, if the step adds −η times the gradient to the parameters, so that the errors can include −η.
///
/// With CSR input each term is rounded to its parameter separately, so only if a weight has few terms.
pub(crate) fn sgd_rate<T: Real>(inputs: &Inputs<'_, T>, update: &Update) -> Option<f64> {
    let many = |nnz| nnz > MAX_TERMS_PER_WEIGHT.saturating_mul(inputs.width());
    if inputs.nnz().is_some_and(many) || update.weights.l1 != 0.0 {
        return None;
    }
    // With η = 0 the errors would be lost.
    update.step.sgd_rate().filter(|&rate| rate != 0.0)
}

/// The neurons whose outgoing weights make a slice with a gradient buffer.
fn neurons_per_slice(layer: &Layer) -> usize {
    (MAX_SLICE_ELEMENTS / layer.row_stride).clamp(1, layer.n_in)
}

fn longest_slice(layer: &Layer) -> usize {
    neurons_per_slice(layer) * layer.row_stride
}

impl<'a, T: Real> FusedStep<'a, T> {
    /// A batch whose errors [`Call::fused_errors`] has computed, with the plan that it returned.
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
            sgd_rate: sgd_rate(&inputs, update),
        }
    }

    /// Updates the parameters. Cannot be cancelled.
    pub(crate) fn update(
        &self,
        scratch: &mut Scratch<T>,
        update: &Update,
        mut params_and_state: ParamsAndState<'_, T>,
    ) {
        let threads = self.team.threads();
        let Scratch { workers, block, .. } = scratch;
        let block = Block::new(self.architecture, self.inputs, block, self.plan.rows);
        let neurons = |index: usize, layer: &Layer| {
            let even = layer.n_in.div_ceil(2 * threads);
            match (self.accumulates_in_place(block, index), threads) {
                (true, 1) => layer.n_in,
                // Each slice of a CSR layer scans all stored elements.
                (true, _) if self.is_sparse(index) => even,
                _ => neurons_per_slice(layer).min(even),
            }
        };
        let slices = GradientSlices::new(self.architecture, neurons);
        let slices =
            slices.map_while(|slice| Some((params_and_state.split_front(slice.length)?, slice)));
        let done = self.team.run(
            &mut workers[..threads],
            slices,
            &|| false,
            |worker, (params_and_state, slice), _| {
                self.update_slice(update, &slice, block, worker, params_and_state);
            },
        );
        debug_assert!(done.is_ok(), "nobody interrupts");
    }

    /// The factor that the errors include: −η, or 1.
    pub(crate) fn error_scale(&self) -> f64 {
        self.sgd_rate.map_or(1.0, |rate| -rate)
    }

    /// Whether the input of the layer at `index` is a CSR x.
    pub(super) fn is_sparse(&self, index: usize) -> bool {
        index == 0 && matches!(self.inputs.x, LayerInput::Sparse(_))
    }

    /// Whether the gradient of a layer's weights is accumulated into the weights without a buffer. A sum of
    /// several products needs a buffer: otherwise the division of the batch would change how sums are
    /// rounded.
    fn accumulates_in_place(&self, block: Block<'_, T>, index: usize) -> bool {
        self.sgd_rate.is_some() && (block.is_one_product(index) || self.is_sparse(index))
    }

    /// Updates the parameters of a slice.
    fn update_slice(
        &self,
        update: &Update,
        slice: &GradientSlice,
        block: Block<'_, T>,
        worker: &mut ThreadBuffers<T>,
        params_and_state: ParamsAndState<'_, T>,
    ) {
        let ThreadBuffers {
            pack_buffer,
            slice: buffer,
            ..
        } = worker;
        let terms = match slice.neuron {
            Some(_) => update.weights,
            None => update.biases,
        };
        let cancel = &CancelToken::none();
        let context = &mut Context::new(pack_buffer, cancel);
        if slice.neuron.is_some() && self.accumulates_in_place(block, slice.layer) {
            let params = params_and_state.params;
            decay(params, 1.0 - self.sgd_rate.unwrap_or(0.0) * terms.l2);
            block.sum(slice, Accumulate::Sum, params, context);
            return;
        }
        let gradient = &mut buffer[..slice.length];
        block.sum(slice, Accumulate::Overwrite, gradient, context);
        apply(update, self.sgd_rate, terms, params_and_state, gradient);
    }
}

/// Updates some parameters by their gradient, which includes −η if there is an `sgd_rate`.
pub(crate) fn apply<T: Real>(
    update: &Update,
    sgd_rate: Option<f64>,
    terms: Regularization,
    params_and_state: ParamsAndState<'_, T>,
    gradient: &[T],
) {
    if let Some(rate) = sgd_rate {
        decay(params_and_state.params, 1.0 - rate * terms.l2);
        add(params_and_state.params, gradient, &CancelToken::none());
    } else {
        update.step.apply(terms, params_and_state, gradient);
    }
}

/// p ← p · factor.
pub(super) fn decay<T: Real>(params: &mut [T], factor: f64) {
    let factor = T::from_f64(factor);
    if factor != T::ONE {
        map(params, Scale(factor), |p| p * factor);
    }
}
