//! Every tuned number in one place: what it means, its unit, and what set it.
//!
//! They were measured by `benches/kernels.rs` and `benches/compare.py`, whose cases are named in quotation
//! marks, on CPUs with AVX-512 and with AVX2. None of them changes a bit of a product; those of `plan`
//! that say which examples are added first do change the bits of sums, and are fixed.

/// Dense products.
pub mod gemm {
    /// MR, the most rows of a tile.
    pub const MAX_MR: usize = 14;
    /// NR, the most registers across a tile.
    pub const MAX_NR: usize = 4;
    /// The same in bytes, with the longest registers: the width of a packed panel of B.
    pub const NR_BYTES: usize = MAX_NR * 64;
    /// KC where B is read in place, in terms of a sum: a tile takes a few milliseconds at the most.
    pub const KC_IN_PLACE: usize = 1 << 14;
    /// KC where B is packed, and where the matrix is large, in terms: a panel of it fits the second-level
    /// cache, and its pages the processor's table of them.
    pub const KC: (usize, usize) = (512, 1024);
    /// So many terms are always one block: a sum apart of them is rounded to what C holds once.
    pub const ONE_BLOCK: usize = KC.0;
    /// MC and KC where A is packed: more terms than fit the second-level cache, as A comes in its order,
    /// and C, which does not, half as often as with 512. With 256 rows, for which B is packed more often,
    /// "wide-f8" took 1 % longer.
    pub const MC_KC_PACKED_A: (usize, usize) = (512, 1024);
    /// The stride of rows, in bytes, from which on their addresses share few sets of the first-level
    /// cache.
    pub const ALIASING_STRIDE: usize = 4096;
    /// The rows of A from which on it is worth to pack a B with such a stride.
    pub const PACK_B_ROWS: usize = 32;
    /// The columns of C from which on it is worth to pack an A with such a stride.
    pub const PACK_A_COLUMNS: usize = 128;
    /// The weights of a large matrix, whose products get a larger pack buffer: C is read and written once
    /// a block, and a packed panel of B used for every row of a block, which takes 3 % less of "wide".
    pub const LARGE: usize = 1 << 18;
    /// The bytes of B from which on the product of one row streams them from memory.
    pub const GEMV_BYTES: usize = 1 << 19;
    /// The rows of B that such a product reads side by side: the addresses of more would share sets of
    /// the cache where their stride is a power of two.
    pub const STREAMS: usize = 4;
    /// The tiles whose rows of A are packed together: a cache line is read once for all of them.
    pub const TILES_TOGETHER: usize = 4;
    /// The multiply-adds of tiles between two polls of the cancellation token: some microseconds.
    pub const UNPOLLED: usize = 1 << 18;
}

/// Products with a sparse x.
pub mod spmm {
    /// The most columns that are computed together: what examples share of rows of weights stays in the
    /// cache.
    pub const COLUMNS: usize = 128;
    /// Columns are cut at multiples of so many, which fill registers of any width.
    pub const EVEN: usize = 16;
    /// The multiply-adds between two looks at the stop flag: some microseconds.
    pub const UNPOLLED: usize = 1 << 18;
}

/// softmax over a layer.
pub mod softmax {
    /// How many rows are summed side by side: a sum waits for each of its additions.
    pub const TOGETHER: usize = 4;
    /// The numbers of the narrow rows that are taken together.
    pub const GROUP: usize = 256;
    /// Rows that are narrow, unless they fill their registers: the largest z and the sum of each are
    /// spread out beside it, so that registers run across rows. A register that is filled in part is
    /// slow to store beside the next: with AVX-512 rows of 17 float32 took 9.7 cycles a number, and
    /// take 3.6. At 64 both take the same.
    pub const NARROW: usize = 64;
}

/// In which order a layer is computed.
pub mod layout {
    /// The numbers that are copied across in the time of a register's multiply-add: read off the
    /// products of layers of 50 by 50 with and without such a copy.
    pub const COPIED: usize = 2;
    /// The share of the cost that another layout has to save, so that its own small costs do not show.
    pub const WORTHWHILE: usize = 16;
}

