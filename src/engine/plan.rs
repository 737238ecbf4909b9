//! How a batch is divided into chunks, and how their gradients are summed.
//!
//! What affects bits depends only on the shapes of network and batch, never on the number of threads: the
//! cost groups, the chunks of a group and the examples of a block. The rows that a thread takes at a time
//! within a block affect no bit.

use std::ops::Range;

use crate::data::Inputs;
use crate::kernels::gemm::multiplied_at_once;
use crate::kernels::real::Real;
use crate::kernels::tuning::plan::{
    COST_GROUP_EXAMPLES, LARGE_NETWORK_PARAMS, MAX_BLOCK_ACTIVATIONS, MAX_BLOCK_ROWS,
    MAX_CHUNK_ROWS, MAX_CHUNK_ROWS_LARGE, MAX_CHUNK_ROWS_LARGE_AND_WIDE,
    MAX_CHUNK_ROWS_OF_DERIVATIVES, MAX_EXAMPLES_IN_BLOCKS, MAX_GROUP_CHUNKS, MAX_LAYER_ACTIVATIONS,
    MIN_BLOCK_ROWS, MIN_THREAD_WEIGHT_BYTES, MIN_THREAD_WORK_PER_LANE, TARGET_GROUPS,
    WIDE_LAYER_NEURONS,
};
use crate::model::architecture::Architecture;

/// How the gradients of the chunks are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumOrder {
    /// The chunks of a group are added one after the other, and the groups pairwise. For small networks and
    /// large batches.
    Groups {
        /// The chunks of a group; the last may have fewer.
        chunks_per_group: usize,
    },
    /// The gradient is divided into slices, each of which sums all examples of a block in order; blocks are
    /// added with compensation. For large networks or small batches.
    Blocks {
        /// The chunks of a block; the last may have fewer.
        chunks_per_block: usize,
    },
}

impl SumOrder {
    /// Groups of one chunk each.
    pub const SINGLE_CHUNKS: Self = Self::Groups {
        chunks_per_group: 1,
    };
}

/// How a batch is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    n: usize,
    /// The examples of a cost group, whose costs are added first.
    pub cost_group: usize,
    /// The rows of a chunk, a multiple of `cost_group`; the last may have fewer.
    pub rows: usize,
    /// The number of chunks.
    pub chunks: usize,
    /// How their gradients are summed.
    pub sum: SumOrder,
    /// The number of threads worth using, at most those allowed.
    pub threads: usize,
    /// The matrices of the shape of each layer that are computed: more than one with derivatives.
    parts: usize,
}

impl Plan {
    /// The plan for `inputs` of `architecture` on at most `threads` threads.
    pub fn of<T: Real>(
        architecture: &Architecture,
        inputs: &Inputs<'_, T>,
        threads: usize,
    ) -> Self {
        Self::with_derivatives(architecture, inputs, threads, 0)
    }

    /// The same for a call that also computes `derivatives` directional derivatives of every layer.
    pub fn with_derivatives<T: Real>(
        architecture: &Architecture,
        inputs: &Inputs<'_, T>,
        threads: usize,
        derivatives: usize,
    ) -> Self {
        if threads <= 1 {
            // Without the divisions below, which are noticeable in short calls.
            return Self::new(architecture, inputs.len(), 1, derivatives + 1);
        }
        let enough = MIN_THREAD_WORK_PER_LANE * multiplied_at_once::<T>();
        // By one example.
        let weights_read = inputs.products(architecture) / inputs.len() * size_of::<T>();
        let busy = (inputs.work(architecture) / enough).max(weights_read / MIN_THREAD_WEIGHT_BYTES);
        let busy = busy.saturating_mul(derivatives + 1);
        let threads = threads.min(busy).max(1);
        Self::new(architecture, inputs.len(), threads, derivatives + 1)
    }

    /// The same work of `architecture` on fewer threads.
    pub fn on(&self, architecture: &Architecture, threads: usize) -> Self {
        Self::new(architecture, self.n, threads, self.parts)
    }

    /// The plan for `n` examples of `architecture` on one thread.
    pub fn alone(architecture: &Architecture, n: usize) -> Self {
        Self::new(architecture, n, 1, 1)
    }

    /// Whether all chunks are in one block.
    pub fn is_one_block(&self) -> bool {
        let SumOrder::Blocks { chunks_per_block } = self.sum else {
            return false;
        };
        self.chunks <= chunks_per_block
    }

