//! The three matrix products of backpropagation: the one door to the crate that multiplies.
//!
//! Every element of a product adds its terms one after the other along the inner dimension, in an
//! order that depends on the length of that dimension alone. So a row has the same bits alone and
//! in any batch, and the panels below change no bit either.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::interrupt::Pulse;
use crate::scalar::Real;

/// The multiply-adds between two looks at the stop flag: some 10 ms of one core in float64.
const PANEL: usize = 1 << 27;
/// The numbers between two looks: where there are few rows, it is their way from memory that counts.
const PANEL_NUMBERS: usize = 1 << 23;

/// z = 1 bᵀ + a W.
///
/// `a`: (rows, n_in); `w`: (n_in, n_out); `b`: (n_out,); `z`: (rows, n_out), overwritten.
pub fn forward<T: Real>(a: &[T], w: &[T], b: &[T], z: &mut [T], pulse: &Pulse<'_>) {
    let n_out = b.len();
    z.chunks_exact_mut(n_out)
        .for_each(|row| row.copy_from_slice(b));
    let w = matrix(w, n_out);
    let a = matrix(a, w.nrows());
    multiply(&a, &w, T::ONE, matrix_mut(z, n_out), pulse);
}

/// δ Wᵀ: the errors carried back through the weights.
///
/// `delta`: (rows, n_out); `w`: (n_in, n_out); `out`: (rows, n_in), overwritten.
pub fn errors<T: Real>(delta: &[T], w: &[T], out: &mut [T], n_in: usize, pulse: &Pulse<'_>) {
    let w = matrix(w, w.len() / n_in);
    let delta = matrix(delta, w.ncols());
    multiply(
        &delta,
        &w.reversed_axes(),
        T::ZERO,
        matrix_mut(out, n_in),
        pulse,
    );
}

/// aᵀ δ: the gradient of the weights.
///
/// `a`: (rows, n_in); `delta`: (rows, n_out); `out`: (n_in, n_out), overwritten.
pub fn gradients<T: Real>(a: &[T], delta: &[T], out: &mut [T], rows: usize, pulse: &Pulse<'_>) {
    let a = matrix(a, a.len() / rows).reversed_axes();
    let delta = matrix(delta, delta.len() / rows);
    let n_out = delta.ncols();
    // Panels go over columns; here the rows of the result are the long side.
    let transposed = matrix_mut(out, n_out).reversed_axes();
    multiply(
        &delta.reversed_axes(),
        &a.reversed_axes(),
        T::ZERO,
        transposed,
        pulse,
    );
}

/// C ← β C + A B, a panel of columns at a time.
fn multiply<T: Real>(
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    beta: T,
    mut c: ArrayViewMut2<'_, T>,
    pulse: &Pulse<'_>,
) {
    for panel in panels(c.ncols(), a.len(), b.nrows()) {
        if pulse.stopped_after(0) {
            return;
        }
        let b = b.slice(s![.., panel.clone()]);
        let mut c = c.slice_mut(s![.., panel]);
        general_mat_mul(T::ONE, a, &b, beta, &mut c);
        pulse.stopped_after(a.len() * b.ncols());
    }
}

/// Cuts `columns` into panels of at most [`PANEL`] multiply-adds, `column` of them for each, and of
/// at most [`PANEL_NUMBERS`] numbers in columns of `length`.
fn panels(columns: usize, column: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    let step = (PANEL / column.max(1)).min(PANEL_NUMBERS / length.max(1));
    let step = step.max(8);
    (0..columns)
        .step_by(step)
        .map(move |start| start..columns.min(start + step))
}

/// `data` as rows of `columns` numbers. Rooms above have proven that the lengths fit.
fn matrix<T>(data: &[T], columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((data.len() / columns, columns), data)
        .expect("the rooms above hand over whole rows")
}

fn matrix_mut<T>(data: &mut [T], columns: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((data.len() / columns, columns), data)
        .expect("the rooms above hand over whole rows")
}
