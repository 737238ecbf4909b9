//! The four equations of backpropagation, for the rows of a chunk (Nielsen, ch. 2).
//!
//! δ^l = ∂C/∂z^l, C the cost of the whole batch: the factor 1/n, or s_x / Σ s, is in it from BP1 on.

use std::ops::Range;

use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::data::{Incoming, Inputs, Targets};
use crate::engine::dropout::drop;
use crate::engine::workspace::Buffers;
use crate::kernels::csr::SparseRows;
use crate::kernels::gemm::{self, Accumulate, Layout, Values};
use crate::kernels::real::Real;
use crate::kernels::spmm;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;

/// BP1: δ^L = ∇_a C ⊙ σ'(z^L), for the examples `rows` of the batch.
///
/// `z` (where [`Cost::needs_z`] or σ' reads it), `a` and `delta`: (rows, n_L).
pub fn bp1<T: Real>(
    cost: Cost,
    output: Activation,
    z: &[T],
    a: &[T],
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    delta: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let width = a.len() / rows.len();
    let examples = rows
        .clone()
        .zip(rows_of(z, width).zip(a.chunks_exact(width)));
    for ((x, (z, a)), delta) in examples.zip(delta.chunks_exact_mut(width)) {
        cost.nabla(output, z, a, targets.of(x), delta);
        if cancel.poll_after(width * ELEMENT_WORK) {
            return;
        }
    }
    if !cost.is_fused(output) {
        output.pull_back(delta, a, z, width, cancel);
    }
    // After σ', which may be as small as the factor is large.
    for (x, delta) in rows.zip(delta.chunks_exact_mut(width)) {
        let factor = targets.factor(x);
        for delta in delta {
            *delta *= factor;
        }
        if cancel.poll_after(width) {
            return;
        }
    }
}

/// Σ s_x `C_x` over the examples `rows`, in float64, in their order.
pub fn cost<T: Real>(
    cost: Cost,
    output: Activation,
    z: &[T],
    a: &[T],
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    cancel: &CancelToken<'_>,
) -> f64 {
    let width = a.len() / rows.len();
    let mut sum = 0.0;
    for (x, (z, a)) in rows.zip(rows_of(z, width).zip(a.chunks_exact(width))) {
        let of_example = cost.of_example(output, z, a, targets.of(x));
        sum += targets.sample_weight(x) * of_example;
        if cancel.poll_after(width * ELEMENT_WORK) {
            break;
        }
    }
    sum
}

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l).
///
/// `delta_next`: (rows, n_(l+1)); `weights`: (W^(l+1))ᵀ, (n_l, n_(l+1)); `a`, `delta`, and `z` where
/// σ' reads it: (rows, n_l) as `layout` says, `width` = n_l; `pack_buffer`: what a product needs.
pub fn bp2<T: Real>(
    delta_next: Values<'_, T>,
    weights: &[T],
    activation: Activation,
    (z, a): (&[T], &[T]),
    delta: &mut [T],
    layout: Layout,
    width: usize,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    gemm::errors(
        delta_next,
        weights,
        delta,
        layout,
        width,
        pack_buffer,
        cancel,
    );
    activation.pull_back(delta, a, z, width, cancel);
}

/// BP3: ∂C/∂b^l = Σ_x δ^l, added to what `nabla_b` holds.
///
/// `delta`: (rows, n_l); `nabla_b`: (n_l,); `pack_buffer`: what a product needs where `delta` lies by
/// neuron, else nothing.
pub fn bp3<T: Real>(
    delta: Values<'_, T>,
    nabla_b: &mut [T],
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    gemm::sums(delta, nabla_b, pack_buffer, cancel);
}

