//! The four equations of backpropagation, for the rows of a chunk (Nielsen, ch. 2).
//!
//! δ^l = ∂C/∂z^l, C the cost of the whole batch: the factor 1/n, or s_x / Σ s, is in it from BP1 on.

use std::ops::Range;

use crate::activation::Activation;
use crate::cost::Cost;
use crate::examples::Targets;
use crate::interrupt::{ELEMENT_WORK, Pulse};
use crate::kernels::product;
use crate::network::Network;
use crate::scalar::Real;
use crate::workspace::Workspace;

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
    pulse: &Pulse<'_>,
) {
    let width = a.len() / rows.len();
    let z_rows = rows_of(z, width);
    let examples = rows.zip(z_rows.zip(a.chunks_exact(width)));
    for ((x, (z, a)), delta) in examples.zip(delta.chunks_exact_mut(width)) {
        cost.bp1(output, z, a, |j| targets.at(x, j), delta, pulse);
        let factor = targets.factor(x);
        for delta in delta {
            *delta *= factor;
        }
        if pulse.stopped_after(width * ELEMENT_WORK) {
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
    pulse: &Pulse<'_>,
) -> f64 {
    let width = a.len() / rows.len();
    let mut sum = 0.0;
    for (x, (z, a)) in rows.zip(rows_of(z, width).zip(a.chunks_exact(width))) {
        let of_example = cost.of_example(output, z, a, |j| targets.at(x, j));
        sum += targets.sample_weight(x) * of_example;
        if pulse.stopped_after(width * ELEMENT_WORK) {
            break;
        }
    }
    sum
}

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l).
///
/// `delta_next`: (rows, n_(l+1)); `weights`: (W^(l+1))ᵀ, (n_l, n_(l+1)); `a`, `delta`, and `z` where
/// σ' reads it: (rows, n_l).
pub fn bp2<T: Real>(
    delta_next: &[T],
    weights: &[T],
    activation: Activation,
    (z, a): (&[T], &[T]),
    delta: &mut [T],
    width: usize,
    pulse: &Pulse<'_>,
) {
    product::errors(delta_next, weights, delta, width, pulse);
    activation.pull_back(delta, a, z, width, pulse);
}

/// BP3: ∂C/∂b^l = Σ_x δ^l.
///
/// `delta`: (rows, n_l); `nabla_b`: (n_l,), overwritten.
pub fn bp3<T: Real>(delta: &[T], nabla_b: &mut [T]) {
    nabla_b.fill(T::ZERO);
    for row in delta.chunks_exact(nabla_b.len()) {
        for (sum, &delta) in nabla_b.iter_mut().zip(row) {
            *sum += delta;
        }
    }
}

/// BP4: (∂C/∂W^l)ᵀ = (a^(l−1))ᵀ δ^l.
///
/// `delta`: (rows, n_l); `a`: (rows, n_(l−1)); `nabla_w`: (n_(l−1), n_l), overwritten.
pub fn bp4<T: Real>(delta: &[T], a: &[T], nabla_w: &mut [T], rows: usize, pulse: &Pulse<'_>) {
    product::gradients(a, delta, nabla_w, rows, pulse);
}

/// Walks from layer L back to 2. At each it has δ^l from BP1 or BP2 and hands
/// `(index, δ^l, a^(l−1))` to `visit`, where BP3 and BP4 find all that they need.
///
/// `workspace` holds the forward pass of the examples `rows`, whose inputs are `x`.
pub fn backward<T: Real>(
    network: &Network,
    params: &[T],
    x: &[T],
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    workspace: &mut Workspace<T>,
    pulse: &Pulse<'_>,
    mut visit: impl FnMut(usize, &[T], &[T]),
) {
    let n = rows.len();
    let Workspace { layers, delta } = workspace;
    let [delta, other] = delta;
    let (mut delta, mut other) = (delta, other);
    for (index, layer) in network.layers().iter().enumerate().rev() {
        let length = n * layer.n_out;
        let buffers = &layers[index];
        let z = &buffers.z[..length.min(buffers.z.len())];
        let a = &buffers.a[..length];
        if let Some(next) = network.layers().get(index + 1) {
            std::mem::swap(&mut delta, &mut other);
            let delta_next = &other[..n * next.n_out];
            let weights = &params[next.weights.clone()];
            let delta = &mut delta[..length];
            bp2(
                delta_next,
                weights,
                layer.activation,
                (z, a),
                delta,
                layer.n_out,
                pulse,
            );
        } else {
            let (cost, output) = (network.cost(), layer.activation);
            bp1(
                cost,
                output,
                z,
                a,
                targets,
                rows.clone(),
                &mut delta[..length],
                pulse,
            );
        }
        let input = match index {
            0 => x,
            _ => &layers[index - 1].a[..n * layer.n_in],
        };
        visit(index, &delta[..length], input);
    }
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
