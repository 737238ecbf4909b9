//! The positions of W^l and b^l in the flat vector of parameters.

use crate::base::alloc::{try_collect, try_reserve, try_to_vec};
use crate::base::error::{Error, Result};
use crate::model::activation::Activation;
use crate::model::architecture::{Architecture, Layer};

/// The layers of `sizes` neurons, each with weights and biases, one after the other.
///
/// # Errors
/// More parameters than a vector can hold.
pub(super) fn layers_in_order(
    sizes: &[usize],
    activations: impl Iterator<Item = Activation>,
) -> Result<Vec<Layer>> {
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
    Ok(layers)
}

impl Architecture {
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
}

/// `start + rows · columns`, or an error if a vector of float64 cannot be that long.
fn advance(start: usize, rows: usize, columns: usize) -> Result<usize> {
    rows.checked_mul(columns)
        .and_then(|length| length.checked_add(start))
        .filter(|&end| end <= isize::MAX as usize / size_of::<f64>())
        .ok_or_else(|| Error::memory("sizes", "more parameters than a vector can hold"))
}