/// BP4: (∂C/∂W^l)ᵀ = (a^(l−1))ᵀ δ^l, for the weights out of the neurons from `first` on, whose rows
/// are `row` apart (n_l, but where `a` is sparse), added `onto` what `nabla_w` holds; where `a` is
/// sparse, a sum there is taken for terms. With `biases`, BP3 comes behind it, in the same way.
///
/// `delta`: (rows, n_l), by example where `a` is sparse; `a`: (rows, n_(l−1)); `nabla_w`:
/// (neurons, n_l), a row more with `biases`; `pack_buffer`: what a product needs.
pub fn bp4<T: Real>(
    delta: Values<'_, T>,
    a: Incoming<'_, T>,
    rows: usize,
    (first, row): (usize, usize),
    nabla_w: &mut [T],
    biases: bool,
    onto: Accumulate,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    match a {
        Incoming::Dense(a) => {
            gemm::gradients(
                a,
                delta,
                rows,
                first,
                nabla_w,
                biases,
                onto,
                pack_buffer,
                cancel,
            );
        }
        Incoming::Sparse(a) => {
            bp4_sparse(
                delta,
                a,
                (first, row),
                nabla_w,
                biases,
                onto,
                pack_buffer,
                cancel,
            );
        }
    }
}

/// The same where `a` is sparse. By itself: the shortest calls of dense inputs count instructions.
#[inline(never)]
fn bp4_sparse<T: Real>(
    delta: Values<'_, T>,
    a: SparseRows<'_, T>,
    (first, row): (usize, usize),
    nabla_w: &mut [T],
    biases: bool,
    onto: Accumulate,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let add = onto != Accumulate::Overwrite;
    let behind = if biases {
        delta.numbers.len() / a.len()
    } else {
        0
    };
    let (nabla_w, nabla_b) = nabla_w.split_at_mut(nabla_w.len() - behind);
    spmm::gradients(a, delta.numbers, first, nabla_w, row, add, cancel);
    if biases {
        if !add {
            nabla_b.fill(T::ZERO);
        }
        bp3(delta, nabla_b, pack_buffer, cancel);
    }
}

/// BP1 or BP2: fills δ^l of `buffers` for the layer at `index`; they hold the forward pass of the
/// examples `rows`, and δ^(l+1).
pub fn error<T: Real>(
    architecture: &Architecture,
    params: &[T],
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    buffers: &mut [Buffers<&mut [T]>],
    index: usize,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let layer = &architecture.layers()[index];
    let (these, after) = buffers.split_at_mut(index + 1);
    let Buffers {
        z,
        a,
        delta,
        layout,
        mask,
        whole,
        ..
    } = &mut these[index];
    // σ' is that of a^l before neurons were dropped.
    let a = if whole.is_empty() { a } else { whole };
    let activation = layer.activation;
    let Some((next, after)) = architecture.layers().get(index + 1).zip(after.first()) else {
        return bp1(
            architecture.cost(),
            activation,
            z,
            a,
            targets,
            rows,
            delta,
            cancel,
        );
    };
    let weights = &params[next.weights.clone()];
    let (layout, width) = (*layout, layer.n_out);
    bp2(
        after.errors(),
        weights,
        activation,
        (z, a),
        delta,
        layout,
        width,
        pack_buffer,
        cancel,
    );
    if !mask.is_empty() {
        drop(delta, mask);
    }
}

/// BP3 and BP4 of the layer at `index` for a chunk whose inputs are `x`, into their place in `gradient`,
/// which lies as the parameters do, added `onto` what it holds.
pub fn gradient<T: Real>(
    architecture: &Architecture,
    x: Inputs<'_, T>,
    buffers: &[Buffers<&mut [T]>],
    index: usize,
    gradient: &mut [T],
    onto: Accumulate,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let (rows, layer) = (x.len(), &architecture.layers()[index]);
    let a = match index {
        0 => x.x,
        _ => Incoming::Dense(buffers[index - 1].activations()),
    };
    let nabla = &mut gradient[layer.weights.start..layer.biases.end];
    bp4(
        buffers[index].errors(),
        a,
        rows,
        (0, layer.row),
        nabla,
        true,
        onto,
        pack_buffer,
        cancel,
    );
}

/// The rows of z, or empty rows where z is not kept.
fn rows_of<T>(z: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    let kept = !z.is_empty();
    (0..).map(move |row| {
        if kept {
            &z[row * width..(row + 1) * width]
        } else {
            &[]
        }
    })
}
