//! How a batch is cut: into chunks, and these into lanes of neighbours.
//!
//! The cuts follow from the shape of network and batch alone, never from the number of threads:
//! this is why a sum over the batch has the same bits at any number of threads.

use std::ops::Range;

use crate::network::Network;

/// The multiply-adds of a forward pass below which a chunk is not worth being one.
const CHUNK_WORK: usize = 1 << 18;
/// The multiply-adds of a forward pass below which a thread is not worth waking: some 30 µs.
const THREAD_WORK: usize = 1 << 19;
/// The fewest rows of a chunk that still amortise packing the weights.
const MIN_ROWS: usize = 16;
/// The most rows of a chunk: its activations stay in the second-level cache.
pub const MAX_ROWS: usize = 128;
/// The most lanes of a large batch: many times the threads of a machine, so that they share evenly.
const MAX_LANES: usize = 64;

/// The most activations of a layer that a chunk has: very wide layers take few rows at a time.
const MAX_ACTIVATIONS: usize = 1 << 21;

/// Parameters from which a gradient no longer stays in the cache: to add one costs as much as to
/// compute some rows, and each lane keeps one. So there are few lanes, of long chunks.
const LARGE: usize = 1 << 18;
/// The fewest and the most rows of a chunk of a large network.
const LARGE_ROWS: (usize, usize) = (64, 512);
/// The most lanes of a large network.
const LARGE_LANES: usize = 4;

/// The most rows that are worth adding up before their sum of `length` numbers is one of a pair.
pub fn rows_for(length: usize) -> usize {
    if length > LARGE {
        LARGE_ROWS.1
    } else {
        MAX_ROWS
    }
}

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
    /// The threads that have enough to do to be worth their wake-up.
    worthwhile: usize,
}

impl Plan {
    /// The plan for `n` examples of `network`.
    pub fn new(network: &Network, n: usize) -> Self {
        let (rows, lanes) = if network.n_params() > LARGE {
            let rows = n.div_ceil(LARGE_LANES).next_power_of_two();
            (rows.clamp(LARGE_ROWS.0, LARGE_ROWS.1), LARGE_LANES)
        } else {
            let worthwhile = CHUNK_WORK.div_ceil(network.n_weights()).next_power_of_two();
            let least = worthwhile.clamp(MIN_ROWS, MAX_ROWS / 2);
            let rows = (n / MAX_LANES).next_power_of_two();
            (rows.clamp(least, MAX_ROWS), MAX_LANES)
        };
        let rows = rows.min(MAX_ACTIVATIONS / network.widest()).max(1);
        let chunks = n.div_ceil(rows);
        let chunks_per_lane = chunks.div_ceil(lanes);
        Self {
            n,
            rows,
            chunks,
            chunks_per_lane,
            lanes: chunks.div_ceil(chunks_per_lane),
            worthwhile: (n.saturating_mul(network.work()) / THREAD_WORK).max(1),
        }
    }

    /// How many of `threads` are worth waking for work that is cut into chunks.
    pub fn threads_for_chunks(&self, threads: usize) -> usize {
        threads.min(self.chunks).min(self.worthwhile)
    }

    /// How many of `threads` are worth waking for work that is cut into lanes.
    pub fn threads_for_lanes(&self, threads: usize) -> usize {
        threads.min(self.lanes).min(self.worthwhile)
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
                let plan = Plan::new(&network, n);
                let chunks: Vec<usize> = (0..plan.lanes)
                    .flat_map(|lane| plan.chunks_of(lane))
                    .collect();
                assert!(chunks.iter().copied().eq(0..plan.chunks), "{plan:?}");
                let rows = chunks.into_iter().flat_map(|chunk| plan.rows_of(chunk));
                assert!(rows.eq(0..n), "{plan:?}");
                assert!(
                    plan.lanes <= MAX_LANES && plan.rows <= LARGE_ROWS.1,
                    "{plan:?}"
                );
                assert!(plan.chunks_per_lane < 1 << plan.depth(), "{plan:?}");
            }
        }
    }
}
