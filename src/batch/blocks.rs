//! A gradient cut into parts, each summed over all examples of a block in their order: for large
//! networks, whose gradient is written once, and for small batches, whose parts keep every thread
//! at work.

use std::ops::Range;

use super::{Call, Scratch, Worker};
use crate::backward::{bp3, bp4, input_and_delta};
use crate::compensated::add_compensated;
use crate::error::Result;
use crate::examples::{Inputs, Targets};
use crate::interrupt::{Pulse, watch};
use crate::kernels::product::Onto;
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
        let in_block = chunks_per_block.min(plan.chunks);
        let neurons = self.neurons_of_parts(in_block);
        watch(self.question, |pulse| {
            self.prepare_block(scratch, in_block, pulse)?;
            if several {
                let longest = self.network.layers().iter();
                let longest = longest.map(|layer| neurons(layer) * layer.row);
                let longest = longest.max().unwrap_or(0);
                for worker in &mut scratch.workers[..self.team.threads()] {
                    reserve(&mut worker.part, longest, 1, pulse)?;
                }
                reserve(&mut scratch.lost, gradient.len(), 1, pulse)?;
            }
            Ok(())
        })?;
        watch(self.question, |beat| {
            for index in 0..plan.chunks.div_ceil(chunks_per_block) {
                // Each phase has a clock of its own, and may be shorter than a beat.
                if index > 0 && beat.stopped() {
                    break;
                }
                let chunks = plan.chunks_of(index, chunks_per_block);
                self.errors_of_block(targets, scratch, chunks.clone())?;
                let Scratch {
                    workers,
                    block,
                    lost,
                    ..
                } = &mut *scratch;
                let block = &*block;
                let lost = if several {
                    &mut lost[..gradient.len()]
                } else {
                    &mut []
                };
                let (mut sums, mut lost) = (&mut *gradient, lost);
                let parts = Parts::new(self.network, &neurons).map_while(|part| {
                    let sum = sums.split_off_mut(..part.length)?;
                    let lost = lost.split_off_mut(..part.length).unwrap_or_default();
                    Some((part, sum, lost))
                });
                let workers = &mut workers[..self.team.threads()];
                self.team.run(
                    workers,
                    parts,
                    self.question,
                    |worker, (part, sum, lost), pulse| {
                        let chunks = chunks
                            .clone()
                            .map(|chunk| self.inputs.part(&plan.rows_of(chunk)));
                        let chunks = chunks.zip(block);
                        self.part(&part, sum, lost, chunks, index == 0, worker, pulse);
                    },
                )?;
            }
            Ok(())
        })
    }

    /// Makes room for the chunks of a block, and for the threads.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn prepare_block(
        &self,
        scratch: &mut Scratch<T>,
        chunks: usize,
        pulse: &Pulse<'_>,
    ) -> Result<()> {
        self.prepare_workers(scratch)?;
        if scratch.block.len() < chunks {
            scratch.block.resize_with(chunks, Workspace::default);
        }
        let mut block = scratch.block[..chunks].iter_mut();
        block.try_for_each(|workspace| self.prepare(workspace, Keep::ERRORS, pulse))
    }

    /// The forward pass and the errors of the chunks of a block, and the costs of their grains.
    ///
    /// # Errors
    /// Interrupted.
    pub(super) fn errors_of_block(
        &self,
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        chunks: Range<usize>,
    ) -> Result<()> {
        let plan = &self.plan;
        let per_chunk = plan.grains_per_chunk();
        let block = &mut scratch.block[..chunks.len()];
        let costs = scratch.costs[chunks.start * per_chunk..].chunks_mut(per_chunk);
        let tasks = chunks.zip(block.iter_mut()).zip(costs);
        self.team.run(
            &mut scratch.workers[..self.team.threads()],
            tasks,
            self.question,
            |worker, ((chunk, workspace), costs), pulse| {
                let (rows, room) = (plan.rows_of(chunk), &mut worker.room);
                self.errors_chunk(targets, &rows, workspace, room, costs, pulse);
            },
        )
    }

    /// A part of the gradient over `chunks`, the first block's or added to those before.
    fn part<'b>(
        &self,
        part: &Part,
        sum: &mut [T],
        lost: &mut [T],
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
        if first {
            sum_part(self.network, part, chunks, sum, room, pulse);
            for lost in lost.chunks_mut(1 << 16) {
                lost.fill(T::ZERO);
                pulse.stopped_after(lost.len());
            }
        } else {
            let buffer = &mut buffer[..sum.len()];
            sum_part(self.network, part, chunks, buffer, room, pulse);
            if !pulse.stopped_after(0) {
                add_compensated(sum, lost, buffer, pulse);
            }
        }
    }

    /// How many neurons' weights a part of a layer's gradient has.
    fn neurons_of_parts(&self, chunks: usize) -> impl Fn(&Layer) -> usize + Copy {
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

/// A part of the gradient over `chunks`, their x with their forward pass and errors, in their order.
pub(super) fn sum_part<'b, T: Real>(
    network: &Network,
    part: &Part,
    chunks: impl Iterator<Item = (Inputs<'b, T>, &'b Workspace<T>)>,
    sum: &mut [T],
    room: &mut [T],
    pulse: &Pulse<'_>,
) {
    if part.neuron.is_none() {
        sum.fill(T::ZERO);
    }
    for (index, (x, workspace)) in chunks.enumerate() {
        let (a, delta) = input_and_delta(network, x, workspace, part.layer);
        match part.neuron {
            None => bp3(delta, sum, room, pulse),
            Some(neuron) => {
                let (rows, row) = (x.len(), network.layers()[part.layer].row);
                let onto = if index > 0 {
                    Onto::Terms
                } else {
                    Onto::Nothing
                };
                bp4(delta, a, rows, (neuron, row), sum, false, onto, room, pulse);
            }
        }
        if pulse.stopped_after(0) {
            return;
        }
    }
}

/// Neighbouring numbers of a gradient that are computed together.
pub(super) struct Part {
    /// The index of the layer.
    pub layer: usize,
    /// The first neuron whose weights these are; None: these are the biases.
    pub neuron: Option<usize>,
    /// How many numbers.
    pub length: usize,
}

/// The parts of a gradient, in the order in which they lie.
pub(super) struct Parts<'a, F> {
    layers: std::iter::Enumerate<std::slice::Iter<'a, Layer>>,
    layer: Option<(usize, &'a Layer)>,
    /// The first neuron of the next part of `layer`.
    neuron: usize,
    /// How many neurons' weights a part has.
    neurons: F,
}

impl<'a, F: Fn(&Layer) -> usize> Parts<'a, F> {
    pub fn new(network: &'a Network, neurons: F) -> Self {
        let mut layers = network.layers().iter().enumerate();
        Self {
            layer: layers.next(),
            layers,
            neuron: 0,
            neurons,
        }
    }
}

impl<F: Fn(&Layer) -> usize> Iterator for Parts<'_, F> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let (index, layer) = self.layer?;
        let neurons = (self.neurons)(layer).min(layer.n_in - self.neuron);
        let neuron = (neurons > 0).then_some(self.neuron);
        if neuron.is_some() {
            self.neuron += neurons;
        } else {
            self.neuron = 0;
            self.layer = self.layers.next();
        }
        let length = if neurons > 0 {
            layer.row * neurons
        } else {
            layer.n_out
        };
        Some(Part {
            layer: index,
            neuron,
            length,
        })
    }
}
