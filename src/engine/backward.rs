//! The four equations of backpropagation, for the rows of a chunk (Nielsen, ch. 2).
//!
//! δ^l = ∂C/∂z^l with C the cost of the whole batch: δ includes the factor 1/n, or s_x / Σ s, from BP1 on.

use std::ops::Range;

use crate::base::cancel::{COMPUTED_PER_POLL, CancelToken, ELEMENT_WORK};
use crate::data::{LayerInput, Targets};
use crate::engine::costs::{Outputs, rows_of};
use crate::engine::dropout::apply_mask;
use crate::engine::workspace::LayerBuffers;
use crate::kernels::csr::CsrMatrix;
use crate::kernels::gemm::{self, Accumulate, Context, Matrix, MatrixMut};
use crate::kernels::real::Real;
use crate::kernels::spmm;
use crate::model::activation::Activation;
use crate::model::cost::ExampleTarget;
use crate::model::network::Network;

/// BP1: writes δ^L = ∇_a C ⊙ σ'(z^L) of the examples `rows` of the batch to `delta`, (rows, n_L).
pub fn bp1<T: Real>(
    outputs: Outputs<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    delta: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let Outputs {
        cost,
        activation,
        z,
        a,
    } = outputs;
    let width = a.len() / rows.len();
    let together = targets.values_of(&rows);
    if let Some(y) = together.filter(|_| !cost.is_fused(activation)) {
        assert_eq!(y.len(), a.len(), "a target for each output");
        let y = y.chunks(COMPUTED_PER_POLL).zip(a.chunks(COMPUTED_PER_POLL));
        for ((y, a), delta) in y.zip(delta.chunks_mut(COMPUTED_PER_POLL)) {
            cost.nabla(activation, &[], a, ExampleTarget::Values(y), delta);
            if cancel.poll_after(a.len()) {
                return;
            }
        }
    } else {
        let outputs = rows_of(z, width).zip(a.chunks_exact(width));
        let examples = rows.clone().zip(outputs);
        for ((x, (z, a)), delta) in examples.zip(delta.chunks_exact_mut(width)) {
            cost.nabla(activation, z, a, targets.example(x), delta);
            if cancel.poll_after(width * ELEMENT_WORK) {
                return;
            }
        }
    }
    if !cost.is_fused(activation) {
        activation.vjp(delta, a, z, width, cancel);
    }
    // Applied after σ', which may be as small as the factor is large.
    if let Some(factor) = targets.common_factor() {
        for delta in delta.chunks_mut(COMPUTED_PER_POLL) {
            for delta in delta.iter_mut() {
                *delta *= factor;
            }
            if cancel.poll_after(delta.len()) {
                return;
            }
        }
        return;
    }
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

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l).
///
/// `delta_next`: (rows, n_(l+1)); `weights`: (W^(l+1))ᵀ, (n_l, n_(l+1)); `delta`: (rows, n_l); `a` has the
/// memory order of `delta`, and so has `z`, where σ' reads it.
pub fn bp2<T: Real>(
    delta_next: Matrix<'_, T>,
    weights: Matrix<'_, T>,
    activation: Activation,
    (z, a): (&[T], &[T]),
    mut delta: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    gemm::errors(delta_next, weights, delta.reborrow(), context);
    let MatrixMut {
        numbers, columns, ..
    } = delta;
    activation.vjp(numbers, a, z, columns, context.cancel);
}

/// BP3: adds ∂C/∂b^l = Σ_x δ^l to `nabla_b`.
///
/// `delta`: (rows, n_l); `nabla_b`: (n_l,). Nothing is packed if `delta` is row-major.
pub fn bp3<T: Real>(delta: Matrix<'_, T>, nabla_b: &mut [T], context: &mut Context<'_, T>) {
    gemm::sums(delta, nabla_b, context);
}

/// BP4: (∂C/∂W^l)ᵀ = (a^(l−1))ᵀ δ^l, for the outgoing weights of some neurons of layer l−1, combined with
/// `nabla_w` as the [`Accumulate`] says; with CSR input, `Sum` acts as `Terms`. If `nabla_w` is long enough
/// to hold ∂C/∂b^l too, BP3 follows in the same way.
///
/// `delta`: (rows, n_l), row-major with CSR input; `a`: (rows, n_(l−1)); `nabla_w`: (neurons, n_l), plus
/// n_l elements for the biases. Its rows are contiguous; with CSR input their stride is `row_stride`.
pub fn bp4<T: Real>(
    delta: Matrix<'_, T>,
    a: LayerInput<'_, T>,
    (neurons, row_stride): (Range<usize>, usize),
    nabla_w: &mut [T],
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    match a {
        LayerInput::Dense(a) => {
            let biases = nabla_w.len() > neurons.len() * row_stride;
            let a = a.column_range(&neurons);
            gemm::gradients(a, delta, nabla_w, biases, accumulate, context);
        }
        LayerInput::Sparse(a) => {
            let (nabla_w, nabla_b) = nabla_w.split_at_mut(neurons.len() * row_stride);
            let rows = spmm::GradientRows {
                numbers: nabla_w,
                first: neurons.start,
                stride: row_stride,
            };
            bp4_sparse(delta, a, rows, nabla_b, accumulate, context);
        }
    }
}

/// BP4 with CSR input. A separate function keeps the code of short dense calls small.
#[inline(never)]
fn bp4_sparse<T: Real>(
    delta: Matrix<'_, T>,
    a: CsrMatrix<'_, T>,
    nabla_w: spmm::GradientRows<'_, T>,
    nabla_b: &mut [T],
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    let add = accumulate != Accumulate::Overwrite;
    // A range of rows keeps the numbers behind it.
    let rows = &delta.numbers[..delta.rows * delta.columns];
    spmm::gradients(a, rows, nabla_w, add, context.cancel);
    if !nabla_b.is_empty() {
        if !add {
            nabla_b.fill(T::ZERO);
        }
        bp3(delta, nabla_b, context);
    }
}

/// BP1 or BP2: computes δ^l for the layer at `index` into `buffers`, which hold the forward pass of the
/// examples `rows`, and δ^(l+1).
pub fn error<T: Real>(
    network: Network<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    buffers: &mut [LayerBuffers<&mut [T]>],
    index: usize,
    context: &mut Context<'_, T>,
) {
    if index + 1 < buffers.len() {
        return hidden_error(network, buffers, index, context);
    }
    let LayerBuffers { z, a, delta, .. } = &mut buffers[index];
    let outputs = Outputs {
        cost: network.architecture.cost(),
        activation: network.architecture.output(),
        z,
        a,
    };
    bp1(outputs, targets, rows, delta, context.cancel);
}

/// BP2: the same for a hidden layer.
pub fn hidden_error<T: Real>(
    network: Network<'_, T>,
    buffers: &mut [LayerBuffers<&mut [T]>],
    index: usize,
    context: &mut Context<'_, T>,
) {
    let layer = &network.architecture.layers()[index];
    let (these, after) = buffers.split_at_mut(index + 1);
    let LayerBuffers {
        z,
        a,
        delta,
        order,
        mask,
        a_before_dropout,
        rows,
        ..
    } = &mut these[index];
    // σ' takes a^l from before dropout.
    let a = if a_before_dropout.is_empty() {
        a
    } else {
        a_before_dropout
    };
    let weights = network.weights(index + 1);
    let output = MatrixMut::new(delta, *rows, layer.n_out, *order);
    let delta_next = after[0].errors();
    bp2(
        delta_next,
        weights,
        layer.activation,
        (z, a),
        output,
        context,
    );
    if !mask.is_empty() {
        apply_mask(delta, mask);
    }
}
