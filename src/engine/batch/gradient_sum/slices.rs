//! Slices of a gradient, and the sum of a slice over the examples of a block.

use std::ops::Range;

use crate::data::{Inputs, LayerInput};
use crate::engine::backward::{bp3, bp4};
use crate::engine::batch::pass::{Factors, Pass};
use crate::engine::workspace::Workspace;
use crate::kernels::gemm::{Accumulate, Context, ONE_BLOCK, Order, rows_at_once};
use crate::kernels::real::Real;
use crate::model::architecture::{Architecture, Layer};

/// The examples of a block, with their forward pass and errors.
#[derive(Clone, Copy)]
pub(in crate::engine::batch) struct Block<'a, T: 'static> {
    architecture: &'a Architecture,
    x: Inputs<'a, T>,
    /// The products whose sum is the gradient.
    products: &'a [Factors],
    /// The pass that has computed them, and the index of the first example in the batch; None for
    /// backpropagation.
    pass: Option<(&'a dyn Pass<T>, usize)>,
    workspace: &'a Workspace<T>,
    /// The rows of a chunk.
    rows: usize,
}

impl<'a, T: Real> Block<'a, T> {
    /// The examples of `x`, with their a^l and δ^l in `workspace`, in chunks of `rows`.
    pub fn new(
        architecture: &'a Architecture,
        x: Inputs<'a, T>,
        workspace: &'a Workspace<T>,
        rows: usize,
    ) -> Self {
        Self {
            architecture,
            x,
            products: Factors::GRADIENT,
            pass: None,
            workspace,
            rows,
        }
    }

    /// The same examples, whose gradient is the sum of the products of `pass`; the first is example `first`
    /// of the batch.
    pub fn of_pass(self, pass: &'a dyn Pass<T>, first: usize) -> Self {
        Self {
            products: pass.products(),
            pass: Some((pass, first)),
            ..self
        }
    }

    /// How many examples one BP4 product of the layer at `index` covers. If all operands are row-major,
    /// chunk boundaries do not matter.
    fn at_once(&self, index: usize) -> usize {
        let n = self.x.len();
        if n <= self.rows.min(ONE_BLOCK) {
            // The result of the code below without its divisions, which are noticeable in short calls.
            return n;
        }
        let layers = &self.workspace.layers[index.saturating_sub(1)..=index];
        if layers.iter().any(|layer| layer.order != Order::RowMajor) {
            return self.rows;
        }
        let most = rows_at_once::<T>(self.architecture.layers()[index].n_out);
        n.div_ceil(n.div_ceil(most))
    }

    /// Whether BP4 of the layer at `index` is a single product whose sums are not split.
    pub fn is_one_product(&self, index: usize) -> bool {
        self.x.len() <= self.at_once(index).min(ONE_BLOCK)
    }

    /// Computes a slice of the gradient into `sum`, combined as the [`Accumulate`] says; a bias slice
    /// overwrites it. `Accumulate::Sum` requires that BP4 is a single product, or that x is CSR.
    pub fn sum(
        &self,
        slice: &GradientSlice,
        mut accumulate: Accumulate,
        sum: &mut [T],
        context: &mut Context<'_, T>,
    ) {
        let Some(neuron) = slice.neuron else {
            return self.sum_biases(slice.layer, sum, context);
        };
        let (pass, first) = self.pass.unzip();
        let first = first.unwrap_or(0);
        let examples = first..first + self.x.len();
        // All examples of a product, then those of the next, so that the order of terms does not depend on the
        // chunks.
        for factors in self.products {
            let of_layer = |index| self.workspace.layer(index, factors.derivative);
            let (x, below) = match slice.layer.checked_sub(1) {
                Some(below) => (None, Some(of_layer(below))),
                None => (factors.first_input(pass, self.x, &examples), None),
            };
            let a = |rows: &Range<usize>| match below {
                Some(below) => Some(LayerInput::Dense(below.activations_of(factors.a, rows))),
                None => x.map(|x| x.row_range(rows).x),
            };
            let row = self.architecture.layers()[slice.layer].row_stride;
            let neurons = neuron..neuron + sum.len() / row;
            for rows in self.ranges(slice.layer) {
                let Some(a) = a(&rows).filter(|_| !context.cancel.poll_after(0)) else {
                    break;
                };
                let delta = of_layer(slice.layer).errors_of(factors.delta, &rows);
                bp4(delta, a, (neurons.clone(), row), sum, accumulate, context);
                if accumulate == Accumulate::Overwrite {
                    accumulate = Accumulate::Terms;
                }
            }
        }
    }

