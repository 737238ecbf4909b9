//! Parameters for a CSR x, with rows that start at cache lines.
//!
//! A stored element of x uses one row of the first layer's weights, which the forward pass reads and the
//! step updates. A row of 30 float32 spans two or three cache lines, and most of its registers span two,
//! which takes twice as long. So a series of steps with a CSR x works on a copy with rows of whole cache
//! lines.

use crate::base::alloc::try_grow;
use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::optimizer::ParamsAndState;
use crate::kernels::real::Real;
use crate::kernels::tuning::padded::{MAX_COPIED_ELEMENTS, MIN_USES_PER_COPY};
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
    series: &StepSeries<'_, T>,
    params: &[T],
) -> Result<Option<Architecture>> {
    let first = &series.architecture.layers()[0];
    let line_length = cache_line::numbers::<T>();
    let LayerInput::Sparse(x) = series.inputs.x else {
        return Ok(None);
    };
    // A custom cost may look at its parameters; and the norm of a gradient is a sum whose order depends on
    // the memory layout.
    let is_aligned = cache_line::before(params) == 0 && first.n_out.is_multiple_of(line_length);
    let nnz = x.nnz() / series.inputs.len() * series.order.len();
    let copied = params
        .len()
        .saturating_mul(1 + series.settings.rule.n_states());
    let pays_off = first.n_out > line_length
        && copied <= MAX_COPIED_ELEMENTS
        && nnz.saturating_mul(first.n_out) >= MIN_USES_PER_COPY * copied;
    let layout_matters = series.costs.is_some() || series.settings.clip_norm.is_some();
    if is_aligned || !pays_off || layout_matters {
        return Ok(None);
    }
    series.architecture.with_padded_rows(line_length).map(Some)
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
        try_grow("padded params", &mut self.0, all, 1, &CancelToken::none())?;
        let first = cache_line::before(&self.0);
        let copies = &mut self.0[first..first + length * count];
        for (from, to) in params_and_state
            .slices()
            .zip(copies.chunks_exact_mut(length))
        {
            let padded_row = padded_architecture.layers()[0].row_stride;
            let row = architecture.layers()[0].row_stride;
            let (weights, rest) = from.split_at(architecture.layers()[0].weights.len());
            let (to_weights, to_rest) =
                to.split_at_mut(padded_architecture.layers()[0].weights.len());
            let rows = weights.chunks_exact(row);
            for (from, to) in rows.zip(to_weights.chunks_exact_mut(padded_row)) {
                let (to, padding) = to.split_at_mut(row);
                to.copy_from_slice(from);
                padding.fill(T::ZERO);
            }
            to_rest.copy_from_slice(rest);
        }
        let mut copies = copies.chunks_exact_mut(length);
        let params = copies.next().unwrap_or_default();
        Ok(ParamsAndState::new(params, copies))
    }
}

/// Copies them back.
pub fn copy_back<T: Real>(
    architecture: &Architecture,
    padded_architecture: &Architecture,
    from: &ParamsAndState<'_, T>,
    to: &mut ParamsAndState<'_, T>,
) {
    let (row, padded_row) = (
        architecture.layers()[0].row_stride,
        padded_architecture.layers()[0].row_stride,
    );
    for (from, to) in from.slices().zip(to.slices_mut()) {
        let (weights, rest) = from.split_at(padded_architecture.layers()[0].weights.len());
        let (to_weights, to_rest) = to.split_at_mut(architecture.layers()[0].weights.len());
        let rows = weights.chunks_exact(padded_row);
        for (from, to) in rows.zip(to_weights.chunks_exact_mut(row)) {
            to.copy_from_slice(&from[..row]);
        }
        to_rest.copy_from_slice(rest);
    }
}
