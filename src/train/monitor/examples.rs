//! What the examples of a mini-batch tell: their errors, the norms of their gradients, and saturation.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::base::alloc::try_reserve;
use crate::base::error::Result;
use crate::engine::batch::Call;
use crate::engine::batch::example_squares::LayerSquares;
use crate::engine::batch::pass::{Chunk, Observer};
use crate::engine::plan::Plan;
use crate::engine::workspace::LayerBuffers;
use crate::kernels::elementwise::norms::{MAX_ROWS_PER_CALL, joined_norm};
use crate::kernels::elementwise::saturation::{closed_sigmoids, closed_tanhs, columns_above};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::activation::{Activation, SELU};
use crate::model::architecture::Architecture;

// Those of the records of epochs and of `explain`: python/bpfast/inside/_causes/limits.py.
/// A gate σ' below this part of its maximum is closed.
const CLOSED: f64 = 0.1;
/// A neuron of a one-sided activation is off if σ' is at most this.
const OFF: f64 = 0.01;

/// Sums over the examples of the step at work. Threads write to different places, or what does not depend on
/// their order: counts, and flags that are only set.
#[derive(Debug, Default)]
pub(super) struct ExampleMeasures {
    /// The examples of a cost group.
    group: usize,
    /// The layers of weights.
    layers: usize,
    /// Of each cost group and layer: √Σ ‖δ_x‖² and √Σ ‖∂C_x/∂(W, b)‖², as bits.
    norms: Vec<AtomicU64>,
    /// The closed gates of each layer.
    closed: Vec<AtomicUsize>,
    /// The neurons of all layers that are on for some example.
    on: Vec<AtomicBool>,
}

/// The kind of saturation of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Saturation {
    /// The part of the gates σ' that are closed.
    Gates,
    /// The part of the neurons that are off for all examples: a^l, or z^l where σ' reads that, is never above
    /// a limit.
    Neurons { above: f64 },
    /// None.
    None,
}

impl Saturation {
    fn of(architecture: &Architecture, index: usize) -> Self {
        let activation = architecture.layers()[index].activation;
        let is_last = index + 1 == architecture.layers().len();
        if is_last && architecture.cost().is_fused(activation) {
            return Self::None;
        }
        match activation {
            Activation::Sigmoid | Activation::Tanh | Activation::HardSigmoid => Self::Gates,
            Activation::Relu => Self::Neurons { above: 0.0 },
            // σ' = a + α, at most α where z ≤ 0.
            Activation::Elu(alpha) => Self::Neurons {
                above: (OFF - alpha.value()).min(0.0),
            },
            // σ' = a + λα.
            Activation::Selu => Self::Neurons {
                above: OFF - SELU[1],
            },
            // σ' = 1 − e^−a = 0.01 at −ln 0.99.
            Activation::Softplus => Self::Neurons {
                above: 0.010_050_335_853_501_45,
            },
            // σ'(z) is 0.01 there, less at every smaller z, and more between there and 0.
            Activation::Gelu => Self::Neurons {
                above: -0.729_079_833_918_921_4,
            },
            Activation::GeluTanh => Self::Neurons {
                above: -0.729_693_455_096_478_7,
            },
            Activation::Mish => Self::Neurons {
                above: -1.155_996_285_894_172_7,
            },
            // σ' = (2z + 3) / 6, and 0 below −3.
            Activation::HardSwish => Self::Neurons { above: -1.47 },
            Activation::Silu => Self::Neurons {
                above: -1.233_897_976_864_304_8,
            },
            Activation::Identity
            | Activation::LeakyRelu(_)
            | Activation::Sin
            | Activation::Softmax => Self::None,
        }
    }
}

