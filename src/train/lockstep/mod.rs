//! Steps of several networks of one architecture at once, each in a lane of the registers.
//!
//! In a step of a small network most of the time passes between the products. Here the products and
//! activations of all networks are computed together; costs, δ^L and updates one network after the other. Each
//! number is computed as in a step of one network, with the same bits.

mod buffers;
mod passes;
#[cfg(test)]
mod tests;

pub use buffers::LockstepScratch;

use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::base::sum::extended::{Extended, ExtendedSum};
use crate::data::{Inputs, LayerInput};
use crate::engine::batch::fused_step::{self, can_be_fused, sgd_rate};
use crate::engine::optimizer::{ParamsAndState, Update};
use crate::engine::plan::Plan;
use crate::kernels::interleaved::{interleave, networks, separate};
use crate::kernels::real::Real;
use crate::kernels::tuning::many::MAX_LANE_WORK;
use crate::model::architecture::Architecture;
use crate::train::rollback::{all_finite, restore_state, save_state};
use crate::train::{Report, Settings, StepSeries};

/// The most networks: those of the narrowest elements.
const MAX_NETWORKS: usize = networks::<f32>();

/// A series of steps of one network, among those of others.
pub struct Lane<'a, T> {
    /// The series.
    pub series: StepSeries<'a, T>,
    /// The parameters and the optimizer's state.
    pub params_and_state: ParamsAndState<'a, T>,
    /// As in [`StepSeries::run`].
    pub report: &'a mut Report,
}

/// Whether steps on `examples` of `inputs` can be done in a lane.
pub fn fits_a_lane<T: Real>(
    architecture: &Architecture,
    settings: &Settings,
    inputs: &Inputs<'_, T>,
    examples: usize,
) -> bool {
    let n = settings.batch_size.min(examples);
    matches!(inputs.x, LayerInput::Dense(_))
        && n > 0
        && settings.clip_norm.is_none()
        && settings.max_norm.is_none()
        && settings.dropout.iter().all(|&rate| rate == 0.0)
        && architecture.n_params() == architecture.params_len()
        && can_be_fused(architecture, &Plan::alone(architecture, n), n)
}

/// Whether steps of `lanes` networks on `n` examples take less time together. All lanes are computed, whether or
/// not they have a network.
pub fn is_faster<T: Real>(architecture: &Architecture, n: usize, lanes: usize) -> bool {
    let work = n.saturating_mul(architecture.n_weights());
    lanes > 1 && work.saturating_mul(networks::<T>()) <= MAX_LANE_WORK * lanes
}

/// Does the series of all lanes, of one architecture and equally many steps of equally many examples. Returns
/// whether all numbers are finite; if not, nothing has changed. If it is cancelled, it ends after a whole step of
/// all.
///
/// # Errors
/// Memory runs out; nothing has changed.
///
/// # Panics
/// There are no lanes, or more than [`networks`].
pub fn run<T: Real>(
    lanes: &mut [Lane<'_, T>],
    scratch: &mut LockstepScratch<T>,
    cancel: &CancelToken<'_>,
) -> Result<bool> {
    assert!(lanes.len() <= networks::<T>(), "a lane for each network");
    let StepSeries {
        architecture,
        settings,
        order,
        ..
    } = lanes[0].series;
    let n = settings.batch_size.min(order.len());
    scratch.prepare(architecture, n, lanes.len())?;
    let mut costs = [ExtendedSum::default(); MAX_NETWORKS];
    for ((lane, before), cost) in lanes.iter_mut().zip(&mut scratch.before).zip(&mut costs) {
        save_state(before, &lane.params_and_state);
        (lane.report.steps, lane.report.diverged) = (0, false);
        *cost = lane.report.cost;
    }
    let mut is_finite = Ok(true);
    for index in 0..lanes[0].series.steps() {
        if !matches!(is_finite, Ok(true)) || cancel.poll() {
            break;
        }
        is_finite = step(lanes, index, scratch);
    }
    let is_good = |lane: &Lane<'_, T>| {
        !lane.series.settings.check_finite || all_finite(&lane.params_and_state)
    };
    let is_finite = is_finite.map(|is_finite| is_finite && lanes.iter().all(is_good));
    if !matches!(is_finite, Ok(true)) {
        for ((lane, before), cost) in lanes.iter_mut().zip(&scratch.before).zip(costs) {
            restore_state(before, &mut lane.params_and_state);
            (lane.report.steps, lane.report.cost) = (0, cost);
        }
    }
    is_finite
}