/// How a batch is cut.
pub mod plan {
    /// The multiply-adds of a forward pass, for each that the machine does at once, below which a thread
    /// is not worth having: some 10 µs.
    pub const THREAD_WORK: usize = 1 << 15;
    /// The examples whose costs are added first, a power of two. A chunk is a multiple of them, unless it is the last.
    pub const COST_GROUP: usize = 16;
    /// The most rows of a chunk: its activations stay in the second-level cache.
    pub const MAX_ROWS: usize = 128;
    /// The most activations of a layer that a chunk has: very wide layers take few rows at a time.
    pub const MAX_ACTIVATIONS: usize = 1 << 21;
    /// The most chunks of a run: their gradients are added in registers, and only a run's in memory.
    pub const LONGEST_GROUP: usize = 4;
    /// The runs that there are before they become longer: enough for the threads of most machines.
    pub const SHORT_GROUPS: usize = 32;
    /// Parameters from which a gradient no longer stays in the cache: to add one costs as much as to
    /// compute some rows.
    pub const LARGE: usize = 1 << 17;
    /// The most rows of a chunk of a large network, each of which takes all weights from memory; the second
    /// where a layer of [`WIDE`] neurons leaves the second-level cache with the first as well.
    pub const LARGE_MAX_ROWS: (usize, usize) = (512, 1024);
    /// The neurons of a wide layer.
    pub const WIDE: usize = 1024;
    /// The most examples of a small network that make blocks, and no runs.
    pub const SMALL_BATCH: usize = 512;
    /// The most activations of a block.
    pub const BLOCK_ACTIVATIONS: usize = 1 << 22;
    /// The fewest and the most rows of a block, powers of two.
    pub const BLOCK_ROWS: (usize, usize) = (128, 4096);
}

/// How the gradient of a block is cut.
pub mod slices {
    /// The multiply-adds that a part should have at least: some microseconds.
    pub const PART_WORK: usize = 1 << 17;
    /// The parts for each thread, so that they end together.
    pub const PARTS_PER_THREAD: usize = 3;
    /// The parts of the first layer for each thread where x is sparse: each looks at all that is stored.
    pub const SPARSE_PARTS: usize = 2;
    /// The neurons of a part at least, if every thread finds some: rows enough for the tiles.
    pub const PART_NEURONS: usize = 36;
}

/// A step that changes the parameters slice by slice.
pub mod fused_step {
    /// The multiply-adds of BP4, or what an optimizer's step takes as long as, up to which both are done
    /// without an interrupt: some 10 ms with SIMD.
    pub const WHOLE_WORK: usize = 1 << 28;
    /// The terms of a weight, on average, that are rounded to it one by one: a sum apart loses less.
    pub const FEW_TERMS: usize = 16;
    /// The most numbers of a part: gradient, parameters and what is kept fit the second-level cache.
    pub const PART: usize = 1 << 15;
}

/// The forward pass of few examples.
pub mod small_batch {
    /// The weights of a share at least: some microseconds on their way from memory.
    pub const SHARE: usize = 1 << 16;
    /// A share is a multiple of so many neurons, which fill registers.
    pub const NEURONS: usize = 64;
}

/// An optimizer's step.
pub mod optimizer {
    /// The multiply-adds that the step of one parameter takes as long as: 0.1 ns (SGD) to 0.35 ns (Adam,
    /// float32) with AVX-512 where a network's products do about 13 a nanosecond, rounded up for
    /// memory that is not in a cache.
    pub const WORK: usize = 8;
    /// The parameters that each thread has at least: 7 µs of SGD and 22 µs of Adam as above, and it takes
    /// some 5 µs until a helper has begun.
    pub const THREAD_PARAMS: usize = 1 << 16;
    /// The parameters that a thread takes at a time: half of the least share, so that a helper which
    /// comes late leaves little undone; what is shorter is not shared at all.
    pub const PIECE: usize = 1 << 15;
}

/// The examples of a mini-batch.
pub mod gather {
    /// The bytes of a mini-batch from which on all threads bring it together: some 10 µs.
    pub const SHARED: usize = 1 << 17;
    /// The bytes of an example from which on it is read where it lies: a copy of less costs little.
    pub const WIDE: usize = 1 << 9;
    /// The rows that a thread brings at a time.
    pub const PIECE: usize = 8;
    /// The most bytes that are asked for ahead, of rows with every number: those of small steps, which
    /// wait for them the longest.
    pub const AHEAD: usize = 1 << 17;
    /// How often some are asked for: the processor has few places for what is on its way from memory.
    pub const TIMES: usize = 3;
}

/// Parameters in rows of whole cache lines.
pub mod padded {
    /// The weights that are met for each number that is copied, so that the copies do not show.
    pub const MEETINGS: usize = 8;
    /// The most numbers that are copied: larger networks wait for memory in any case.
    pub const MOST: usize = 1 << 20;
}

/// Norms of gradients and weights.
pub mod norms {
    /// The numbers whose squares are added first.
    pub const RUN: usize = 1 << 12;
    /// The weights into a neuron whose squares are added first.
    pub const ROWS: usize = 1 << 7;
}
