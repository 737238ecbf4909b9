//! Records of steps: what a step computes for its mini-batch anyway, summed up in a row of numbers.
//!
//! A record describes the mini-batch of its step: the cost, activations and errors before the update, with
//! dropout if there is any, the gradient without penalties and before it is clipped, and the update itself.
//! With weights s_x it is about the examples' costs s_x C_x, and gates count with |s_x|. Every sum is in
//! float64 and cut by the shapes of network and batch, so a record has the same bits at any number of threads
//! and SIMD level; and the parameters have the bits that they have without records.

mod examples;
mod saturation;

use std::ops::Range;

use examples::ExampleMeasures;

use crate::base::alloc::{try_defaults, try_push, try_reserve};
use crate::base::error::Result;
use crate::base::sum::sum;
use crate::engine::batch::measured_step::{NormBuffers, StepNorms};
use crate::engine::batch::pass::Observer;
use crate::kernels::elementwise::norms::dot;
use crate::kernels::real::Real;
use crate::kernels::tuning::measured_step::SLICE_ELEMENTS;
use crate::model::architecture::Architecture;
use crate::pool::Team;

/// The records of every k-th step, by the optimizer's count.
#[derive(Debug)]
pub struct StepMonitor<T> {
    /// k.
    period: u64,
    /// Whether to record the cosine of each gradient and that of the last record.
    cosine: bool,
    /// The gradient of the last record, times some factor, and its norm with the sign of the factor; 0
    /// before the first one.
    last: Vec<T>,
    last_norm: f64,
    /// The records that were not taken yet, one after the other.
    rows: Vec<f64>,
}

impl<T: Real> StepMonitor<T> {
    /// Records of every step whose number is a multiple of `period`.
    pub fn new(period: u64, cosine: bool) -> Self {
        Self {
            period: period.max(1),
            cosine,
            last: Vec::new(),
            last_norm: 0.0,
            rows: Vec::new(),
        }
    }

    /// The numbers of a record: step, cost, saturation and speed of each layer, gradient norm, update norm,
    /// signal-to-noise, and the cosine if it is recorded.
    pub fn columns(&self, architecture: &Architecture) -> usize {
        5 + 2 * architecture.layers().len() + usize::from(self.cosine)
    }

    /// The records that were not taken yet.
    pub fn rows(&self) -> &[f64] {
        &self.rows
    }

    /// Forgets these records, which were taken.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.period)
    }

    /// Adds the cosine of a gradient of `length` numbers and that of the last record, which it replaces. `norm`
    /// has the sign of the gradient's factor.
    fn add_cosine(&mut self, norm: f64, (gradient, length): (&mut Vec<T>, usize), is_shared: bool) {
        let (numbers, last) = (&gradient[..length], &mut self.last[..length]);
        let pieces = numbers
            .chunks(SLICE_ELEMENTS)
            .zip(last.chunks(SLICE_ELEMENTS));
        let both = sum(pieces.map(|(a, b)| dot(a, b)));
        let cosine = both / norm / self.last_norm;
        self.rows.push(cosine.clamp(-1.0, 1.0));
        if is_shared {
            last.copy_from_slice(numbers);
        } else {
            std::mem::swap(&mut self.last, gradient);
        }
        self.last_norm = norm;
    }
}

/// The monitors of a training, and the buffers of the step at work.
#[derive(Debug, Default)]
pub struct Monitors<T> {
    /// The monitors.
    pub all: Vec<StepMonitor<T>>,
    examples: ExampleMeasures,
    norms: NormBuffers<T>,
}

/// What a step has measured besides its examples.
#[derive(Debug, Default)]
pub(super) struct MeasuredStep {
    /// Its number, from 1.
    number: u64,
    /// Whether a record needs its whole gradient.
    pub needs_gradient: bool,
    /// Whether parameters are compared after it; otherwise the sums are in the slices of a fused step.
    compares_params: bool,
    /// C of the mini-batch.
    pub cost: f64,
    /// The number of examples.
    pub n: usize,
    /// Σ |s_x|, if they have weights.
    pub all_weight: Option<f64>,
    /// Its norms, that of the gradient times `scale`.
    pub norms: StepNorms,
    /// The factor of the errors and the gradient.
    pub scale: f64,
}

