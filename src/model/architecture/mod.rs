//! The shape of a network: sizes, activations, cost, and the positions of W^l and b^l in the flat parameter
//! vector. It is validated here once; other modules rely on it.

mod layer;
mod offsets;
#[cfg(test)]
mod tests;

use crate::base::alloc::try_to_vec;
use crate::base::error::{Error, Result};
use crate::model::activation::{Activation, hidden_softmax_error};
use crate::model::architecture::offsets::layers_in_order;
use crate::model::cost::Cost;

pub use layer::Layer;

/// A network without parameter values. The parameters are one flat vector: for each layer (W^l)ᵀ, then b^l.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Architecture {
    sizes: Vec<usize>,
    layers: Vec<Layer>,
    cost: Cost,
}

impl Architecture {
    /// A network of layers with `sizes` neurons, the input first. `hidden` gives σ of each hidden layer,
    /// `output` that of the last layer.
    ///
    /// # Errors
    /// Fewer than two sizes, a size of 0, a wrong number of hidden activations, softmax in a hidden layer
    /// or with a single output, an output activation on which the cost is not defined, or more parameters
    /// than a vector can hold.
    pub fn new(
        sizes: &[usize],
        hidden: &[Activation],
        output: Activation,
        cost: Cost,
    ) -> Result<Self> {
        if sizes.len() < 2 {
            return Err(Error::value(
                "sizes",
                "two layers or more, the input and the output",
                sizes.len(),
            ));
        }
        if let Some(zero) = sizes.iter().position(|&size| size == 0) {
            return Err(Error::value(
                format_args!("sizes[{zero}]"),
                "a positive number of neurons",
                0,
            ));
        }
        if hidden.len() != sizes.len() - 2 {
            return Err(Error::value(
                "hidden",
                format_args!("{} activations, one per hidden layer", sizes.len() - 2),
                hidden.len(),
            ));
        }
        if let Some(index) = hidden.iter().position(|&h| h == Activation::Softmax) {
            return Err(hidden_softmax_error(format_args!("hidden[{index}]")));
        }
        cost.check_output(output)?;
        if output == Activation::Softmax && sizes.last() == Some(&1) {
            return Err(Error::value(
                "output",
                "'sigmoid' (with cost 'cross_entropy' for two classes) for one neuron",
                "'softmax', which is always 1 there",
            ));
        }

        let layers = layers_in_order(sizes, hidden.iter().copied().chain([output]))?;
        Ok(Self {
            sizes: try_to_vec("sizes", sizes)?,
            layers,
            cost,
        })
    }

    /// n_1, …, n_L.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The layers of weights, from l = 2 to L: `layers()[k]` computes layer l = k + 2.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The cost.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// σ_L.
    pub fn output(&self) -> Activation {
        self.last().activation
    }

    /// n_1.
    pub fn n_inputs(&self) -> usize {
        self.sizes[0]
    }

    /// `n_L`.
    pub fn n_outputs(&self) -> usize {
        self.last().n_out
    }

    /// The number of parameters: the length of the flat vector, unless rows are padded.
    pub fn n_params(&self) -> usize {
        let biases = self.layers.iter().map(|layer| layer.biases.len());
        self.n_weights() + biases.sum::<usize>()
    }

    /// The length of the flat vector, including padding.
    pub(crate) fn params_len(&self) -> usize {
        self.last().biases.end
    }

    /// Σ n_(l−1) n_l: the multiply-adds of the forward pass for one example.
    pub fn n_weights(&self) -> usize {
        let weights = self.layers.iter().map(|layer| layer.n_in * layer.n_out);
        weights.sum()
    }

    /// The largest number of neurons of a layer, including the input.
    pub fn widest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(1)
    }

    /// n_2 + … + `n_L`.
    pub fn n_neurons(&self) -> usize {
        self.layers.iter().map(|layer| layer.n_out).sum()
    }

    /// Whether z^l of the layer at `index` is needed after a^l is computed.
    pub fn needs_z(&self, index: usize) -> bool {
        let activation = self.layers[index].activation;
        activation.derivative_needs_z()
            || (index + 1 == self.layers.len() && self.cost.is_fused(activation))
    }

    fn last(&self) -> &Layer {
        &self.layers[self.layers.len() - 1]
    }
}