    /// The plan for `n` examples of `architecture` on `threads` threads, which compute `parts` matrices of
    /// the shape of each layer.
    fn new(architecture: &Architecture, n: usize, threads: usize, parts: usize) -> Self {
        let widest = architecture.widest().saturating_mul(parts);
        let n_neurons = architecture.n_neurons().saturating_mul(parts);
        let fit = fitting_rows(widest);
        let cost_group = COST_GROUP_EXAMPLES.min(fit);
        let large = architecture.n_params() > LARGE_NETWORK_PARAMS;
        let most = fit.min(match (large, architecture.widest() >= WIDE_LAYER_NEURONS) {
            (false, _) if parts > 1 => MAX_CHUNK_ROWS_OF_DERIVATIVES,
            (false, _) => MAX_CHUNK_ROWS,
            (true, false) => MAX_CHUNK_ROWS_LARGE,
            (true, true) => MAX_CHUNK_ROWS_LARGE_AND_WIDE,
        });
        let use_groups = !large && n > MAX_EXAMPLES_IN_BLOCKS;
        let block = block_rows(n_neurons);
        let rows = if use_groups {
            most
        } else if n > block {
            // Divides the block evenly.
            (1 << (block / threads).max(1).ilog2()).clamp(cost_group, most)
        } else {
            let chunks = n.div_ceil(most).next_multiple_of(threads);
            n.div_ceil(chunks).next_multiple_of(cost_group)
        };
        let chunks = n.div_ceil(rows);
        let sum = if use_groups {
            SumOrder::Groups {
                chunks_per_group: (chunks / TARGET_GROUPS).clamp(1, MAX_GROUP_CHUNKS),
            }
        } else {
            SumOrder::Blocks {
                chunks_per_block: block.div_ceil(rows),
            }
        };
        Self {
            n,
            cost_group,
            rows,
            chunks,
            sum,
            threads,
            parts,
        }
    }

    /// The chunks of a block, also where gradients are summed in groups.
    pub fn chunks_per_block(&self, architecture: &Architecture) -> usize {
        match self.sum {
            SumOrder::Blocks { chunks_per_block } => chunks_per_block,
            SumOrder::Groups { .. } => block_rows(architecture.n_neurons()).div_ceil(self.rows),
        }
    }

    /// The cost group of every plan for `architecture` without derivatives.
    pub fn cost_group_of(architecture: &Architecture) -> usize {
        COST_GROUP_EXAMPLES.min(fitting_rows(architecture.widest()))
    }

    /// The examples of a chunk.
    pub fn rows_of(&self, chunk: usize) -> Range<usize> {
        self.rows_in(&(chunk..chunk + 1))
    }

    /// The examples of some chunks.
    pub fn rows_in(&self, chunks: &Range<usize>) -> Range<usize> {
        chunks.start * self.rows..self.n.min(chunks.end * self.rows)
    }

    /// The number of cost groups of the batch.
    pub fn cost_groups(&self) -> usize {
        self.n.div_ceil(self.cost_group)
    }

    /// The number of cost groups per chunk.
    pub fn cost_groups_per_chunk(&self) -> usize {
        self.rows / self.cost_group
    }

    /// The chunks of the group or block at `index`, with `length` chunks each.
    pub fn chunks_of(&self, index: usize, length: usize) -> Range<usize> {
        index * length..self.chunks.min((index + 1) * length)
    }
}

/// The most examples of a block, a power of two.
fn block_rows(n_neurons: usize) -> usize {
    1 << (MAX_BLOCK_ACTIVATIONS / n_neurons)
        .clamp(MIN_BLOCK_ROWS, MAX_BLOCK_ROWS)
        .ilog2()
}

