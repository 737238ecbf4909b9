//! The forward pass: z^l = a^(l−1) (W^l)ᵀ + b^l, a^l = σ_l(z^l).

use std::ops::Range;

use crate::base::cancel::ELEMENT_WORK;
use crate::data::{Inputs, LayerInput};
use crate::engine::dropout::{Dropout, apply_mask};
use crate::engine::workspace::LayerBuffers;
use crate::kernels::gemm::{self, Context, MatrixMut};
use crate::kernels::real::Real;
use crate::kernels::spmm;
use crate::model::network::Network;

/// Computes z^l (if stored) and a^l of `buffers`, one entry per layer, for the rows of `x`, l = 2 … L; a^L
/// goes to `out` if given.
///
/// z^l and a^l have their layer's memory order. `x`: (rows, n_1); `out`: (rows, n_L). `dropout` drops
/// hidden neurons; it comes with the index of the first row in its mini-batch. Nielsen, ch. 2, eq. 25.
pub fn forward<T: Real>(
    network: Network<'_, T>,
    x: Inputs<'_, T>,
    buffers: &mut [LayerBuffers<&mut [T]>],
    mut out: Option<&mut [T]>,
    dropout: Option<(&Dropout<'_>, usize)>,
    context: &mut Context<'_, T>,
) {
    let rows = x.len();
    let layers = network.architecture.layers();
    for (index, layer) in layers.iter().enumerate() {
        let (before, rest) = buffers.split_at_mut(index);
        let input = match before.last() {
            Some(previous) => LayerInput::Dense(previous.activations()),
            None => x.x,
        };
        let buffers = &mut rest[0];
        let order = buffers.order;
        let output = match &mut out {
            Some(out) if index + 1 == layers.len() => &mut **out,
            _ => &mut *buffers.a,
        };
        let z = MatrixMut::new(output, rows, layer.n_out, order);
        weighted_sums(network, index, input, 0..layer.n_out, z, context);
        if !buffers.z.is_empty() {
            buffers.z.copy_from_slice(output);
        }
        layer.activation.apply(output, layer.n_out, context.cancel);
        if let Some((dropout, first)) = dropout
            && let Some(rate) = dropout.rate(index)
        {
            buffers.a_before_dropout.copy_from_slice(output);
            dropout.mask(index, rate, first..first + rows, order, buffers.mask);
            apply_mask(output, buffers.mask);
            context.cancel.poll_after(output.len() * ELEMENT_WORK);
        }
    }
}

/// z^l = a^(l−1) (W^l)ᵀ + b^l, or without b^l, for some neurons of the layer at `index`.
///
/// `z`: (rows, neurons), row-major if `a` is CSR.
pub fn weighted_sums<T: Real>(
    network: Network<'_, T>,
    index: usize,
    a: LayerInput<'_, T>,
    neurons: Range<usize>,
    z: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    let (weights, biases) = (network.weights(index), network.biases(index));
    match a {
        LayerInput::Dense(a) => {
            let weights = weights.column_range(&neurons);
            if biases.is_empty() {
                gemm::linear(a, weights, z, context);
            } else {
                gemm::forward(a, weights, &biases[neurons], z, context);
            }
        }
        LayerInput::Sparse(a) => {
            spmm::forward(a, weights, biases, neurons, z.numbers, context.cancel);
        }
    }
}
