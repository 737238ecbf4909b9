//! How a batch is cut into chunks, and how their gradients are brought together.
//!
//! What decides about bits follows from the shape of network and batch alone, never from the
//! number of threads: which examples' costs are added first, which chunks make a run, which
//! examples make a block. How many rows of a block one thread takes at a time changes no bit.

use std::ops::Range;

use crate::examples::Inputs;
use crate::kernels::product::multiplied_at_once;
use crate::network::Network;
use crate::scalar::Real;

/// The multiply-adds of a forward pass, for each that the machine does at once, below which a thread
/// is not worth having: some 10 µs.
const THREAD_WORK: usize = 1 << 15;
/// The examples whose costs are added first, a power of two. A chunk is a multiple of them, unless it is the last.
const GRAIN: usize = 16;
/// The most rows of a chunk: its activations stay in the second-level cache.
pub const MAX_ROWS: usize = 128;
/// The most activations of a layer that a chunk has: very wide layers take few rows at a time.
const MAX_ACTIVATIONS: usize = 1 << 21;
/// The most chunks of a run: their gradients are added in registers, and only a run's in memory.
const LONGEST_RUN: usize = 4;
/// The runs that there are before they become longer: enough for the threads of most machines.
const SHORT_RUNS: usize = 32;

/// Parameters from which a gradient no longer stays in the cache: to add one costs as much as to
/// compute some rows.
const LARGE: usize = 1 << 17;
/// The most rows of a chunk of a large network, each of which takes all weights from memory; the second
/// where a layer of [`WIDE`] neurons leaves the second-level cache with the first as well.
const LARGE_MAX_ROWS: (usize, usize) = (512, 1024);
/// The neurons of a wide layer.
const WIDE: usize = 1024;
/// The most examples of a small network that make blocks, and no runs.
const SMALL_BATCH: usize = 512;
/// The most activations of a block.
const BLOCK_ACTIVATIONS: usize = 1 << 22;
/// The fewest and the most rows of a block, powers of two.
const BLOCK_ROWS: (usize, usize) = (128, 4096);

/// How the gradients of the chunks are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// The gradient of a run of chunks, one after the other; runs are added pairwise. For small
    /// networks and large batches.
    Runs {
        /// The chunks of a run; the last may have fewer.
        chunks_per_run: usize,
    },
    /// The gradient is cut, and each part sums over all examples of a block in their order; blocks
    /// are added with compensation. For large networks or small batches.
    Blocks {
        /// The chunks of a block; the last may have fewer.
        chunks_per_block: usize,
    },
}

/// How a batch is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    n: usize,
    /// The examples whose costs are added first.
    pub grain: usize,
    /// The rows of a chunk, a multiple of `grain`; the last may have fewer.
    pub rows: usize,
    /// The chunks of the batch.
    pub chunks: usize,
    /// How their gradients are brought together.
    pub sum: Sum,
    /// The threads that have enough to do, at most those allowed.
    pub threads: usize,
}

impl Plan {
    /// The plan for `inputs` of `network` on at most `threads` threads.
    pub fn of<T: Real>(network: &Network, inputs: &Inputs<'_, T>, threads: usize) -> Self {
        let enough = THREAD_WORK * multiplied_at_once::<T>();
        let busy = inputs.work(network) / enough;
        Self::new(network, inputs.len(), threads.min(busy).max(1))
    }

    /// The plan for `n` examples of `network` on `threads` threads.
    fn new(network: &Network, n: usize, threads: usize) -> Self {
        // Powers of two, so that the one divides the other.
        let fit = 1 << (MAX_ACTIVATIONS / network.widest()).max(1).ilog2();
        let grain = GRAIN.min(fit);
        let large = network.n_params() > LARGE;
        let most = fit.min(match (large, network.widest() >= WIDE) {
            (false, _) => MAX_ROWS,
            (true, false) => LARGE_MAX_ROWS.0,
            (true, true) => LARGE_MAX_ROWS.1,
        });
        let runs = !large && n > SMALL_BATCH;
        let block = BLOCK_ACTIVATIONS / network.n_neurons();
        let block = 1 << block.clamp(BLOCK_ROWS.0, BLOCK_ROWS.1).ilog2();
        let rows = if runs {
            most
        } else if n > block {
            // A divisor of the block.
            (1 << (block / threads).max(1).ilog2()).clamp(grain, most)
        } else {
            let chunks = n.div_ceil(most).next_multiple_of(threads);
            n.div_ceil(chunks).next_multiple_of(grain)
        };
        let chunks = n.div_ceil(rows);
        let sum = if runs {
            Sum::Runs {
                chunks_per_run: (chunks / SHORT_RUNS).clamp(1, LONGEST_RUN),
            }
        } else {
            Sum::Blocks {
                chunks_per_block: block.div_ceil(rows),
            }
        };
        Self {
            n,
            grain,
            rows,
            chunks,
            sum,
            threads,
        }
    }

