//! The three matrix products of backpropagation: safe doors to the tiles.
//!
//! Every element of a product adds its terms one after the other along the inner dimension, each
//! with one fused multiply-add where the machine has it. Layouts, tiles, panels and blocks change the
//! order in which elements are computed, never that of the terms: so a row has the same bits alone
//! and in any batch, and a product the same bits at any width of register.

mod accumulate;
mod blocking;
mod dispatch;
mod driver;
mod factor;
mod gemv;
mod microkernel;
mod pack;
mod values;

use std::ops::Range;

pub use accumulate::Accumulate;
pub use blocking::{ONE_BLOCK, pack_buffer, rows_at_once};
use driver::Product;
use factor::{Factor, Picked};
pub use gemv::ask_for;
pub use values::{Layout, Values};

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::dispatch::tiles;
use crate::kernels::gemm::gemv::{STREAMS, add_rows};
use crate::kernels::gemm::pack::Source;
use crate::kernels::simd::level::{Level, Registers, current, multiplies_in_halves};

#[cfg(test)]
mod tests;

/// The numbers of a register at the level in use.
pub fn lanes<T: Registers>() -> usize {
    tiles::<T>(current()).lanes
}

/// The numbers that the machine multiplies at once at the level in use.
pub fn multiplied_at_once<T: Registers>() -> usize {
    let halves = current() == Level::Avx512 && multiplies_in_halves();
    lanes::<T>() >> u32::from(halves)
}

/// z = 1 bᵀ + a W, for some of the neurons that it leads to.
///
/// `a`: (rows, n_in); `w`: (n_in, n_out); `b`: (n_out,); `z`: (rows, neurons), overwritten, as
/// `layout` says; `pack_buffer`: [`pack_buffer`] numbers.
pub fn forward<T: Registers>(
    a: Values<'_, T>,
    w: &[T],
    b: &[T],
    neurons: Range<usize>,
    z: &mut [T],
    layout: Layout,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let (n_in, n_out) = (w.len() / b.len(), b.len());
    let examples = a.examples(n_in);
    // The one column is a row as well, which fills registers.
    let layout = match n_out {
        1 if a.picked.is_none() && examples >= lanes::<T>() => Layout::Neurons,
        _ => layout,
    };
    let product = match layout {
        Layout::Examples => Product {
            a: a.by_number(examples, n_in),
            b: Source::Rows(w),
            accumulate: Accumulate::Row(b),
            b_row: n_out,
            rows: examples,
            ones: false,
            columns: neurons,
            steps: n_in,
        },
        Layout::Neurons => Product {
            a: Factor {
                numbers: &w[neurons.start..],
                row: 1,
                step: n_out,
                picked: Picked::None,
            },
            b: a.by_columns(),
            accumulate: Accumulate::Column(&b[neurons.clone()]),
            b_row: examples,
            rows: neurons.len(),
            ones: false,
            columns: 0..examples,
            steps: n_in,
        },
    };
    product.run(z, pack_buffer, cancel);
}

/// δ Wᵀ: the errors carried back through the weights.
///
/// `delta`: (rows, n_out); `w`: (n_in, n_out); `out`: (rows, n_in), overwritten, as `layout` says;
/// `pack_buffer`: [`pack_buffer`] numbers.
pub fn errors<T: Registers>(
    delta: Values<'_, T>,
    w: &[T],
    out: &mut [T],
    layout: Layout,
    n_in: usize,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let (n_out, examples) = (w.len() / n_in, out.len() / n_in);
    let product = match layout {
        Layout::Examples => Product {
            a: delta.by_number(examples, n_out),
            b: Source::Columns(w),
            accumulate: Accumulate::Overwrite,
            b_row: n_in,
            rows: examples,
            ones: false,
            columns: 0..n_in,
            steps: n_out,
        },
        Layout::Neurons => Product {
            a: Factor {
                numbers: w,
                row: n_out,
                step: 1,
                picked: Picked::None,
            },
            b: delta.by_columns(),
            accumulate: Accumulate::Overwrite,
            b_row: examples,
            rows: n_in,
            ones: false,
            columns: 0..examples,
            steps: n_out,
        },
    };
    product.run(out, pack_buffer, cancel);
}

