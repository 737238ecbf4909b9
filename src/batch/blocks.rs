//! A gradient cut into parts, each summed over all examples of a block in their order: for large
//! networks, whose gradient is written once, and for small batches, whose parts keep every thread
//! at work.

use super::{Call, Scratch, Worker};
use crate::backward::{bp3, bp4, input_and_delta};
use crate::compensated::add_compensated;
use crate::error::Result;
use crate::examples::{Inputs, Targets};
use crate::interrupt::{Pulse, watch};
use crate::network::{Layer, Network};
use crate::scalar::Real;
use crate::workspace::{Keep, Workspace, reserve};

/// The multiply-adds that a part should have at least: some microseconds.
const PART_WORK: usize = 1 << 17;
/// The parts for each thread, so that they end together.
const PARTS_PER_THREAD: usize = 6;
/// The parts of the first layer for each thread where x is sparse: each looks at all that is stored.
const SPARSE_PARTS: usize = 2;
/// The neurons of a part at least, if every thread finds some: rows enough for the tiles.
const PART_NEURONS: usize = 36;

impl<T: Real> Call<'_, T> {
    /// The gradient into `gradient`, the costs of the chunks into `scratch`.
    ///
    /// # Errors
    /// No memory, or interrupted.
    pub(super) fn sum_blocks(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
        chunks_per_block: usize,
    ) -> Result<()> {
        let plan = &self.plan;
        let several = plan.chunks > chunks_per_block;
        let neurons = self.neurons_of_parts(chunks_per_block.min(plan.chunks));
        watch(self.question, |pulse| {
            self.prepare_workers(scratch)?;
            let chunks = chunks_per_block.min(plan.chunks);
            if scratch.block.len() < chunks {
                scratch.block.resize_with(chunks, Workspace::default);
            }
            let mut block = scratch.block[..chunks].iter_mut();
            block.try_for_each(|workspace| self.prepare(workspace, Keep::ERRORS, pulse))?;
            if several {
                let longest = self
                    .network
                    .layers()
                    .iter()
                    .map(|layer| neurons(layer) * layer.n_out);
                let longest = longest.max().unwrap_or(0);
                for worker in &mut scratch.workers[..self.team.threads()] {
                    reserve(&mut worker.part, longest, 1, pulse)?;
                }
                reserve(&mut scratch.lost, gradient.len(), 1, pulse)?;
            }
            Ok(())
        })?;
        let workers = &mut scratch.workers[..self.team.threads()];
        let lost = if several {
            &mut scratch.lost[..gradient.len()]
        } else {
            &mut []
        };
        watch(self.question, |beat| {
            for index in 0..plan.chunks.div_ceil(chunks_per_block) {
                // Each phase has a clock of its own, and may be shorter than a beat.
                if index > 0 && beat.stopped() {
                    break;
                }
                let chunks = plan.chunks_of(index, chunks_per_block);
                let block = &mut scratch.block[..chunks.len()];
                let per_chunk = plan.grains_per_chunk();
                let costs = scratch.costs[chunks.start * per_chunk..].chunks_mut(per_chunk);
                let tasks = chunks.clone().zip(block.iter_mut()).zip(costs);
                self.team.run(
                    workers,
                    tasks,
                    self.question,
                    |worker, ((chunk, workspace), costs), pulse| {
                        let (rows, room) = (plan.rows_of(chunk), &mut worker.room);
                        self.errors_chunk(targets, &rows, workspace, room, costs, pulse);
                    },
                )?;
                let block = &*block;
                let parts = Parts::new(self.network, gradient, lost, &neurons);
                self.team
                    .run(workers, parts, self.question, |worker, part, pulse| {
                        let chunks = chunks
                            .clone()
                            .map(|chunk| self.inputs.part(&plan.rows_of(chunk)))
                            .zip(block);
                        self.part(part, chunks, index == 0, worker, pulse);
                    })?;
            }
            Ok(())
        })
    }

    /// A part of the gradient over `chunks`, the first block's or added to those before.
    fn part<'b>(
        &self,
        part: Part<'_, T>,
        chunks: impl Iterator<Item = (Inputs<'b, T>, &'b Workspace<T>)>,
        first: bool,
        worker: &mut Worker<T>,
        pulse: &Pulse<'_>,
    ) where
        T: 'b,
    {
        let Worker {
            room, part: buffer, ..
        } = worker;
        let sum = if first {
            &mut *part.sum
        } else {
            &mut buffer[..part.sum.len()]
        };
        if part.neuron.is_none() {
            sum.fill(T::ZERO);
        }
        for (index, (x, workspace)) in chunks.enumerate() {
            let (a, delta) = input_and_delta(self.network, x, workspace, part.layer);
            match part.neuron {
                None => bp3(delta, sum, room, pulse),
                Some(neuron) => {
                    let rows = x.len();
                    bp4(delta, a, rows, neuron, sum, false, index > 0, room, pulse);
                }
            }
            if pulse.stopped_after(0) {
                return;
            }
        }
        if first {
            for lost in part.lost.chunks_mut(1 << 16) {
                lost.fill(T::ZERO);
                pulse.stopped_after(lost.len());
            }
        } else {
            add_compensated(part.sum, part.lost, &buffer[..part.sum.len()], pulse);
        }
    }

    /// How many neurons' weights a part of a layer's gradient has.
    fn neurons_of_parts(&self, chunks: usize) -> impl Fn(&Layer) -> usize {
        let rows = self.inputs.n.min(chunks * self.plan.rows);
        let (threads, inputs) = (self.team.threads(), self.inputs.part(&(0..rows)));
        let work = if threads == 1 {
            usize::MAX
        } else {
            inputs.products(self.network) / (threads * PARTS_PER_THREAD)
        };
        let work = work.max(PART_WORK);
        let stored = inputs.stored();
        move |layer| {
            if let Some(stored) = stored
                && layer.weights.start == 0
            {
                let most = if threads == 1 {
                    1
                } else {
                    SPARSE_PARTS * threads
                };
                let work = (layer.n_in.saturating_add(stored)).saturating_mul(layer.n_out);
                return layer.n_in.div_ceil((work / PART_WORK).clamp(1, most));
            }
            let least = PART_NEURONS.min(layer.n_in.div_ceil(2 * threads));
            (work / (rows * layer.n_out)).clamp(least, layer.n_in)
        }
    }
}