    /// The examples of each product of the layer at `index`.
    fn ranges(&self, index: usize) -> impl Iterator<Item = Range<usize>> + use<T> {
        let (n, at_once) = (self.x.len(), self.at_once(index));
        (0..n)
            .step_by(at_once)
            .map(move |first| first..n.min(first + at_once))
    }

    /// BP3 of the layer at `index`.
    fn sum_biases(&self, index: usize, sum: &mut [T], context: &mut Context<'_, T>) {
        let factors = &self.products[0];
        let layer = self.workspace.layer(index, factors.derivative);
        sum.fill(T::ZERO);
        for rows in self.ranges(index) {
            if context.cancel.poll_after(0) {
                return;
            }
            let delta = layer.errors_of(factors.delta, &rows);
            bp3(delta, sum, context);
        }
    }
}

/// A contiguous range of a gradient that one task computes.
pub(in crate::engine::batch) struct GradientSlice {
    /// The index of the layer.
    pub layer: usize,
    /// The first neuron whose outgoing weights these are; None for the biases.
    pub neuron: Option<usize>,
    /// The number of elements.
    pub length: usize,
}

/// The slices of a gradient, in memory order.
pub(in crate::engine::batch) struct GradientSlices<'a, F> {
    layers: std::iter::Enumerate<std::slice::Iter<'a, Layer>>,
    layer: Option<(usize, &'a Layer)>,
    /// The first neuron of the next slice of `layer`.
    neuron: usize,
    /// The number of neurons whose outgoing weights make a slice.
    neurons: F,
}

impl<'a, F: Fn(usize, &Layer) -> usize> GradientSlices<'a, F> {
    pub fn new(architecture: &'a Architecture, neurons: F) -> Self {
        let mut layers = architecture.layers().iter().enumerate();
        Self {
            layer: layers.next(),
            layers,
            neuron: 0,
            neurons,
        }
    }
}

impl<F: Fn(usize, &Layer) -> usize> Iterator for GradientSlices<'_, F> {
    type Item = GradientSlice;

    fn next(&mut self) -> Option<GradientSlice> {
        let (index, layer) = self.layer?;
        let neurons = (self.neurons)(index, layer).min(layer.n_in - self.neuron);
        let neuron = (neurons > 0).then_some(self.neuron);
        if neuron.is_some() {
            self.neuron += neurons;
        }
        // The last neurons of a layer without biases are its last slice.
        if neuron.is_none() || (self.neuron == layer.n_in && !layer.has_biases()) {
            self.neuron = 0;
            self.layer = self.layers.next();
        }
        let length = match neuron {
            Some(_) => layer.row_stride * neurons,
            None => layer.biases.len(),
        };
        Some(GradientSlice {
            layer: index,
            neuron,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cancel::CancelToken;
    use crate::engine::workspace::BufferConfig;
    use crate::kernels::gemm::Matrix;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[test]
    fn row_major_chunks_of_a_block_are_one_product() {
        let hidden = [Activation::Relu; 2];
        let architecture = Architecture::new(
            &[8, 512, 64, 4],
            &hidden,
            Activation::Identity,
            Cost::Quadratic,
        );
        let architecture = architecture.expect("a network");
        for (n, rows, one) in [
            (128, 64, true),
            (128, 128, true),
            (ONE_BLOCK + 1, 64, false),
            (1024, 1024, false),
        ] {
            let (x, shape) = (vec![0.0_f64; n * 8], (n, 8));
            let inputs = Inputs::new(&architecture, Matrix::by_rows(&x, shape.0, shape.1))
                .expect("good inputs");
            let mut workspace = Workspace::default();
            let prepared = workspace.prepare(
                &architecture,
                (n, rows),
                BufferConfig::BACKPROP,
                None,
                &CancelToken::none(),
            );
            prepared.expect("memory");
            let block = Block::new(&architecture, inputs, &workspace, rows);
            for index in 0..3 {
                assert_eq!(
                    block.is_one_product(index),
                    one,
                    "layer {index}, {n} in {rows}"
                );
            }
            // The first layer's δ is wide enough to take all examples at once.
            assert_eq!(block.at_once(0), n, "{n} in {rows}");
            assert!(block.at_once(1) <= ONE_BLOCK, "{n} in {rows}");
        }
    }
}
