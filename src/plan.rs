//! How a batch is cut: into chunks, and these into lanes of neighbours.
//!
//! The cuts follow from the shape of network and batch alone, never from the number of threads:
//! this is why a sum over the batch has the same bits at any number of threads.

use std::ops::Range;

use crate::network::Network;

/// The multiply-adds of a forward pass below which a chunk is not worth a wake-up of its own.
const CHUNK_WORK: usize = 1 << 18;
/// The fewest rows of a chunk that still amortise packing the weights.
const MIN_ROWS: usize = 16;
/// The most rows of a chunk: its activations stay in the second-level cache.
const MAX_ROWS: usize = 128;
/// Lanes of a large batch: many times the threads of a machine, so that they share evenly.
const MAX_LANES: usize = 64;
/// What the gradients of all lanes together may take, in bytes, beyond eight of them.
const LANE_BYTES: usize = 1 << 26;

/// How a batch is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    n: usize,
    /// The rows of a chunk; the last may have fewer.
    pub rows: usize,
    /// The chunks of the batch.
    pub chunks: usize,
    /// The chunks of a lane; the last may have fewer.
    pub chunks_per_lane: usize,
    /// The lanes of the batch.
    pub lanes: usize,
}

impl Plan {
    /// The plan for `n` examples of `network` in numbers of `bytes` bytes.
    pub fn new(network: &Network, n: usize, bytes: usize) -> Self {
        let worthwhile = CHUNK_WORK.div_ceil(network.n_weights()).next_power_of_two();
        // A chunk's own gradient costs as much to add up as a few rows cost to compute.
        let least = if network.n_params() > CHUNK_WORK {
            64
        } else {
            MIN_ROWS
        };
        let least = worthwhile.clamp(least, MAX_ROWS / 2);
        let rows = (n / MAX_LANES).next_power_of_two().clamp(least, MAX_ROWS);
        let chunks = n.div_ceil(rows);
        let affordable = LANE_BYTES / network.n_params().saturating_mul(bytes).max(1);
        let chunks_per_lane = chunks.div_ceil(affordable.clamp(8, MAX_LANES));
        Self {
            n,
            rows,
            chunks,
            chunks_per_lane,
            lanes: chunks.div_ceil(chunks_per_lane),
        }
    }

    /// How many of `threads` have something to do.
    pub fn useful_threads(&self, threads: usize) -> usize {
        threads.min(self.lanes)
    }

    /// The examples of a chunk.
    pub fn rows_of(&self, chunk: usize) -> Range<usize> {
        chunk * self.rows..self.n.min((chunk + 1) * self.rows)
    }

    /// The chunks of a lane.
    pub fn chunks_of(&self, lane: usize) -> Range<usize> {
        lane * self.chunks_per_lane..self.chunks.min((lane + 1) * self.chunks_per_lane)
    }

    /// How many partial sums wait at once while a lane adds pairwise.
    pub fn depth(&self) -> usize {
        self.chunks_per_lane.ilog2() as usize + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::cost::Cost;

    #[test]
    fn every_example_is_in_one_chunk_and_every_chunk_in_one_lane() {
        let network = |sizes: &[usize]| {
            Network::new(sizes, &[], Activation::Sigmoid, Cost::Quadratic).expect("a network")
        };
        for network in [
            network(&[1, 1]),
            network(&[784, 100]),
            network(&[1000, 1000]),
        ] {
            for n in [1, 2, 15, 16, 17, 127, 128, 129, 1000, 4096, 100_003] {
                let plan = Plan::new(&network, n, 4);
                let chunks: Vec<usize> = (0..plan.lanes)
                    .flat_map(|lane| plan.chunks_of(lane))
                    .collect();
                assert!(chunks.iter().copied().eq(0..plan.chunks), "{plan:?}");
                let rows = chunks.into_iter().flat_map(|chunk| plan.rows_of(chunk));
                assert!(rows.eq(0..n), "{plan:?}");
                assert!(plan.lanes <= MAX_LANES && plan.rows <= MAX_ROWS, "{plan:?}");
                assert!(plan.chunks_per_lane < 1 << plan.depth(), "{plan:?}");
            }
        }
    }
}
