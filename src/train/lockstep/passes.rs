//! The forward pass and backpropagation in lanes.

use std::ops::Range;

use crate::base::cancel::CancelToken;
use crate::base::sum::extended::Extended;
use crate::data::Targets;
use crate::engine::backward::bp1;
use crate::engine::costs::{Outputs, cost};
use crate::engine::plan::Plan;
use crate::kernels::interleaved::{Matrices, interleave, product, separate, sums};
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::train::lockstep::buffers::{LayerLanes, LockstepScratch};

impl<T: Real> LockstepScratch<T> {
    /// z^l and a^l of all networks for `n` examples. The output's softmax is left to [`Self::errors_of`].
    pub(super) fn forward(&mut self, architecture: &Architecture, n: usize) {
        for (index, layer) in architecture.layers().iter().enumerate() {
            let (before, rest) = self.layers.split_at_mut(index);
            let input = before.last().map_or(&self.x, |below| &below.a);
            let weights = self.params.get(layer.weights.clone());
            let a = rest[0].a.get_mut(0..n * layer.n_out);
            product(
                Matrices::by_rows(input.get(0..n * layer.n_in), n, layer.n_in),
                Matrices::by_rows(weights, layer.n_in, layer.n_out),
                self.params.get(layer.biases.clone()),
                a,
            );
            if architecture.needs_z(index) {
                rest[0].z.get_mut(0..n * layer.n_out).copy_from_slice(a);
            }
            if layer.activation != Activation::Softmax {
                layer.activation.apply(a, layer.n_out, &CancelToken::none());
            }
        }
    }

    /// C of one network, and its δ^L into its lane.
    pub(super) fn errors_of(
        &mut self,
        lane: usize,
        architecture: &Architecture,
        targets: &Targets<'_, T>,
        n: usize,
    ) -> f64 {
        let (width, cancel) = (architecture.n_outputs(), &CancelToken::none());
        let (last, length) = (architecture.layers().len() - 1, n * width);
        let (top, network) = (&mut self.layers[last], &mut self.network);
        let (a, delta) = (&mut network.a[..length], &mut network.delta[..length]);
        let mut z = &mut network.z[..0];
        if architecture.needs_z(last) {
            z = &mut network.z[..length];
            separate(top.z.get(0..length), z, lane);
        }
        separate(top.a.get(0..length), a, lane);
        let activation = architecture.output();
        if activation == Activation::Softmax {
            activation.apply(a, width, cancel);
        }
        let of_rows = |rows: &Range<usize>| {
            let numbers = rows.start * width..rows.end * width;
            Outputs {
                cost: architecture.cost(),
                activation,
                z: z.get(numbers.clone()).unwrap_or_default(),
                a: &a[numbers],
            }
        };
        let group = Plan::cost_group_of(architecture);
        let costs = (0..n).step_by(group).map(|start| {
            let rows = start..n.min(start + group);
            cost(of_rows(&rows), targets, rows, cancel)
        });
        let total = Extended::sum(costs).over(targets.divisor());
        bp1(of_rows(&(0..n)), targets, 0..n, delta, cancel);
        interleave(delta, top.delta.get_mut(0..length), lane);
        total
    }

    /// The gradient of all networks, whose forward pass and δ^L are known.
    pub(super) fn backward(&mut self, architecture: &Architecture, n: usize) {
        for (index, layer) in architecture.layers().iter().enumerate().rev() {
            let (before, rest) = self.layers.split_at_mut(index);
            let delta = rest[0].delta.get(0..n * layer.n_out);
            let delta = Matrices::by_rows(delta, n, layer.n_out);
            let input = before.last().map_or(&self.x, |below| &below.a);
            let input = Matrices::by_rows(input.get(0..n * layer.n_in), n, layer.n_in);
            let gradient = self.gradient.get_mut(layer.weights.clone());
            product(input.transposed(), delta, &[], gradient);
            if layer.has_biases() {
                sums(delta, self.gradient.get_mut(layer.biases.clone()));
            }
            let Some(LayerLanes { z, a, delta: below }) = before.last_mut() else {
                break;
            };
            let weights = self.params.get(layer.weights.clone());
            let weights = Matrices::by_rows(weights, layer.n_in, layer.n_out).transposed();
            let length = n * layer.n_in;
            let below = below.get_mut(0..length);
            product(delta, weights, &[], below);
            let z = if architecture.needs_z(index - 1) {
                z.get(0..length)
            } else {
                &[]
            };
            let activation = architecture.layers()[index - 1].activation;
            let a = a.get(0..length);
            activation.vjp(below, a, z, layer.n_in, &CancelToken::none());
        }
    }
}
