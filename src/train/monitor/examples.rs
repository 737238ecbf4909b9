//! What the examples of a mini-batch tell: their errors, the norms of their gradients, and saturation.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::base::alloc::try_reserve;
use crate::base::error::Result;
use crate::base::sum::sum;
use crate::data::Targets;
use crate::engine::batch::Call;
use crate::engine::batch::example_squares::LayerSquares;
use crate::engine::batch::pass::{Chunk, Observer};
use crate::engine::plan::Plan;
use crate::kernels::elementwise::norms::{MAX_ROWS_PER_CALL, joined_norm};
use crate::kernels::elementwise::saturation::{ClosedGate, columns_above};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;
use crate::train::monitor::saturation::Saturation;

/// Sums over the examples of the step at work. Threads write to different places, or what does not depend on
/// their order: counts, and flags that are only set.
#[derive(Debug, Default)]
pub(super) struct ExampleMeasures {
    /// The examples of a cost group.
    group: usize,
    /// The layers of weights.
    layers: usize,
    /// Of each cost group and layer: √Σ ‖δ_x‖², √Σ ‖∂C_x/∂(W, b)‖² and, with weights, Σ |s_x| · (the part of
    /// the gates of x that are closed), as bits.
    groups: Vec<[AtomicU64; 3]>,
    /// The closed gates of each layer, if there are no weights.
    closed: Vec<AtomicUsize>,
    /// The neurons of all layers that are on for some example, whose weight is not 0.
    on: Vec<AtomicBool>,
}

impl ExampleMeasures {
    /// Allocates what mini-batches of at most `n` examples need.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn prepare(&mut self, architecture: &Architecture, n: usize) -> Result<()> {
        self.layers = architecture.layers().len();
        self.group = Plan::cost_group_of(architecture);
        let groups = n.div_ceil(self.group).saturating_mul(self.layers);
        grow(&mut self.groups, groups)?;
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
        joined_norm(self.of_groups(index, n).map(|[errors, ..]| errors))
    }

    /// √Σ ‖∂C_x‖² over all n examples.
    pub fn gradients(&self, n: usize) -> f64 {
        let groups = &self.groups[..n.div_ceil(self.group) * self.layers];
        joined_norm(groups.iter().map(|[_, gradients, _]| number(gradients)))
    }

    /// The saturation of the layer at `index`, over n examples; `all_weight` is Σ |s_x|, if they have weights.
    /// NaN if all weights are 0.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    pub fn saturation(
        &self,
        architecture: &Architecture,
        index: usize,
        n: usize,
        all_weight: Option<f64>,
    ) -> f64 {
        let width = architecture.layers()[index].n_out as f64;
        match (Saturation::of(architecture, index), all_weight) {
            (Saturation::None, _) => 0.0,
            (_, Some(0.0)) => f64::NAN,
            (Saturation::Gates(_), Some(all_weight)) => {
                sum(self.of_groups(index, n).map(|[.., closed]| closed)) / all_weight
            }
            (Saturation::Gates(_), None) => {
                self.closed[index].load(RELAXED) as f64 / (n as f64 * width)
            }
            (Saturation::Neurons { .. }, _) => {
                let neurons = &self.on[neurons(architecture, index)];
                let off = neurons.iter().filter(|is_on| !is_on.load(RELAXED));
                off.count() as f64 / width
            }
        }
    }

    /// The numbers of the cost groups of n examples at the layer at `index`.
    fn of_groups(&self, index: usize, n: usize) -> impl Iterator<Item = [f64; 3]> + Clone {
        let groups = self.groups.chunks_exact(self.layers);
        let all = groups.take(n.div_ceil(self.group));
        all.map(move |layers| layers[index].each_ref().map(number))
    }

    fn observe_saturation<T: Real>(
        &self,
        architecture: &Architecture,
        targets: &Targets<'_, T>,
        chunk: &Chunk<'_, '_, T>,
        index: usize,
    ) {
        let layer = &chunk.layers[index];
        // σ' takes a^l from before dropout.
        let a = if layer.a_before_dropout.is_empty() {
            &*layer.a
        } else {
            &*layer.a_before_dropout
        };
        let by_rows = |numbers| Matrix::new(numbers, layer.rows, layer.width, layer.order);
        let is_counted = |row: usize| targets.sample_weight(chunk.rows.start + row) != 0.0;
        match Saturation::of(architecture, index) {
            Saturation::Gates(gate) if targets.is_weighted() => {
                self.weigh_gates(gate, by_rows(a), targets, &chunk.rows, index);
            }
            Saturation::Gates(gate) => {
                self.closed[index].fetch_add(gate.count(a), RELAXED);
            }
            Saturation::Neurons { above } => {
                let needs_z = architecture.layers()[index].activation.derivative_needs_z();
                let matrix = by_rows(if needs_z { &*layer.z } else { a });
                let neurons = &self.on[neurons(architecture, index)];
                for rows in runs(layer.rows, is_counted) {
                    columns_above(matrix.row_range(&rows), above, |neuron| {
                        if !neurons[neuron].load(RELAXED) {
                            neurons[neuron].store(true, RELAXED);
                        }
                    });
                }
            }
            Saturation::None => {}
        }
    }

    /// Σ |s_x| · (the part of the gates of x that are closed), of each cost group of the examples `rows`.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    fn weigh_gates<T: Real>(
        &self,
        gate: ClosedGate,
        a: Matrix<'_, T>,
        targets: &Targets<'_, T>,
        rows: &Range<usize>,
        index: usize,
    ) {
        let (count, width) = a.shape();
        for first in (0..count).step_by(self.group) {
            let parts = (first..count.min(first + self.group)).map(|row| {
                let part = gate.count_in_row(a, row) as f64 / width as f64;
                targets.sample_weight(rows.start + row).abs() * part
            });
            let group = (rows.start + first) / self.group;
            let [.., closed] = &self.groups[group * self.layers + index];
            closed.store(parts.sum::<f64>().to_bits(), RELAXED);
        }
    }
}

const RELAXED: Ordering = Ordering::Relaxed; // the end of a task orders its writes

/// The number that is stored as bits.
fn number(bits: &AtomicU64) -> f64 {
    f64::from_bits(bits.load(RELAXED))
}

/// The ranges of neighbouring rows, out of `count`, that are counted.
fn runs(count: usize, is_counted: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = (next..count).find(|&row| is_counted(row))?;
        next = (start..count)
            .find(|&row| !is_counted(row))
            .unwrap_or(count);
        Some(start..next)
    })
}

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
    fn observe(&self, call: &Call<'_, T>, targets: &Targets<'_, T>, chunk: &Chunk<'_, '_, T>) {
        let architecture = call.network.architecture;
        let count = chunk.rows.len();
        for first in (0..count).step_by(self.group) {
            let rows = first..count.min(first + self.group);
            let group = (chunk.rows.start + first) / self.group;
            call.each_layer_squares(chunk, &rows, |squares| {
                let errors = chunk.layers[squares.index].errors().row_range(&rows);
                let [speed, gradients] = norms_of_group(&squares, errors);
                let of_group = &self.groups[group * self.layers + squares.index];
                of_group[0].store(speed.to_bits(), RELAXED);
                of_group[1].store(gradients.to_bits(), RELAXED);
            });
        }
        for index in 0..chunk.layers.len() {
            self.observe_saturation(architecture, targets, chunk, index);
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