impl ExampleMeasures {
    /// Allocates what mini-batches of at most `n` examples need.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn prepare(&mut self, architecture: &Architecture, n: usize) -> Result<()> {
        self.layers = architecture.layers().len();
        self.group = Plan::cost_group_of(architecture);
        let norms = n.div_ceil(self.group).saturating_mul(2 * self.layers);
        grow(&mut self.norms, norms)?;
        grow(&mut self.closed, self.layers)?;
        grow(&mut self.on, architecture.n_neurons())
    }

    /// Before the next step.
    pub fn reset(&mut self) {
        self.closed
            .iter_mut()
            .for_each(|count| *count.get_mut() = 0);
        self.on
            .iter_mut()
            .for_each(|is_on| *is_on.get_mut() = false);
    }

    /// ‖δ^l‖ of the layer at `index` over all n examples.
    pub fn errors(&self, index: usize, n: usize) -> f64 {
        let all = (0..n.div_ceil(self.group)).map(|group| self.norm(group, index)[0].load(RELAXED));
        joined_norm(all.map(f64::from_bits))
    }

    /// √Σ ‖∂C_x‖² over all n examples.
    pub fn gradients(&self, n: usize) -> f64 {
        let groups = self
            .norms
            .chunks_exact(2)
            .take(n.div_ceil(self.group) * self.layers);
        joined_norm(groups.map(|norms| f64::from_bits(norms[1].load(RELAXED))))
    }

    /// The saturation of the layer at `index`, over n examples.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    pub fn saturation(&self, architecture: &Architecture, index: usize, n: usize) -> f64 {
        let width = architecture.layers()[index].n_out;
        match Saturation::of(architecture, index) {
            Saturation::Gates => {
                self.closed[index].load(RELAXED) as f64 / (n as f64 * width as f64)
            }
            Saturation::Neurons { .. } => {
                let neurons = &self.on[neurons(architecture, index)];
                let off = neurons.iter().filter(|is_on| !is_on.load(RELAXED));
                off.count() as f64 / width as f64
            }
            Saturation::None => 0.0,
        }
    }

    fn norm(&self, group: usize, index: usize) -> &[AtomicU64] {
        &self.norms[2 * (group * self.layers + index)..][..2]
    }

    fn observe_saturation<T: Real>(
        &self,
        architecture: &Architecture,
        index: usize,
        layer: &LayerBuffers<&mut [T]>,
    ) {
        // σ' takes a^l from before dropout.
        let a = if layer.a_before_dropout.is_empty() {
            &*layer.a
        } else {
            &*layer.a_before_dropout
        };
        match Saturation::of(architecture, index) {
            Saturation::Gates => {
                let count = match architecture.layers()[index].activation {
                    Activation::Sigmoid => closed_sigmoids(a, CLOSED / 4.0),
                    // σ' = 0 where a is 0 or 1.
                    Activation::HardSigmoid => closed_sigmoids(a, f64::from(f32::MIN_POSITIVE)),
                    _ => closed_tanhs(a, 1.0 - CLOSED),
                };
                self.closed[index].fetch_add(count, RELAXED);
            }
            Saturation::Neurons { above } => {
                let needs_z = architecture.layers()[index].activation.derivative_needs_z();
                let numbers = if needs_z { &*layer.z } else { a };
                let matrix = Matrix::new(numbers, layer.rows, layer.width, layer.order);
                let neurons = &self.on[neurons(architecture, index)];
                columns_above(matrix, above, |neuron| {
                    if !neurons[neuron].load(RELAXED) {
                        neurons[neuron].store(true, RELAXED);
                    }
                });
            }
            Saturation::None => {}
        }
    }
}

const RELAXED: Ordering = Ordering::Relaxed; // the end of a task orders its writes

/// The places of the neurons of the layer at `index` among those of all layers.
fn neurons(architecture: &Architecture, index: usize) -> Range<usize> {
    let layers = architecture.layers();
    let first = layers[..index].iter().map(|layer| layer.n_out).sum();
    first..first + layers[index].n_out
}

fn grow<N: Default>(numbers: &mut Vec<N>, length: usize) -> Result<()> {
    if let Some(missing) = length.checked_sub(numbers.len()) {
        try_reserve("records", numbers, missing)?;
        numbers.resize_with(length, N::default);
    }
    Ok(())
}

impl<T: Real> Observer<T> for ExampleMeasures {
    fn observe(&self, call: &Call<'_, T>, chunk: &Chunk<'_, '_, T>) {
        let architecture = call.network.architecture;
        let count = chunk.rows.len();
        for first in (0..count).step_by(self.group) {
            let rows = first..count.min(first + self.group);
            let group = (chunk.rows.start + first) / self.group;
            call.each_layer_squares(chunk, &rows, |squares| {
                let errors = chunk.layers[squares.index].errors().row_range(&rows);
                let [speed, gradients] = norms_of_group(&squares, errors);
                let norm = self.norm(group, squares.index);
                norm[0].store(speed.to_bits(), RELAXED);
                norm[1].store(gradients.to_bits(), RELAXED);
            });
        }
        for (index, layer) in chunk.layers.iter().enumerate() {
            self.observe_saturation(architecture, index, layer);
        }
    }
}

/// √Σ ‖δ_x‖² and √Σ ‖δ_x‖² (‖a_x‖² + 1), from the squares of the rows; 1 stands for the biases.
fn norms_of_group<T: Real>(squares: &LayerSquares<'_>, errors: Matrix<'_, T>) -> [f64; 2] {
    let (of_inputs, of_biases) = (squares.of_inputs, squares.of_biases);
    let squares = sums(squares.of_errors, of_inputs, of_biases);
    let usual = 1e-280..1e280;
    if size_of::<T>() < size_of::<f64>() || squares.iter().all(|sum| usual.contains(sum)) {
        return squares.map(f64::sqrt);
    }
    // In units of the largest error, as squares may have left the range of float64.
    let mut norms = [0.0; MAX_ROWS_PER_CALL];
    let norms = &mut norms[..of_inputs.len()];
    for (row, norm) in norms.iter_mut().enumerate() {
        *norm = joined_norm(errors.row(row).map(|x| x.to_f64()));
    }
    let largest = norms.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return squares.map(f64::sqrt);
    }
    for norm in &mut *norms {
        *norm = (*norm / largest) * (*norm / largest);
    }
    sums(norms, of_inputs, of_biases).map(|sum| sum.sqrt() * largest)
}

/// Σ ‖δ_x‖² and Σ ‖δ_x‖² (‖a_x‖² + `of_biases`).
fn sums(of_errors: &[f64], of_inputs: &[f64], of_biases: f64) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for (error, input) in of_errors.iter().zip(of_inputs) {
        sums[0] += error;
        sums[1] += error * (input + of_biases);
    }
    sums
}
