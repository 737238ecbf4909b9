//! Slices of a gradient, and the sum of a slice over the examples of a block.

use crate::data::{Inputs, LayerInput};
use crate::engine::backward::{bp3, bp4};
use crate::engine::workspace::Workspace;
use crate::kernels::gemm::{Accumulate, Context, ONE_BLOCK, Order, rows_at_once};
use crate::kernels::real::Real;
use crate::model::architecture::{Architecture, Layer};

/// The examples of a block, with their forward pass and errors.
#[derive(Clone, Copy)]
pub(super) struct Block<'a, T: 'static> {
    architecture: &'a Architecture,
    x: Inputs<'a, T>,
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
            workspace,
            rows,
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
        onto: Accumulate,
        sum: &mut [T],
        context: &mut Context<'_, T>,
    ) {
        let (n, at_once) = (self.x.len(), self.at_once(slice.layer));
        let (layers, row) = (
            &self.workspace.layers,
            self.architecture.layers()[slice.layer].row_stride,
        );
        if slice.neuron.is_none() {
            sum.fill(T::ZERO);
        }
        let mut first = 0;
        while first < n && !context.cancel.poll_after(0) {
            let rows = first..n.min(first + at_once);
            let delta = layers[slice.layer].errors(&rows);
            if let Some(neuron) = slice.neuron {
                let a = match slice.layer {
                    0 => self.x.row_range(&rows).x,
                    layer => LayerInput::Dense(layers[layer - 1].activations(&rows)),
                };
                let onto = match onto {
                    Accumulate::Overwrite if first > 0 => Accumulate::Terms,
                    onto => onto,
                };
                let neurons = neuron..neuron + sum.len() / row;
                bp4(delta, a, (neurons, row), sum, onto, context);
            } else {
                bp3(delta, sum, context);
            }
            first = rows.end;
        }
    }
}

/// A contiguous range of a gradient that one task computes.
pub(super) struct GradientSlice {
    /// The index of the layer.
    pub layer: usize,
    /// The first neuron whose outgoing weights these are; None for the biases.
    pub neuron: Option<usize>,
    /// The number of elements.
    pub length: usize,
}

/// The slices of a gradient, in memory order.
pub(super) struct GradientSlices<'a, F> {
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
        } else {
            self.neuron = 0;
            self.layer = self.layers.next();
        }
        let length = if neurons > 0 {
            layer.row_stride * neurons
        } else {
            layer.n_out
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