/// aᵀ δ for some of the columns of `a`: the gradient of the weights out of the neurons from `first`
/// on. With `biases`, 1ᵀ δ comes behind it: that of the biases.
///
/// `a`: (rows, n_in); `delta`: (rows, n_out); `out`: (neurons, n_out), a row more with `biases`;
/// `pack_buffer`: [`pack_buffer`] numbers.
pub fn gradients<T: Registers>(
    a: Values<'_, T>,
    delta: Values<'_, T>,
    rows: usize,
    first: usize,
    out: &mut [T],
    biases: bool,
    onto: Accumulate,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let accumulate = onto.with_vector();
    debug_assert!(
        onto != Accumulate::Sum || rows <= ONE_BLOCK,
        "a sum of several blocks"
    );
    let (n_in, n_out) = (a.neurons(rows), delta.numbers.len() / rows);
    if n_out == 1 && a.picked.is_none() {
        // The one column is a row as well, which fills registers.
        let (weights, bias) = out.split_at_mut(out.len() - usize::from(biases));
        let product = Product {
            a: Factor {
                numbers: delta.numbers,
                row: rows,
                step: 1,
                picked: Picked::None,
            },
            b: a.by_rows(),
            accumulate,
            b_row: n_in,
            rows: 1,
            ones: false,
            columns: first..first + weights.len(),
            steps: rows,
        };
        product.run(weights, pack_buffer, cancel);
        if biases {
            let mut sum = [T::default()];
            if onto == Accumulate::Overwrite {
                bias.copy_from_slice(&sum);
            }
            if onto == Accumulate::Sum {
                sums(delta, &mut sum, pack_buffer, cancel);
                sums(Values::by_example(&sum), bias, pack_buffer, cancel);
            } else {
                sums(delta, bias, pack_buffer, cancel);
            }
        }
        return;
    }
    let Factor {
        numbers, row, step, ..
    } = a.by_number(rows, n_in);
    let product = Product {
        a: Factor {
            numbers: &numbers[first * step..],
            row: step,
            step: row,
            picked: a
                .picked
                .map_or(Picked::None, |(rows, _)| Picked::Steps(rows)),
        },
        b: delta.by_rows(),
        accumulate,
        b_row: n_out,
        rows: out.len() / n_out - usize::from(biases),
        ones: biases,
        columns: 0..n_out,
        steps: rows,
    };
    product.run(out, pack_buffer, cancel);
}

/// 1ᵀ δ, added to what `out` holds: the gradient of the biases.
///
/// `delta`: (rows, n_out); `out`: (n_out,); `pack_buffer`: [`pack_buffer`] numbers where `delta` lies by neuron,
/// else none.
pub fn sums<T: Registers>(
    delta: Values<'_, T>,
    out: &mut [T],
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let n_out = out.len();
    if delta.layout == Layout::Neurons && n_out > 1 {
        let product = Product {
            a: Factor {
                numbers: &[],
                row: 0,
                step: 0,
                picked: Picked::None,
            },
            b: delta.by_rows(),
            accumulate: Accumulate::Terms,
            b_row: n_out,
            rows: 0,
            ones: true,
            columns: 0..n_out,
            steps: delta.numbers.len() / n_out,
        };
        product.run(out, pack_buffer, cancel);
        return;
    }
    for rows in delta.numbers.chunks(STREAMS * n_out) {
        if cancel.poll_after(rows.len()) {
            return;
        }
        let ones = &[T::from(1); STREAMS][..rows.len() / n_out];
        add_rows(current(), ones, rows, n_out, &(0..n_out), out);
    }
}
