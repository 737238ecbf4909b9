//! The products of a block of examples, added to a slice of the moments.

use std::ops::Range;

use crate::base::cancel::{COPIED_PER_POLL, CancelToken};
use crate::data::{Inputs, LayerInput};
use crate::engine::batch::gradient_sum::slices::GradientSlice;
use crate::engine::batch::moments::FactorBuffers;
use crate::engine::workspace::{Part, Workspace};
use crate::kernels::csr::CsrMatrix;
use crate::kernels::gemm::Matrix;
use crate::kernels::moments::{
    ExampleFactors, ListedElement, MAX_EXAMPLES, Moments, PADDING, number,
};
use crate::kernels::real::Real;
use crate::kernels::tuning::moments::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::architecture::Layer;

/// The examples of a block, with their a^l and δ^l, row-major.
#[derive(Clone, Copy)]
pub(super) struct MomentBlock<'a, T: 'static> {
    pub layers: &'a [Layer],
    pub x: Inputs<'a, T>,
    pub workspace: &'a Workspace<T>,
    /// The first example of the block.
    pub first: usize,
}

/// A slice of the moments.
pub(super) struct MomentSlice<'a> {
    pub mean: &'a mut [f64],
    pub squares: &'a mut [f64],
    /// How many elements of each column of x have been added; empty unless these are weights of x.
    pub added: &'a mut [f64],
}

impl MomentSlice<'_> {
    fn clear(&mut self, cancel: &CancelToken<'_>) {
        for numbers in [&mut *self.mean, self.squares, self.added] {
            for numbers in numbers.chunks_mut(COPIED_PER_POLL) {
                numbers.fill(0.0);
                cancel.poll_after(numbers.len());
            }
        }
    }

    /// Those of `shape` parameters in rows of `stride`, from `first` on.
    fn part(&mut self, first: usize, shape: (usize, usize), stride: usize) -> Moments<'_> {
        Moments {
            mean: self.mean.get_mut(first..).unwrap_or_default(),
            squares: &mut self.squares[first..],
            shape,
            stride,
        }
    }

    /// Adds the products of the input at `place` with the examples of `entries`, for some of `n_out` columns.
    fn add_listed(
        &mut self,
        (place, stride): (usize, usize),
        (columns, n_out): (&Range<usize>, usize),
        entries: &[ListedElement],
        delta: &[f64],
    ) {
        let (before, shape) = (self.added[place], (1, columns.len()));
        let mut part = self.part(place * stride + columns.start, shape, stride);
        part.add_listed(entries, delta, before);
        if columns.end == n_out {
            self.added[place] += number(entries.len());
        }
    }
}

impl<T: Real> MomentBlock<'_, T> {
    /// Adds the products of all examples to a slice of the moments.
    pub fn add(
        &self,
        slice: &GradientSlice,
        mut moments: MomentSlice<'_>,
        buffers: &mut FactorBuffers,
        cancel: &CancelToken<'_>,
    ) {
        if self.first == 0 {
            moments.clear(cancel);
        }
        let layer = &self.layers[slice.layer];
        let FactorBuffers { numbers, entries } = buffers;
        let (deltas, numbers) = numbers.split_at_mut(MAX_EXAMPLES * MAX_OUTPUTS);
        for rows in pieces(self.x.len(), MAX_EXAMPLES) {
            let errors = self.workspace.layer(slice.layer, None);
            let errors = errors.errors_of(Part::Primal, &rows);
            let Some(neuron) = slice.neuron else {
                self.add_biases(errors, &rows, &mut moments, (deltas, numbers));
                continue;
            };
            let inputs = neuron..neuron + slice.length / layer.row_stride;
            let Some(below) = slice.layer.checked_sub(1) else {
                let these = (&inputs, layer.row_stride);
                let buffers = (&mut *deltas, &mut entries[..]);
                match self.x.row_range(&rows).x {
                    LayerInput::Dense(x) => {
                        add_dense_x(x, errors, these, &mut moments, buffers, cancel);
                    }
                    LayerInput::Sparse(x) => {
                        add_sparse_x(x, errors, these, &mut moments, buffers, cancel);
                    }
                }
                continue;
            };
            let a = self.workspace.layer(below, None).activations(&rows);
            for columns in pieces(layer.n_out, MAX_OUTPUTS) {
                let delta = copy(errors, &columns, PADDING, deltas);
                for some in pieces(inputs.len(), MAX_INPUTS) {
                    let first = some.start * layer.row_stride + columns.start;
                    let shape = (some.len(), columns.len());
                    let places = neuron + some.start..neuron + some.end;
                    moments
                        .part(first, shape, layer.row_stride)
                        .add(ExampleFactors {
                            a: copy(a, &places, 1, numbers),
                            delta,
                            rows: rows.len(),
                            before: self.first + rows.start,
                        });
                    if cancel.poll_after(2 * some.len() * delta.len()) {
                        return;
                    }
                }
            }
        }
    }

    /// Those of the biases, whose a is 1.
    fn add_biases(
        &self,
        errors: Matrix<'_, T>,
        rows: &Range<usize>,
        moments: &mut MomentSlice<'_>,
        (deltas, numbers): (&mut [f64], &mut [f64]),
    ) {
        let (_, n_out) = errors.shape();
        let a = &mut numbers[..rows.len()];
        a.fill(1.0);
        for columns in pieces(n_out, MAX_OUTPUTS) {
            let delta = copy(errors, &columns, PADDING, deltas);
            let part = &mut moments.part(columns.start, (1, columns.len()), n_out);
            part.add(ExampleFactors {
                a,
                delta,
                rows: rows.len(),
                before: self.first + rows.start,
            });
        }
    }
}

