//! A step that also measures its gradient and its update: the same parameters, bit by bit, as without.

use crate::base::alloc::try_defaults;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::engine::batch::fused_step::{FusedStep, decay};
use crate::engine::batch::gradient_sum::slices::{Block, GradientSlice, GradientSlices};
use crate::engine::batch::scratch::{Scratch, ThreadBuffers};
use crate::engine::optimizer::{ParamsAndState, Update};
use crate::kernels::elementwise::norms::{add_with_norm, distance, joined_norm, norm};
use crate::kernels::gemm::{Accumulate, Context};
use crate::kernels::real::Real;
use crate::kernels::tuning::measured_step::{
    MIN_PIECES_PER_THREAD, SLICE_ELEMENTS, SPARSE_SLICE_ELEMENTS,
};
use crate::model::architecture::{Architecture, Layer};
use crate::pool::Team;

/// The norms of a part of a step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepNorms {
    /// ‖∇C‖, times the factor that the errors include.
    pub gradient: f64,
    /// ‖Δθ‖.
    pub update: f64,
}

/// Buffers for the norms of a step. Every sum is cut by the shape of the network.
#[derive(Debug, Default)]
pub(crate) struct NormBuffers<T> {
    /// The parameters before the step, where an update cannot be measured otherwise.
    before: Vec<T>,
    /// One entry per slice or piece.
    parts: Vec<StepNorms>,
}

/// The neurons whose outgoing weights make a slice of the layer at an index, and whether x is CSR.
fn neurons_per_slice(layer: &Layer, is_sparse: bool) -> usize {
    let length = if is_sparse {
        SPARSE_SLICE_ELEMENTS
    } else {
        SLICE_ELEMENTS
    };
    (length / layer.row_stride).clamp(1, layer.n_in)
}

impl<T: Real> NormBuffers<T> {
    /// Allocates what steps of `architecture` need.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn prepare(&mut self, architecture: &Architecture) -> Result<()> {
        let length = architecture.params_len();
        if self.before.len() != length {
            let slices =
                GradientSlices::new(architecture, |_, layer| neurons_per_slice(layer, false));
            let parts = slices.count().max(length.div_ceil(SLICE_ELEMENTS));
            self.before = try_defaults("params before a step", length)?;
            self.parts = try_defaults("norms of a step", parts)?;
        }
        Ok(())
    }

    /// Keeps a copy of the parameters for [`Self::update`].
    pub fn keep(&mut self, params: &[T]) {
        self.before.copy_from_slice(params);
    }

    /// ‖θ − θ₀‖ with the parameters θ₀ that [`Self::keep`] has copied.
    pub fn update(&mut self, params: &[T], team: &Team) -> f64 {
        let Self { before, parts } = self;
        let pieces = params
            .chunks(SLICE_ELEMENTS)
            .zip(before.chunks(SLICE_ELEMENTS));
        by_pieces(team, parts, pieces, |(params, before)| {
            distance(params, before)
        })
    }

    /// ‖`gradient`‖.
    pub fn gradient(&mut self, gradient: &[T], team: &Team) -> f64 {
        by_pieces(team, &mut self.parts, gradient.chunks(SLICE_ELEMENTS), norm)
    }
}

/// The norm of a vector from those of its pieces.
fn by_pieces<P: Send>(
    team: &Team,
    parts: &mut [StepNorms],
    pieces: impl ExactSizeIterator<Item = P> + Send,
    norm: impl Fn(P) -> f64 + Sync,
) -> f64 {
    let parts = &mut parts[..pieces.len()];
    let threads = team.threads().min(pieces.len() / MIN_PIECES_PER_THREAD);
    let mut states = vec![(); threads.max(1)];
    let done = team.run(
        &mut states,
        parts.iter_mut().zip(pieces),
        &|| false,
        |(), (part, piece), _| part.gradient = norm(piece),
    );
    debug_assert!(done.is_ok(), "nobody interrupts");
    joined_norm(parts.iter().map(|part| part.gradient))
}