/// The most rows of matrices of `widest` columns: a power of two, as cost groups are, so that one divides
/// the other.
fn fitting_rows(widest: usize) -> usize {
    1 << (MAX_LAYER_ACTIVATIONS / widest).max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cancel::ELEMENT_WORK;
    use crate::kernels::csr::CsrPattern;
    use crate::kernels::gemm::Matrix;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[test]
    fn every_example_is_in_one_chunk_and_every_chunk_in_one_sum() {
        let architecture = |sizes: &[usize]| {
            Architecture::new(sizes, &[], Activation::Sigmoid, Cost::Quadratic).expect("a network")
        };
        for (architecture, most) in [
            (architecture(&[1, 1]), 128),
            (architecture(&[784, 100]), 128),
            (architecture(&[1000, 1000]), 512),
            (architecture(&[1024, 1024]), 1024),
            (architecture(&[1, 10_000_000]), 1),
        ] {
            assert_eq!(Plan::new(&architecture, 100_003, 1, 1).rows, most);
            for parts in [2, 5, 101] {
                let plan = Plan::new(&architecture, 100_003, 1, parts);
                assert!(plan.rows <= most, "{plan:?}");
                assert_eq!(plan.rows % plan.cost_group, 0, "{plan:?}");
                assert_eq!(plan.on(&architecture, 1), plan);
            }
            for (n, threads) in [1, 2, 15, 16, 17, 127, 129, 300, 1000, 4096, 100_003]
                .into_iter()
                .flat_map(|n| [1, 2, 3, 8, 1000].map(|threads| (n, threads)))
            {
                let plan = Plan::new(&architecture, n, threads, 1);
                let (sums, length) = match plan.sum {
                    SumOrder::Groups { chunks_per_group } => {
                        let use_groups = plan.chunks.div_ceil(chunks_per_group);
                        assert!(use_groups >= plan.chunks.min(TARGET_GROUPS), "{plan:?}");
                        (use_groups, chunks_per_group)
                    }
                    SumOrder::Blocks { chunks_per_block } => {
                        (plan.chunks.div_ceil(chunks_per_block), chunks_per_block)
                    }
                };
                let chunks: Vec<usize> = (0..sums)
                    .flat_map(|sum| plan.chunks_of(sum, length))
                    .collect();
                assert!(chunks.iter().copied().eq(0..plan.chunks), "{plan:?}");
                let rows = chunks.into_iter().flat_map(|chunk| plan.rows_of(chunk));
                assert!(rows.eq(0..n), "{plan:?}");
                assert!(plan.rows <= most, "{plan:?}");
                assert_eq!(plan.rows % plan.cost_group, 0, "{plan:?}");
                // What affects bits: the same for every number of threads.
                let alone = Plan::new(&architecture, n, 1, 1);
                assert_eq!(plan.cost_group, alone.cost_group);
                let of_sum = |plan: Plan| match plan.sum {
                    SumOrder::Groups { .. } => (true, plan.rows * length),
                    SumOrder::Blocks { chunks_per_block } => {
                        (false, (chunks_per_block * plan.rows).min(n))
                    }
                };
                assert_eq!(of_sum(plan), of_sum(alone), "{plan:?} {alone:?}");
            }
        }
    }

    #[test]
    fn each_additional_thread_has_enough_work() {
        let architecture = Architecture::new(&[100, 10], &[], Activation::Sigmoid, Cost::Quadratic);
        let architecture = architecture.expect("a network");
        let threads = |n: usize| {
            let (x, shape) = (vec![0.0_f64; n * 100], (n, 100));
            let inputs = Inputs::new(&architecture, Matrix::by_rows(&x, shape.0, shape.1))
                .expect("good inputs");
            Plan::of(&architecture, &inputs, 8).threads
        };
        let of_one = 100 * 10 + 10 * ELEMENT_WORK;
        let enough = (MIN_THREAD_WORK_PER_LANE * multiplied_at_once::<f64>()).div_ceil(of_one);
        assert_eq!(threads(2 * enough - 2), 1);
        assert_eq!(threads(2 * enough), 2);
        assert_eq!(threads(20 * enough), 8);
    }

    #[test]
    fn reading_many_weights_is_work_for_several_threads() {
        let threads = |width: usize| {
            let architecture =
                Architecture::new(&[1024, width], &[], Activation::Relu, Cost::Quadratic);
            let x = vec![0.0_f32; 1024];
            let architecture = architecture.expect("a network");
            let inputs = Inputs::new(&architecture, Matrix::by_rows(&x, 1, 1024));
            Plan::of(&architecture, &inputs.expect("good inputs"), 8).threads
        };
        let width = MIN_THREAD_WEIGHT_BYTES / (1024 * size_of::<f32>());
        assert_eq!([width, 2 * width, 3 * width].map(threads), [1, 2, 3]);
    }

    #[test]
    fn only_stored_elements_count_as_work() {
        let architecture =
            Architecture::new(&[10_000, 1], &[], Activation::Sigmoid, Cost::Quadratic);
        let architecture = architecture.expect("a network");
        let pattern = CsrPattern::new((1000, 10_000), &[0_i32; 1001], &[]).expect("a matrix");
        let x = pattern.with_values::<f64>(&[]).expect("no values");
        let inputs = Inputs::sparse(&architecture, x).expect("good inputs");
        assert_eq!(inputs.work(&architecture), 1000 * ELEMENT_WORK);
        let (x, shape) = (vec![0.0_f64; 1000 * 10_000], (1000, 10_000));
        let inputs =
            Inputs::new(&architecture, Matrix::by_rows(&x, shape.0, shape.1)).expect("good inputs");
        assert_eq!(inputs.work(&architecture), 1000 * (10_000 + ELEMENT_WORK));
    }
}
