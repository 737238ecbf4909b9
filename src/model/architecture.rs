//! The shape of a network: sizes, activations, cost, and the positions of W^l and b^l in the flat parameter
//! vector. It is validated here once; other modules rely on it.

use std::ops::Range;

use crate::base::alloc::{try_collect, try_reserve, try_to_vec};
use crate::base::error::{Error, Result};
use crate::model::activation::{Activation, hidden_softmax_error};
use crate::model::cost::Cost;

/// One layer of weights, from `n_in` = n_(l−1) to `n_out` = n_l neurons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layer {
    /// n_(l−1).
    pub n_in: usize,
    /// n_l.
    pub n_out: usize,
    /// σ_l.
    pub activation: Activation,
    /// The range of (W^l)ᵀ in the flat vector: (n_(l−1), n_l), row-major, so that the weights into adjacent
    /// neurons are adjacent in memory.
    pub weights: Range<usize>,
    /// The row stride: n_l, or more if rows are padded to whole cache lines.
    pub row_stride: usize,
    /// The range of b^l, directly after the weights; empty if the layer has no biases.
    pub biases: Range<usize>,
}

impl Layer {
    /// Whether the layer has biases.
    pub fn has_biases(&self) -> bool {
        !self.biases.is_empty()
    }
}

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

        let activations = hidden.iter().copied().chain([output]);
        let mut layers = Vec::new();
        try_reserve("sizes", &mut layers, sizes.len() - 1)?;
        let mut end = 0;
        for (pair, activation) in sizes.windows(2).zip(activations) {
            let (n_in, n_out) = (pair[0], pair[1]);
            let weights = end..advance(end, n_in, n_out)?;
            let biases = weights.end..advance(weights.end, 1, n_out)?;
            end = biases.end;
            layers.push(Layer {
                n_in,
                n_out,
                activation,
                weights,
                row_stride: n_out,
                biases,
            });
        }
        Ok(Self {
            sizes: try_to_vec("sizes", sizes)?,
            layers,
            cost,
        })
    }

    /// The same network, where the layer at `index` of [`Self::layers`] has biases if `has_biases[index]`.
    ///
    /// # Errors
    /// The number of booleans is not that of the layers.
    pub fn with_biases(mut self, has_biases: &[bool]) -> Result<Self> {
        if has_biases.len() != self.layers.len() {
            return Err(Error::value(
                "biases",
                format_args!("{} bools, one per layer after the input", self.layers.len()),
                has_biases.len(),
            ));
        }
        let mut end = 0;
        for (layer, &has_biases) in self.layers.iter_mut().zip(has_biases) {
            layer.weights = end..end + layer.weights.len();
            end = layer.weights.end + if has_biases { layer.n_out } else { 0 };
            layer.biases = layer.weights.end..end;
        }
        Ok(self)
    }

    /// The layers of weights from `first` on, as a network whose input is the activations below. Its
    /// parameters are the last ones of this network.
    ///
    /// # Errors
    /// Memory runs out.
    ///
    /// # Panics
    /// There is no such layer.
    pub fn above(&self, first: usize) -> Result<Self> {
        let mut layers = try_collect("sizes", self.layers[first..].iter().cloned())?;
        let start = layers[0].weights.start;
        for layer in &mut layers {
            layer.weights = layer.weights.start - start..layer.weights.end - start;
            layer.biases = layer.biases.start - start..layer.biases.end - start;
        }
        Ok(Self {
            sizes: try_to_vec("sizes", &self.sizes[first..])?,
            layers,
            cost: self.cost,
        })
    }

    /// The same network with the row stride of the first layer's weights rounded up to a multiple of `line`
    /// elements. The padding holds no parameters.
    ///
    /// # Errors
    /// The parameters exceed the longest vector, or memory runs out.
    pub(crate) fn with_padded_rows(&self, line: usize) -> Result<Self> {
        let mut padded = Self {
            sizes: try_to_vec("sizes", &self.sizes)?,
            layers: try_collect("sizes", self.layers.iter().cloned())?,
            cost: self.cost,
        };
        let mut end = 0;
        for (index, layer) in padded.layers.iter_mut().enumerate() {
            if index == 0 {
                layer.row_stride = layer.n_out.next_multiple_of(line);
            }
            layer.weights = end..advance(end, layer.n_in, layer.row_stride)?;
            layer.biases = layer.weights.end..advance(layer.weights.end, 1, layer.biases.len())?;
            end = layer.biases.end;
        }
        Ok(padded)
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
            || (index + 1 == self.layers.len() && self.cost.needs_z(activation))
    }

    fn last(&self) -> &Layer {
        &self.layers[self.layers.len() - 1]
    }
}