    /// The examples of a chunk.
    pub fn rows_of(&self, chunk: usize) -> Range<usize> {
        self.rows_in(&(chunk..chunk + 1))
    }

    /// The examples of some chunks.
    pub fn rows_in(&self, chunks: &Range<usize>) -> Range<usize> {
        chunks.start * self.rows..self.n.min(chunks.end * self.rows)
    }

    /// The grains of the batch.
    pub fn grains(&self) -> usize {
        self.n.div_ceil(self.grain)
    }

    /// The grains of a chunk.
    pub fn grains_per_chunk(&self) -> usize {
        self.rows / self.grain
    }

    /// The chunks of the part `index` of the batch, a run or a block, with `length` chunks a part.
    pub fn chunks_of(&self, index: usize, length: usize) -> Range<usize> {
        index * length..self.chunks.min((index + 1) * length)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::activation::Activation;
    use crate::cost::Cost;
    use crate::interrupt::ELEMENT_WORK;
    use crate::sparse::Positions;

    #[test]
    fn every_example_is_in_one_chunk_and_every_chunk_in_one_part() {
        let network = |sizes: &[usize]| {
            Network::new(sizes, &[], Activation::Sigmoid, Cost::Quadratic).expect("a network")
        };
        for (network, most) in [
            (network(&[1, 1]), 128),
            (network(&[784, 100]), 128),
            (network(&[1000, 1000]), 512),
            (network(&[1024, 1024]), 1024),
            (network(&[1, 10_000_000]), 1),
        ] {
            assert_eq!(Plan::new(&network, 100_003, 1).rows, most);
            for (n, threads) in [1, 2, 15, 16, 17, 127, 129, 300, 1000, 4096, 100_003]
                .into_iter()
                .flat_map(|n| [1, 2, 3, 8, 1000].map(|threads| (n, threads)))
            {
                let plan = Plan::new(&network, n, threads);
                let (parts, length) = match plan.sum {
                    Sum::Runs { chunks_per_run } => {
                        let runs = plan.chunks.div_ceil(chunks_per_run);
                        assert!(runs >= plan.chunks.min(SHORT_RUNS), "{plan:?}");
                        (runs, chunks_per_run)
                    }
                    Sum::Blocks { chunks_per_block } => {
                        (plan.chunks.div_ceil(chunks_per_block), chunks_per_block)
                    }
                };
                let chunks: Vec<usize> = (0..parts)
                    .flat_map(|part| plan.chunks_of(part, length))
                    .collect();
                assert!(chunks.iter().copied().eq(0..plan.chunks), "{plan:?}");
                let rows = chunks.into_iter().flat_map(|chunk| plan.rows_of(chunk));
                assert!(rows.eq(0..n), "{plan:?}");
                assert!(plan.rows <= most, "{plan:?}");
                assert_eq!(plan.rows % plan.grain, 0, "{plan:?}");
                // Where bits are decided: the same for every number of threads.
                let alone = Plan::new(&network, n, 1);
                assert_eq!(plan.grain, alone.grain);
                let of_sum = |plan: Plan| match plan.sum {
                    Sum::Runs { .. } => (true, plan.rows * length),
                    Sum::Blocks { chunks_per_block } => {
                        (false, (chunks_per_block * plan.rows).min(n))
                    }
                };
                assert_eq!(of_sum(plan), of_sum(alone), "{plan:?} {alone:?}");
            }
        }
    }

    #[test]
    fn a_thread_more_has_work_enough() {
        let network = Network::new(&[100, 10], &[], Activation::Sigmoid, Cost::Quadratic);
        let network = network.expect("a network");
        let threads = |n: usize| {
            let x = Array2::<f64>::zeros((n, 100));
            let inputs = Inputs::new(&network, x.view()).expect("good inputs");
            Plan::of(&network, &inputs, 8).threads
        };
        let of_one = 100 * 10 + 10 * ELEMENT_WORK;
        let enough = (THREAD_WORK * multiplied_at_once::<f64>()).div_ceil(of_one);
        assert_eq!(threads(2 * enough - 2), 1);
        assert_eq!(threads(2 * enough), 2);
        assert_eq!(threads(20 * enough), 8);
    }

    #[test]
    fn what_is_not_stored_is_no_work() {
        let network = Network::new(&[10_000, 1], &[], Activation::Sigmoid, Cost::Quadratic);
        let network = network.expect("a network");
        let positions = Positions::new((1000, 10_000), &[0_i32; 1001], &[]).expect("a matrix");
        let x = positions.with::<f64>(&[]).expect("no values");
        let inputs = Inputs::sparse(&network, x).expect("good inputs");
        assert_eq!(inputs.work(&network), 1000 * ELEMENT_WORK);
        let x = Array2::<f64>::zeros((1000, 10_000));
        let inputs = Inputs::new(&network, x.view()).expect("good inputs");
        assert_eq!(inputs.work(&network), 1000 * (10_000 + ELEMENT_WORK));
    }
}