/// Neighbouring numbers of a gradient that are computed together.
struct Part<'a, T> {
    /// The index of the layer.
    layer: usize,
    /// The first neuron whose weights these are; None: these are the biases.
    neuron: Option<usize>,
    sum: &'a mut [T],
    /// What the sum has lost so far; empty where there is one block alone.
    lost: &'a mut [T],
}

/// The parts of a gradient, in the order in which they lie.
struct Parts<'a, T, F> {
    layers: std::iter::Enumerate<std::slice::Iter<'a, Layer>>,
    layer: Option<(usize, &'a Layer)>,
    /// The first neuron of the next part of `layer`.
    neuron: usize,
    /// How many neurons' weights a part has.
    neurons: F,
    sum: &'a mut [T],
    lost: &'a mut [T],
}

impl<'a, T, F: Fn(&Layer) -> usize> Parts<'a, T, F> {
    fn new(network: &'a Network, sum: &'a mut [T], lost: &'a mut [T], neurons: F) -> Self {
        let mut layers = network.layers().iter().enumerate();
        Self {
            layer: layers.next(),
            layers,
            neuron: 0,
            neurons,
            sum,
            lost,
        }
    }
}

impl<'a, T, F: Fn(&Layer) -> usize> Iterator for Parts<'a, T, F> {
    type Item = Part<'a, T>;

    fn next(&mut self) -> Option<Part<'a, T>> {
        let (index, layer) = self.layer?;
        let neurons = (self.neurons)(layer).min(layer.n_in - self.neuron);
        let neuron = (neurons > 0).then_some(self.neuron);
        let length = layer.n_out * neurons.max(1);
        if neuron.is_some() {
            self.neuron += neurons;
        } else {
            self.neuron = 0;
            self.layer = self.layers.next();
        }
        Some(Part {
            layer: index,
            neuron,
            sum: self.sum.split_off_mut(..length)?,
            lost: self.lost.split_off_mut(..length).unwrap_or_default(),
        })
    }
}
