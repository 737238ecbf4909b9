//! The forward pass: z^l = a^(l−1) (W^l)ᵀ + b^l, a^l = σ_l(z^l).

use std::ops::Range;

use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::data::{Incoming, Inputs};
use crate::engine::dropout::{Dropout, drop};
use crate::engine::workspace::Buffers;
use crate::kernels::gemm::{self, Layout};
use crate::kernels::real::Real;
use crate::kernels::spmm;
use crate::model::architecture::Architecture;

/// Fills z^l (where it is kept) and a^l of `buffers`, one entry a layer, for the rows of `x`,
/// l = 2 … L; a^L goes to `out` where it is given.
///
/// z^l and a^l lie as the layout of their layer says. `x`: (rows, n_1); `out`: (rows, n_L); `pack_buffer`:
/// what a product needs. With `dropout`, and the number of the first row in its mini-batch, hidden
/// neurons are dropped. Nielsen, ch. 2, eq. 25.
pub fn forward<T: Real>(
    architecture: &Architecture,
    params: &[T],
    x: Inputs<'_, T>,
    buffers: &mut [Buffers<&mut [T]>],
    mut out: Option<&mut [T]>,
    dropout: Option<(&Dropout<'_>, usize)>,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let rows = x.len();
    let last = architecture.layers().len() - 1;
    for (index, layer) in architecture.layers().iter().enumerate() {
        let (before, rest) = buffers.split_at_mut(index);
        let input = match before.last() {
            Some(previous) => Incoming::Dense(previous.activations()),
            None => x.x,
        };
        let buffers = &mut rest[0];
        let layout = buffers.layout;
        let output = match &mut out {
            Some(out) if index == last => &mut **out,
            _ => &mut *buffers.a,
        };
        let (weights, biases) = (
            &params[layer.weights.clone()],
            &params[layer.biases.clone()],
        );
        let neurons = 0..layer.n_out;
        sums(
            input,
            weights,
            biases,
            neurons,
            output,
            layout,
            pack_buffer,
            cancel,
        );
        if !buffers.z.is_empty() {
            buffers.z.copy_from_slice(output);
        }
        layer.activation.apply(output, layer.n_out, cancel);
        if let Some((dropout, first)) = dropout
            && let Some(rate) = dropout.rate(index)
        {
            buffers.whole.copy_from_slice(output);
            dropout.mask(index, rate, first..first + rows, layout, buffers.mask);
            drop(output, buffers.mask);
            cancel.poll_after(output.len() * ELEMENT_WORK);
        }
    }
}

/// z^l of some neurons of a layer: a^(l−1) (W^l)ᵀ + b^l.
///
/// `weights`: (W^l)ᵀ, (n_(l−1), n_l); `biases`: b^l; `z`: (rows, neurons) as `layout` says, which is
/// by example where `a` is sparse; `pack_buffer`: what a product needs.
pub fn sums<T: Real>(
    a: Incoming<'_, T>,
    weights: &[T],
    biases: &[T],
    neurons: Range<usize>,
    z: &mut [T],
    layout: Layout,
    pack_buffer: &mut [T],
    cancel: &CancelToken<'_>,
) {
    match a {
        Incoming::Dense(a) => {
            gemm::forward(a, weights, biases, neurons, z, layout, pack_buffer, cancel);
        }
        Incoming::Sparse(a) => spmm::forward(a, weights, biases, neurons, z, cancel),
    }
}
