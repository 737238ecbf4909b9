//! Parameters for a CSR x, with rows that start at cache lines.
//!
//! A stored element of x uses one row of the first layer's weights, which the forward pass reads and the
//! step updates. A row of 30 float32 spans two or three cache lines, and most of its registers span two,
//! which takes twice as long. So a series of steps with a CSR x works on a copy with rows of whole cache
//! lines.

use crate::base::alloc::reserve_for;
use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::optimizer::ParamsAndState;
use crate::kernels::real::Real;
use crate::kernels::tuning::padded::{MOST, USES_PER_COPY};
use crate::model::architecture::Architecture;
use crate::train::StepSeries;

/// The buffer of the copy.
#[derive(Debug, Default)]
pub struct PaddedParams<T>(Vec<T>);

/// The architecture with rows of whole cache lines, or None if the series would not be faster with it.
///
/// # Errors
/// The parameters would exceed the longest vector.
pub fn architecture<T: Real>(
    run: &StepSeries<'_, T>,
    params: &[T],
) -> Result<Option<Architecture>> {
    let first = &run.architecture.layers()[0];
    let line = cache_line::numbers::<T>();
    let LayerInput::Sparse(x) = run.inputs.x else {
        return Ok(None);
    };
    // A custom cost may look at its parameters; and the norm of a gradient is a sum whose order depends on
    // the memory layout.
    let is_aligned = cache_line::before(params) == 0 && first.n_out.is_multiple_of(line);
    let nnz = x.nnz() / run.inputs.len() * run.order.len();
    let copied = params.len().saturating_mul(1 + run.settings.rule.state());
    let pays_off = first.n_out > line
        && copied <= MOST
        && nnz.saturating_mul(first.n_out) >= USES_PER_COPY * copied;
    let layout_matters = run.costs.is_some() || run.settings.clip_norm.is_some();
    if is_aligned || !pays_off || layout_matters {
        return Ok(None);
    }
    run.architecture.with_padded_rows(line).map(Some)
}

impl<T: Real> PaddedParams<T> {
    /// Copies parameters and state to the layout of `padded_architecture`.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn copy<'a>(
        &'a mut self,
        architecture: &Architecture,
        padded_architecture: &Architecture,
        params_and_state: &ParamsAndState<'_, T>,
    ) -> Result<ParamsAndState<'a, T>> {
        let (length, count) = (
            padded_architecture.params_len(),
            1 + params_and_state.count(),
        );
        let all = length * count + cache_line::numbers::<T>();
        reserve_for("padded params", &mut self.0, all, 1, &CancelToken::none())?;
        let first = cache_line::before(&self.0);
        let places = &mut self.0[first..first + length * count];
        for (part, place) in params_and_state
            .slices()
            .zip(places.chunks_exact_mut(length))
        {
            let row = padded_architecture.layers()[0].row_stride;
            let (weights, rest) = part.split_at(architecture.layers()[0].weights.len());
            let (rows, place) = place.split_at_mut(padded_architecture.layers()[0].weights.len());
            let narrow = architecture.layers()[0].row_stride;
            for (row, place) in weights.chunks_exact(narrow).zip(rows.chunks_exact_mut(row)) {
                let (place, between) = place.split_at_mut(narrow);
                place.copy_from_slice(row);
                between.fill(T::ZERO);
            }
            place.copy_from_slice(rest);
        }
        let mut places = places.chunks_exact_mut(length);
        let params = places.next().unwrap_or_default();
        Ok(ParamsAndState::new(params, places))
    }
}

/// Copies them back.
pub fn copy_back<T: Real>(
    architecture: &Architecture,
    padded_architecture: &Architecture,
    from: &ParamsAndState<'_, T>,
    to: &mut ParamsAndState<'_, T>,
) {
    let (narrow, row) = (
        architecture.layers()[0].row_stride,
        padded_architecture.layers()[0].row_stride,
    );
    for (from, to) in from.slices().zip(to.slices_mut()) {
        let (rows, rest) = from.split_at(padded_architecture.layers()[0].weights.len());
        let (weights, place) = to.split_at_mut(architecture.layers()[0].weights.len());
        for (row, place) in rows.chunks_exact(row).zip(weights.chunks_exact_mut(narrow)) {
            place.copy_from_slice(&row[..narrow]);
        }
        place.copy_from_slice(rest);
    }
}
