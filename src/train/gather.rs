//! Gathering the examples of a mini-batch.

use std::ops::Range;

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{CancelToken, ShouldCancel, cancellable};
use crate::base::error::Result;
use crate::data::{Inputs, LayerInput, Targets, Y};
use crate::kernels::csr::GatheredRows;
use crate::kernels::real::Real;
use crate::kernels::simd::prefetch;
use crate::kernels::tuning::gather::{MIN_IN_PLACE_BYTES, MIN_SHARED_BYTES, PIECE_ROWS};
use crate::model::architecture::Architecture;
use crate::pool::Team;

/// Buffers for the examples of a mini-batch.
#[derive(Debug, Default)]
pub struct GatherBuffers<T> {
    x: Vec<T>,
    gathered_rows: GatheredRows,
    targets: TargetBuffers<T>,
}

/// Buffers for their targets and weights.
#[derive(Debug, Default)]
pub struct TargetBuffers<T> {
    y: Vec<T>,
    labels: Vec<i64>,
    weights: Vec<f64>,
}

/// All examples, and how to copy some of them.
pub struct Source<'a, 'b, T> {
    pub architecture: &'b Architecture,
    pub inputs: Inputs<'a, T>,
    pub targets: Targets<'a, T>,
    pub team: &'b Team,
    pub should_cancel: ShouldCancel<'b>,
}

impl<T: Real> GatherBuffers<T> {
    /// The examples `rows`, whose cost is Σ `s_x` `C_x` / n over these n. They are borrowed if they are
    /// consecutive, else copied; an x whose rows the network can read in place is not copied.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn gather<'a>(
        &'a mut self,
        source: &Source<'a, '_, T>,
        rows: &'a [u32],
    ) -> Result<(Inputs<'a, T>, Targets<'a, T>)> {
        let Self {
            x, gathered_rows, ..
        } = self;
        let Source {
            inputs,
            should_cancel,
            ..
        } = *source;
        let targets = (self.targets).gather(&source.targets, rows, should_cancel)?;
        if let Some(rows) = consecutive(rows) {
            return Ok((inputs.row_range(&rows), targets));
        }
        let inputs = match inputs.x {
            LayerInput::Dense(all) => {
                let (n, width) = (rows.len(), inputs.width());
                if reads_in_place::<T>(source.architecture, n) {
                    inputs.gathered(all.numbers, rows)
                } else {
                    cancellable(should_cancel, |cancel| grow_workspace(x, n, width, cancel))?;
                    inputs.with_dense(
                        n,
                        copy_rows_in_parallel(all.numbers, width, rows, x, source.team),
                    )
                }
            }
            LayerInput::Sparse(all) => inputs.with_sparse(gathered_rows.gather(all, rows)?),
        };
        Ok((inputs, targets))
    }
}

impl<T: Real> TargetBuffers<T> {
    /// The targets and weights of the examples `rows`, borrowed if they are consecutive, else copied.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn gather<'a>(
        &'a mut self,
        targets: &Targets<'a, T>,
        rows: &[u32],
        should_cancel: ShouldCancel<'_>,
    ) -> Result<Targets<'a, T>> {
        let (n, width) = (rows.len(), targets.width);
        let weights = targets.sample_weight;
        let (y, weights) = if let Some(rows) = consecutive(rows) {
            let y = match targets.y {
                Y::Values(y) => Y::Values(&y[rows.start * width..rows.end * width]),
                Y::Labels(labels) => Y::Labels(&labels[rows.clone()]),
            };
            (y, weights.map(|weights| &weights[rows]))
        } else {
            let y = match targets.y {
                Y::Values(all) => {
                    let y = &mut self.y;
                    cancellable(should_cancel, |cancel| grow_workspace(y, n, width, cancel))?;
                    Y::Values(copy_rows(all, width, rows, y))
                }
                Y::Labels(all) => {
                    grow_workspace(&mut self.labels, n, 1, &CancelToken::none())?;
                    Y::Labels(copy_rows(all, 1, rows, &mut self.labels))
                }
            };
            let weights: Option<&[f64]> = match weights {
                Some(all) => {
                    grow_workspace(&mut self.weights, n, 1, &CancelToken::none())?;
                    Some(copy_rows(all, 1, rows, &mut self.weights))
                }
                None => None,
            };
            (y, weights)
        };
        Ok(Targets::new(y, n, width).with_weights(weights))
    }
}

/// Whether the examples of a mini-batch are read in place. A product with a single column needs contiguous
/// examples.
fn reads_in_place<T>(architecture: &Architecture, n: usize) -> bool {
    let first = &architecture.layers()[0];
    let bytes = first.n_in * size_of::<T>();
    first.n_out > 1 && bytes >= MIN_IN_PLACE_BYTES && n * bytes < MIN_SHARED_BYTES
}

/// Prefetches some rows of x while a step is at work.
pub fn prefetch_rows<T: Real>(inputs: &Inputs<'_, T>, rows: &[u32]) {
    match inputs.x {
        LayerInput::Dense(all) => {
            let width = inputs.width();
            for &row in rows {
                prefetch(&all.numbers[row as usize * width..][..width]);
            }
        }
        LayerInput::Sparse(all) => {
            for &row in rows {
                let (columns, values) = all.row(row as usize);
                prefetch(columns);
                prefetch(values);
            }
        }
    }
}

/// The rows as a range, if they are consecutive.
fn consecutive(rows: &[u32]) -> Option<Range<usize>> {
    let first = rows.first().map_or(0, |&row| row as usize);
    let are_consecutive = rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    are_consecutive.then_some(first..first + rows.len())
}

/// `copy_rows` by all threads of a team, if there are enough bytes to copy.
fn copy_rows_in_parallel<'a, T: Real>(
    all: &[T],
    width: usize,
    rows: &[u32],
    out: &'a mut [T],
    team: &Team,
) -> &'a [T] {
    if team.threads() == 1 || size_of::<T>() * rows.len() * width < MIN_SHARED_BYTES {
        return copy_rows(all, width, rows, out);
    }
    let out = &mut out[..rows.len() * width];
    let pieces = out
        .chunks_mut(PIECE_ROWS * width)
        .zip(rows.chunks(PIECE_ROWS));
    let mut states = vec![(); team.threads()];
    let copy = |(): &mut (), (out, rows): (&mut [T], &[u32]), _: &CancelToken<'_>| {
        copy_rows(all, width, rows, out);
    };
    let done = team.run(&mut states, pieces, &|| false, copy);
    debug_assert!(done.is_ok(), "nobody interrupts");
    out
}

/// Copies the rows of `all`, each `width` long, to `out`.
fn copy_rows<'a, T: Copy>(all: &[T], width: usize, rows: &[u32], out: &'a mut [T]) -> &'a [T] {
    let out = &mut out[..rows.len() * width];
    // y is empty if the caller computes the cost.
    for (out, &row) in out.chunks_exact_mut(width.max(1)).zip(rows) {
        out.copy_from_slice(&all[row as usize * width..][..width]);
    }
    out
}