impl<T: Real> FusedStep<'_, T> {
    /// Updates the parameters as [`FusedStep::update`] does, with the same bits. The gradient, times
    /// [`FusedStep::error_scale`], goes to `whole`, which has the layout of the parameters, unless that is
    /// empty. The update is measured if `buffers` does not keep the parameters for that.
    pub(crate) fn update_measured(
        &self,
        scratch: &mut Scratch<T>,
        update: &Update,
        mut params_and_state: ParamsAndState<'_, T>,
        mut whole: &mut [T],
        (buffers, measures_update): (&mut NormBuffers<T>, bool),
    ) -> StepNorms {
        let threads = self.team.threads();
        let Scratch { workers, block, .. } = scratch;
        let block = Block::new(self.architecture, self.inputs, block, self.plan.rows);
        let NormBuffers { before, parts } = buffers;
        let mut before = if measures_update {
            &mut before[..]
        } else {
            &mut []
        };
        let mut count = 0;
        let mut rest = &mut parts[..];
        let slices = GradientSlices::new(self.architecture, |index, layer| {
            neurons_per_slice(layer, self.is_sparse(index))
        });
        let slices = slices.map_while(|slice| {
            let params_and_state = params_and_state.split_front(slice.length)?;
            let whole = whole.split_off_mut(..slice.length);
            let before = before.split_off_mut(..slice.length).unwrap_or_default();
            count += 1;
            Some((
                slice,
                params_and_state,
                whole,
                before,
                rest.split_off_first_mut()?,
            ))
        });
        let done = self.team.run(
            &mut workers[..threads],
            slices,
            &|| false,
            |worker, (slice, params_and_state, whole, before, norms), _| {
                *norms = self.measured_slice(
                    update,
                    (&slice, block),
                    (worker, whole, before),
                    params_and_state,
                );
            },
        );
        debug_assert!(done.is_ok(), "nobody interrupts");
        let parts = parts[..count].iter();
        StepNorms {
            gradient: joined_norm(parts.clone().map(|part| part.gradient)),
            update: joined_norm(parts.map(|part| part.update)),
        }
    }

    /// Updates the parameters of a slice. `before` is as long as the slice, or empty if the update is not
    /// measured.
    fn measured_slice(
        &self,
        update: &Update,
        (slice, block): (&GradientSlice, Block<'_, T>),
        (worker, whole, before): (&mut ThreadBuffers<T>, Option<&mut [T]>, &mut [T]),
        mut params_and_state: ParamsAndState<'_, T>,
    ) -> StepNorms {
        let ThreadBuffers {
            pack_buffer,
            slice: buffer,
            ..
        } = worker;
        let (terms, is_weights) = match slice.neuron {
            Some(_) => (update.weights, true),
            None => (update.biases, false),
        };
        let cancel = &CancelToken::none();
        let context = &mut Context::new(pack_buffer, cancel);
        let gradient = whole.unwrap_or_else(|| &mut buffer[..slice.length]);
        block.sum(slice, Accumulate::Overwrite, gradient, context);
        let factor = self.sgd_rate.map(|rate| 1.0 - rate * terms.l2);
        if factor.is_some_and(|factor| T::from_f64(factor) == T::ONE) {
            // Δθ is the gradient times −η.
            let params = params_and_state.params;
            let gradient = if is_weights && self.is_sparse(slice.layer) {
                // Term by term, as without measures.
                block.sum(slice, Accumulate::Sum, params, context);
                norm(gradient)
            } else {
                add_with_norm(params, gradient)
            };
            return StepNorms {
                gradient,
                update: gradient,
            };
        }
        let gradient_norm = norm(gradient);
        if !before.is_empty() {
            before.copy_from_slice(params_and_state.params);
        }
        let params = params_and_state.reborrow();
        match factor {
            Some(factor) => {
                decay(params.params, factor);
                if is_weights && self.is_sparse(slice.layer) {
                    block.sum(slice, Accumulate::Sum, params.params, context);
                } else {
                    add_with_norm(params.params, gradient);
                }
            }
            None => update.step.apply(terms, params, gradient),
        }
        StepNorms {
            gradient: gradient_norm,
            update: if before.is_empty() {
                0.0
            } else {
                distance(params_and_state.params, before)
            },
        }
    }
}