/// `start + rows · columns`, or an error if a vector of float64 cannot be that long.
fn advance(start: usize, rows: usize, columns: usize) -> Result<usize> {
    rows.checked_mul(columns)
        .and_then(|length| length.checked_add(start))
        .filter(|&end| end <= isize::MAX as usize / size_of::<f64>())
        .ok_or_else(|| Error::memory("sizes", "more parameters than a vector can hold"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;

    #[test]
    fn parameters_are_contiguous() {
        let architecture = Architecture::new(
            &[4, 3, 2],
            &[Activation::Tanh],
            Activation::Softmax,
            Cost::LogLikelihood,
        )
        .expect("a good network");
        let ranges: Vec<_> = architecture
            .layers()
            .iter()
            .flat_map(|layer| [layer.weights.clone(), layer.biases.clone()])
            .collect();
        assert_eq!(ranges, [0..12, 12..15, 15..21, 21..23]);
        assert_eq!(
            (architecture.n_params(), architecture.n_weights()),
            (23, 18)
        );
        assert!(architecture.needs_z(1) && !architecture.needs_z(0));
    }

    #[test]
    fn invalid_sizes_and_activations_are_errors() {
        use Activation::{Sigmoid, Softmax};
        let kind = |sizes: &[usize], hidden: &[Activation], output, cost| {
            Architecture::new(sizes, hidden, output, cost)
                .expect_err("not a network")
                .kind()
        };
        assert_eq!(kind(&[], &[], Sigmoid, Cost::Quadratic), ErrorKind::Value);
        assert_eq!(
            kind(&[3, 0], &[], Sigmoid, Cost::Quadratic),
            ErrorKind::Value
        );
        assert_eq!(
            kind(&[3, 2, 1], &[], Sigmoid, Cost::Quadratic),
            ErrorKind::Value
        );
        assert_eq!(
            kind(&[3, 2, 1], &[Softmax], Sigmoid, Cost::Huber),
            ErrorKind::Value
        );
        assert_eq!(
            kind(&[3, 2], &[], Sigmoid, Cost::LogLikelihood),
            ErrorKind::Value
        );
        let alone = kind(&[3, 1], &[], Softmax, Cost::LogLikelihood);
        assert_eq!(alone, ErrorKind::Value);
        let huge = [usize::MAX / 2, 3];
        assert_eq!(
            kind(&huge, &[], Sigmoid, Cost::Quadratic),
            ErrorKind::Memory
        );
    }

    #[test]
    fn layers_without_biases_take_no_room() {
        let make = || {
            Architecture::new(
                &[4, 3, 2, 5],
                &[Activation::Tanh; 2],
                Activation::Identity,
                Cost::Quadratic,
            )
            .expect("a good network")
        };
        let architecture = make().with_biases(&[false, true, false]).expect("three");
        let ranges = |a: &Architecture| -> Vec<_> {
            let ranges = |layer: &Layer| [layer.weights.clone(), layer.biases.clone()];
            a.layers().iter().flat_map(ranges).collect()
        };
        let expected = [0..12, 12..12, 12..18, 18..20, 20..30, 30..30];
        assert_eq!(ranges(&architecture), expected);
        assert_eq!(
            (architecture.n_params(), architecture.params_len()),
            (30, 30)
        );
        assert_eq!(ranges(&architecture.above(1).expect("memory"))[2], 8..18);
        let padded = architecture.with_padded_rows(8).expect("small");
        assert_eq!(ranges(&padded)[..2], [0..32, 32..32]);
        let all = architecture.with_biases(&[true; 3]).expect("three");
        assert_eq!(all, make());
        assert!(make().with_biases(&[true; 2]).is_err());
    }

    /// What affects bits depends on the number of parameters, whatever their layout.
    #[test]
    fn padded_rows_add_no_parameters() {
        let architecture = Architecture::new(
            &[5, 17, 40, 2],
            &[Activation::Tanh; 2],
            Activation::Identity,
            Cost::Quadratic,
        )
        .expect("a good network");
        let padded = architecture.with_padded_rows(16).expect("a short vector");
        assert_eq!(padded.layers()[0].row_stride, 32);
        assert_eq!(
            padded.params_len(),
            architecture.params_len() + 5 * (32 - 17)
        );
        assert_eq!(padded.n_params(), architecture.n_params());
        assert_eq!(architecture.params_len(), architecture.n_params());
        for layers in padded.layers().windows(2) {
            assert_eq!(layers[0].biases.end, layers[1].weights.start);
        }
    }
}