impl<T: Real> Monitors<T> {
    /// Adds a monitor.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn add(&mut self, monitor: StepMonitor<T>) -> Result<()> {
        try_push("records", &mut self.all, monitor)
    }

    /// Allocates what these steps need, in mini-batches of at most `batch_size`.
    ///
    /// # Errors
    /// Memory runs out.
    pub(super) fn prepare(
        &mut self,
        architecture: &Architecture,
        batch_size: usize,
        steps: Range<u64>,
    ) -> Result<()> {
        if self.all.is_empty() {
            return Ok(());
        }
        for monitor in &mut self.all {
            let records = (steps.end - 1) / monitor.period - (steps.start - 1) / monitor.period;
            let records = usize::try_from(records).unwrap_or(usize::MAX);
            let numbers = records.saturating_mul(monitor.columns(architecture));
            try_reserve("records", &mut monitor.rows, numbers)?;
            if monitor.cosine && monitor.last.is_empty() {
                monitor.last = try_defaults("gradient of a record", architecture.params_len())?;
            }
        }
        self.examples.prepare(architecture, batch_size)?;
        self.norms.prepare(architecture)
    }

    /// Begins the step `number`, from 1. None if no record of it is due.
    pub(super) fn begin(
        &mut self,
        number: u64,
        is_fused: bool,
        has_max_norm: bool,
    ) -> Option<MeasuredStep> {
        let mut due = self.all.iter().filter(|monitor| monitor.is_due(number));
        let first = due.next()?;
        let needs_gradient = first.cosine || due.any(|monitor| monitor.cosine);
        self.examples.reset();
        Some(MeasuredStep {
            number,
            needs_gradient,
            compares_params: !is_fused || has_max_norm,
            scale: 1.0,
            ..MeasuredStep::default()
        })
    }

    /// What looks at the examples of a step.
    pub(super) fn observer(&self) -> &dyn Observer<T> {
        &self.examples
    }

    /// The buffers for the norms of a step, before it updates the parameters, and whether its slices measure
    /// the update.
    pub(super) fn buffers(
        &mut self,
        step: &MeasuredStep,
        params: &[T],
    ) -> (&mut NormBuffers<T>, bool) {
        if step.compares_params {
            self.norms.keep(params);
        }
        (&mut self.norms, !step.compares_params)
    }

    /// Measures the update of a step that is done, unless its slices did.
    pub(super) fn measure_update(&mut self, step: &mut MeasuredStep, params: &[T], team: &Team) {
        if step.compares_params {
            step.norms.update = self.norms.update(params, team);
        }
    }

    /// Adds the records of a step that is done. `gradient` has as many numbers if a record needs them, and may
    /// be exchanged for another vector.
    pub(super) fn record(
        &mut self,
        architecture: &Architecture,
        step: &MeasuredStep,
        (gradient, length): (&mut Vec<T>, usize),
    ) {
        let (n, norms) = (step.n, step.norms);
        let layers = architecture.layers().len();
        let gradient_norm = norms.gradient / step.scale.abs();
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let unit = (n as f64).sqrt() / step.scale.abs();
        let noise = noise(self.examples.gradients(n) * unit, gradient_norm, n);
        let signal_to_noise = if noise > 0.0 {
            gradient_norm / noise
        } else if gradient_norm > 0.0 {
            f64::INFINITY
        } else {
            f64::NAN
        };
        let is_shared = self.all.iter().filter(|monitor| monitor.cosine).count() > 1;
        for monitor in &mut self.all {
            if !monitor.is_due(step.number) {
                continue;
            }
            let rows = &mut monitor.rows;
            #[allow(clippy::cast_precision_loss)]
            rows.extend([step.number as f64, step.cost]);
            rows.extend((0..layers).map(|index| {
                let examples = &self.examples;
                examples.saturation(architecture, index, n, step.all_weight)
            }));
            rows.extend((0..layers).map(|index| self.examples.errors(index, n) * unit));
            rows.extend([gradient_norm, norms.update, signal_to_noise]);
            if monitor.cosine {
                let norm = norms.gradient * step.scale.signum();
                monitor.add_cosine(norm, (gradient, length), is_shared);
            }
        }
    }

    /// Forgets the records of steps after `step`, which were taken back.
    pub(super) fn take_back(&mut self, architecture: &Architecture, step: u64) {
        for monitor in &mut self.all {
            let columns = monitor.columns(architecture);
            #[allow(clippy::cast_precision_loss)]
            let is_kept = |row: &&[f64]| row[0] <= step as f64;
            let kept = monitor.rows.chunks(columns).take_while(is_kept).count();
            monitor.rows.truncate(kept * columns);
        }
    }
}

/// √(Σ ‖∂C_x‖² / n − ‖∂C‖²): the RMS of what the gradients of the examples have besides their mean.
fn noise(root_mean_square: f64, norm: f64, n: usize) -> f64 {
    if n == 1 || root_mean_square <= norm {
        return 0.0;
    }
    // As two factors, whose squares may leave the range of float64.
    (root_mean_square - norm).sqrt() * (root_mean_square + norm).sqrt()
}