/// Does one step of all lanes. Returns whether their costs are finite; if not, nothing has changed.
///
/// # Errors
/// Memory runs out; nothing has changed.
fn step<T: Real>(
    lanes: &mut [Lane<'_, T>],
    index: usize,
    scratch: &mut LockstepScratch<T>,
) -> Result<bool> {
    let architecture = lanes[0].series.architecture;
    let n = lanes[0].series.rows(index).len();
    let length = architecture.n_params();
    let (mut costs, mut updates) = ([0.0; MAX_NETWORKS], [None; MAX_NETWORKS]);
    for (at, lane) in lanes.iter().enumerate() {
        let params = scratch.params.get_mut(0..length);
        interleave(lane.params_and_state.params, params, at);
        let x = scratch.x.get_mut(0..n * architecture.n_inputs());
        gather(&lane.series, index, x, at);
        let update = lane.series.update(index);
        updates[at] = Some((update, sgd_rate(&lane.series.inputs, &update)));
    }
    scratch.forward(architecture, n);
    let mut buffers = std::mem::take(&mut scratch.network.targets);
    for (at, (lane, update)) in lanes.iter().zip(updates).enumerate() {
        let series = &lane.series;
        let targets = buffers.gather(&series.targets, series.rows(index), &|| false)?;
        let rate = update.and_then(|(_, rate)| rate);
        let targets = targets.scaled(rate.map_or(1.0, |rate| -rate));
        costs[at] = scratch.errors_of(at, architecture, &targets, n);
        if series.settings.check_finite && !costs[at].is_finite() {
            return Ok(false);
        }
    }
    scratch.network.targets = buffers;
    scratch.backward(architecture, n);
    for (at, (lane, update)) in lanes.iter_mut().zip(updates).enumerate() {
        let gradient = &mut scratch.network.gradient[..length];
        separate(scratch.gradient.get(0..length), gradient, at);
        if let Some((update, rate)) = update {
            let params_and_state = lane.params_and_state.reborrow();
            apply(architecture, &update, rate, params_and_state, gradient);
        }
        lane.report.steps += 1;
        #[allow(clippy::cast_precision_loss)] // below 2^53
        lane.report.cost.add(Extended::product(costs[at], n as f64));
    }
    Ok(true)
}

/// Copies the examples of a step to a lane of x.
fn gather<T: Real>(series: &StepSeries<'_, T>, index: usize, x: &mut [T], lane: usize) {
    let LayerInput::Dense(all) = series.inputs.x else {
        return; // `fits_a_lane` has checked it
    };
    let width = series.inputs.width();
    let examples = x.chunks_exact_mut(width * networks::<T>());
    for (&row, x) in series.rows(index).iter().zip(examples) {
        interleave(&all.numbers[row as usize * width..][..width], x, lane);
    }
}

/// Updates the parameters of one network.
fn apply<T: Real>(
    architecture: &Architecture,
    update: &Update,
    rate: Option<f64>,
    mut params_and_state: ParamsAndState<'_, T>,
    gradient: &[T],
) {
    if update.weights == update.biases {
        return fused_step::apply(update, rate, update.weights, params_and_state, gradient);
    }
    for layer in architecture.layers() {
        for (range, terms) in [
            (&layer.weights, update.weights),
            (&layer.biases, update.biases),
        ] {
            // Slices are consecutive in memory.
            if let Some(slice) = params_and_state.split_front(range.len()) {
                fused_step::apply(update, rate, terms, slice, &gradient[range.clone()]);
            }
        }
    }
}
