//! A step of training: the gradient of a batch is not written as a whole, but each part of it
//! changes its parameters while it is in the cache; where the step is p ← p − η g, it is added up
//! in the parameters themselves.

use super::blocks::{Part, Parts, sum_part};
use super::{Call, Scratch, Worker};
use crate::error::Result;
use crate::examples::{Inputs, Targets};
use crate::interrupt::{Pulse, watch};
use crate::kernels::{map, steps::Scale};
use crate::network::{Layer, Network};
use crate::optimizer::Update;
use crate::plan::{Plan, Sum};
use crate::pool::Team;
use crate::scalar::Real;
use crate::workspace::reserve;

/// The multiply-adds of BP4 up to which a step is not interrupted: some milliseconds with SIMD.
const WHOLE_WORK: usize = 1 << 28;
/// The most numbers of a part: gradient, parameters and what is kept fit the second-level cache.
const PART: usize = 1 << 15;

/// A batch whose errors are known, and whose gradient can change the parameters.
pub(crate) struct Ready<'a, T> {
    pub network: &'a Network,
    pub inputs: Inputs<'a, T>,
    /// How the batch was cut.
    pub plan: Plan,
    pub team: &'a Team,
}

impl<T: Real> Call<'_, T> {
    /// Whether a step can be done by parts: the gradient is one block, and takes little time.
    pub(crate) fn is_short(&self) -> bool {
        let Sum::Blocks { chunks_per_block } = self.plan.sum else {
            return false;
        };
        let work = self.inputs.n.saturating_mul(self.network.n_weights());
        self.plan.chunks <= chunks_per_block && work <= WHOLE_WORK
    }

    /// The forward pass and the errors, for a step of `update`. Returns C, and how the batch was
    /// cut.
    ///
    /// # Errors
    /// No memory, or interrupted.
    pub(crate) fn errors_for(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        update: &Update,
    ) -> Result<(f64, Plan)> {
        let chunks = self.plan.chunks;
        watch(self.question, |pulse| {
            reserve(&mut scratch.costs, self.plan.grains(), 1, pulse)?;
            self.prepare_block(scratch, chunks, pulse)?;
            let longest = self.network.layers().iter().map(longest_part).max();
            for worker in &mut scratch.workers[..self.team.threads()] {
                reserve(&mut worker.part, longest.unwrap_or(0), 1, pulse)?;
            }
            Ok(())
        })?;
        let targets = targets.scaled(scale(update));
        self.errors_of_block(&targets, scratch, 0..chunks)?;
        Ok((self.total(&targets, scratch), self.plan))
    }
}

/// What the errors are multiplied with: −η where their gradient is added to the parameters.
fn scale(update: &Update) -> f64 {
    plain_rate(update).map_or(1.0, |rate| -rate)
}

/// η of a step that adds the gradient up in the parameters.
fn plain_rate(update: &Update) -> Option<f64> {
    update
        .step
        .plain_rate()
        .filter(|_| update.weights.l1 == 0.0)
}

/// The neurons of a part of a layer whose gradient stands by itself.
fn neurons_of_part(layer: &Layer) -> usize {
    (PART / layer.n_out).clamp(1, layer.n_in)
}

fn longest_part(layer: &Layer) -> usize {
    neurons_of_part(layer) * layer.n_out
}

impl<T: Real> Ready<'_, T> {
    /// Does the step, which is not interrupted.
    pub(crate) fn update(
        &self,
        scratch: &mut Scratch<T>,
        update: &Update,
        mut params: &mut [T],
        kept: &mut [&mut [T]],
    ) {
        let mut kept: Vec<&mut [T]> = kept.iter_mut().map(|kept| &mut **kept).collect();
        let threads = self.team.threads();
        let Scratch { workers, block, .. } = scratch;
        let block = &*block;
        let neurons = |layer: &Layer| match threads {
            1 if plain_rate(update).is_some() => layer.n_in,
            _ => neurons_of_part(layer).min(layer.n_in.div_ceil(2 * threads)),
        };
        let parts = Parts::new(self.network, neurons).map_while(|part| {
            let params = params.split_off_mut(..part.length)?;
            let kept = kept.iter_mut();
            let kept = kept.map(|kept| kept.split_off_mut(..part.length));
            let kept = kept.collect::<Option<Vec<_>>>()?;
            Some((part, params, kept))
        });
        let done = self.team.run(
            &mut workers[..threads],
            parts,
            &|| false,
            |worker, (part, params, mut kept), _| {
                self.change(update, &part, block, worker, params, &mut kept);
            },
        );
        debug_assert!(done.is_ok(), "nobody interrupts");
    }

    /// Changes the parameters of a part.
    fn change(
        &self,
        update: &Update,
        part: &Part,
        block: &[crate::workspace::Workspace<T>],
        worker: &mut Worker<T>,
        params: &mut [T],
        kept: &mut [&mut [T]],
    ) {
        let Worker {
            room, part: buffer, ..
        } = worker;
        let terms = match part.neuron {
            Some(_) => update.weights,
            None => update.biases,
        };
        let chunks = 0..self.plan.chunks;
        let chunks = chunks.map(|chunk| self.inputs.part(&self.plan.rows_of(chunk)));
        let chunks = chunks.zip(block);
        let pulse = &Pulse::none();
        if plain_rate(update).is_some() {
            if terms.l2 != 0.0 {
                let factor = T::from_f64(1.0 + scale(update) * terms.l2);
                map(params, Scale(factor), |p| p * factor);
            }
            sum_part(self.network, part, chunks, params, true, room, pulse);
        } else {
            let gradient = &mut buffer[..part.length];
            sum_part(self.network, part, chunks, gradient, false, room, pulse);
            update.step.apply(terms, params, gradient, kept);
        }
    }
}