/// The products of the elements of x in the columns `inputs` that are not 0. Where δ of an example is not
/// finite, also of those that are 0: they are NaN.
fn add_dense_x<T: Real>(
    x: Matrix<'_, T>,
    errors: Matrix<'_, T>,
    (inputs, stride): (&Range<usize>, usize),
    moments: &mut MomentSlice<'_>,
    (deltas, entries): (&mut [f64], &mut [ListedElement]),
    cancel: &CancelToken<'_>,
) {
    let (_, n_out) = errors.shape();
    let mut is_finite = [true; MAX_EXAMPLES];
    for (is_finite, row) in is_finite.iter_mut().zip(errors.iter_rows()) {
        *is_finite = row.iter().all(|delta| delta.to_f64().is_finite());
    }
    for columns in pieces(n_out, MAX_OUTPUTS) {
        let delta = copy(errors, &columns, PADDING, deltas);
        for (place, input) in inputs.clone().enumerate() {
            let mut count = 0;
            for ((row, values), &is_finite) in (0..).zip(x.iter_rows()).zip(&is_finite) {
                if values[input] != T::ZERO || !is_finite {
                    let value = values[input].to_f64();
                    entries[count] = ListedElement {
                        input: 0,
                        row,
                        value,
                    };
                    count += 1;
                }
            }
            let listed = &entries[..count];
            moments.add_listed((place, stride), (&columns, n_out), listed, delta);
            if cancel.poll_after(count * columns.len()) {
                return;
            }
        }
    }
}

/// The products of the stored elements of a CSR x in the columns `inputs` that are not 0.
fn add_sparse_x<T: Real>(
    x: CsrMatrix<'_, T>,
    errors: Matrix<'_, T>,
    (inputs, stride): (&Range<usize>, usize),
    moments: &mut MomentSlice<'_>,
    (deltas, entries): (&mut [f64], &mut [ListedElement]),
    cancel: &CancelToken<'_>,
) {
    let (_, n_out) = errors.shape();
    let mut count = 0;
    for row in (0..).take(x.len()) {
        let (columns, values) = x.row(row as usize);
        for (&input, value) in columns.iter().zip(values) {
            if inputs.contains(&(input as usize)) && *value != T::ZERO {
                let value = value.to_f64();
                entries[count] = ListedElement { input, row, value };
                count += 1;
            }
        }
    }
    let entries = &mut entries[..count];
    entries.sort_unstable_by_key(|entry| (entry.input, entry.row));
    for columns in pieces(n_out, MAX_OUTPUTS) {
        let delta = copy(errors, &columns, PADDING, deltas);
        for of_input in entries.chunk_by(|a, b| a.input == b.input) {
            let place = of_input[0].input as usize - inputs.start;
            moments.add_listed((place, stride), (&columns, n_out), of_input, delta);
            if cancel.poll_after(of_input.len() * columns.len()) {
                return;
            }
        }
    }
}

/// The most stored elements of examples that are added together.
pub(super) fn most_stored<T: Copy>(x: CsrMatrix<'_, T>) -> usize {
    let pieces = pieces(x.len(), MAX_EXAMPLES);
    pieces
        .map(|rows| x.row_range(rows).nnz())
        .max()
        .unwrap_or(0)
}

/// Some columns of `from` in `to`, in rows padded to a multiple of `padding` with zeros.
fn copy<'a, T: Real>(
    from: Matrix<'_, T>,
    columns: &Range<usize>,
    padding: usize,
    to: &'a mut [f64],
) -> &'a [f64] {
    let width = columns.len().next_multiple_of(padding);
    let to = &mut to[..from.shape().0 * width];
    for (row, to) in from.iter_rows().zip(to.chunks_exact_mut(width)) {
        let (used, padding) = to.split_at_mut(columns.len());
        for (to, value) in used.iter_mut().zip(&row[columns.clone()]) {
            *to = value.to_f64();
        }
        padding.fill(0.0);
    }
    to
}

/// 0 … `end` in pieces of at most `length`.
fn pieces(end: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = (0..end).step_by(length);
    starts.map(move |first| first..end.min(first + length))
}
