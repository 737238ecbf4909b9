//! The tuned constants of the kernels and the engine: their meaning, their unit, and the benchmark that set them.
//! Those of waiting threads are in `pool::spin`, those of polling in `base::cancel`.
//!
//! They were measured with `benches/kernels/products.rs` and `benches/compare.py`, whose cases are quoted here, on
//! CPUs with AVX-512 and with AVX2. A name with WORK is a number of multiply-adds.
//!
//! None of them changes the bits of a product. Those of `plan` change the bits of sums, those of `fused_step`
//! the bits of trained parameters, and those of `measured_step`, `squares` and `max_norm` the bits of norms:
//! these are fixed.

/// Dense products.
pub mod gemm {
    /// The most rows of a tile at any level. MR and NR of a level follow from its registers
    /// (`Vector::ACCUMULATORS`, `gemm::tiles::sizes`).
    pub const MAX_MR: usize = 14;
    /// The most registers across a tile at any level.
    pub const MAX_NR: usize = 4;
    /// The most bytes across a tile, with the longest registers: the width of a packed micropanel of B.
    pub const NR_BYTES: usize = MAX_NR * 64;
    /// KC where B is read in place, in terms of a sum: a tile then takes a few milliseconds at most.
    pub const KC_IN_PLACE: usize = 1 << 14;
    /// KC where B is packed, for small and for large matrices, in terms: a micropanel of B fits the L2
    /// cache, and its pages the TLB. With tiles that are no wider than a cache line, the first one, or fewer
    /// if a micropanel of B would exceed the L1 cache: on a Zen 3, the products of "wide" took 2 to 5 % longer
    /// with half of it.
    pub const KC: (usize, usize) = (512, 1024);
    /// The longest k of a product whose finished sums are added to C, which is never split into blocks.
    pub const ONE_BLOCK: usize = KC.0;
    /// MC and KC where A is packed, for tiles wider than a cache line. KC is more than fits the L2 cache: A
    /// is read sequentially, and C, which is not, is then accessed half as often as with 512. With MC 256,
    /// for which B is packed more often, "wide-f8" took 1 % longer. Narrower tiles read A more often: MC
    /// follows from the L2 cache. MC holds half of 1024 rows in whole tiles.
    pub const MC_KC_PACKED_A: (usize, usize) = (522, 1024);
    /// The row stride in bytes from which on rows compete for few sets of the L1 cache. With AVX2 on a Zen 3, 64
    /// rows by weights of 1024 by 1024 and 784 by 2048 took 10 % less time where a B with such rows was packed
    /// some micropanels at a time; with rows that are 2 KiB apart this made no difference.
    pub const ALIASING_STRIDE: usize = 4096;
    /// The tiles from which on packing B pays off where each would read it from outside the L2 cache, and
    /// where from outside the L1 cache. With AVX-512 on an Emerald Rapids, which has 2 MiB of L2, the forward
    /// product of "wide" rose from 40 to 87 % of the FMA peak, that of "mlp512" from 71 to 79 %; the gradients of
    /// "mlp512" rose by 3 % for the L1 cache. On a Zen 5, whose L2 cache answers faster, the latter did not pay off
    /// with a few tiles.
    pub const PACK_B_TILES: (usize, usize) = (3, 14);
    /// The same for tiles that are no wider than a cache line, which read B more often. With AVX2 on a
    /// Zen 5, the first product of "mlp512" in chunks of 64 rows rose from 80 to 95 % of the FMA peak.
    pub const PACK_B_TILES_OF_A_LINE: (usize, usize) = (2, 4);
    /// The columns of C from which on packing A pays off: each micropanel of B reads A once.
    pub const PACK_A_COLUMNS: usize = 128;
    /// The weights of a large matrix, whose products get a larger pack buffer: C is then accessed once per
    /// block, and a packed micropanel of B serves every row of a block, which saves 3 % of "wide".
    pub const LARGE: usize = 1 << 18;
    /// The bytes of B from which on the product of a single row is streamed from memory (`gemv`).
    pub const GEMV_BYTES: usize = 1 << 19;
    /// The most registers of sums of a single row: with two more, of a factor and of B, they fit the 16 of AVX2.
    pub const MAX_ONE_ROW_REGISTERS: usize = 12;
    /// The most elements of B that are transposed together for a single row: they stay in the L2 cache. With 12
    /// registers of rows of 1024, a gradient of one example of "wide" took 12 % longer.
    pub const ONE_ROW_TRANSPOSED: usize = 1 << 14;
    /// The rows of B that `gemv` reads concurrently: more would compete for the same cache sets where the
    /// stride is a power of two.
    pub const STREAMS: usize = 4;
    /// The tiles whose rows of A are packed together, so that a cache line is read once for all of them.
    pub const TILES_TOGETHER: usize = 4;
    /// The terms that a microkernel adds in each pass of its loop, so that few of its instructions are those of
    /// the loop. A processor starts a limited number per cycle, and half of it if another thread runs on the same
    /// core: a pass of one term had 25 to 28 instructions for 12 multiply-adds, of four it has 87 to 96 for
    /// 48. On such a core of a Zen 3, "wide" and "mlp512" took 15 % less time.
    pub const TERMS_PER_PASS: usize = 4;
    /// The terms between the row of B that a packing microkernel loads and the one that it prefetches. The hardware
    /// prefetcher does not follow rows that are far apart: on a busy Zen 3, the forward pass of "mlp512" took 10
    /// to 14 % less time with 12 to 32, of "mlp512-64" 15 to 22 %.
    pub const PREFETCHED_TERMS: usize = 20;
    /// The lanes of the longest registers.
    pub const MAX_LANES: usize = 16;
    /// The elements of a block of a transposed weight gradient: it stays in the L1 cache.
    pub const TRANSPOSED: usize = 1 << 12;
    /// The time to transpose an element, in multiply-adds of a register.
    pub const TRANSPOSED_COPY: usize = 3;
    /// The multiply-adds of tiles between two polls of the cancellation token: some microseconds.
    pub const UNPOLLED: usize = 1 << 18;
}

/// Products with a CSR x.
pub mod spmm {
    /// The most registers across a tile that hold accumulators.
    pub const MAX_REGISTERS: usize = 4;
    /// The most columns computed together: rows of weights that several examples use then stay in the
    /// cache.
    pub const MAX_COLUMNS: usize = 128;
    /// Columns are split at multiples of this, which fill registers of any width.
    pub const COLUMN_MULTIPLE: usize = 16;
    /// The work between two polls of the cancellation token: some microseconds.
    pub const MAX_UNPOLLED_WORK: usize = 1 << 18;
    /// The reciprocal of the share of the L3 cache from which on a weight gradient bypasses the caches, since
    /// the next call finds little of it there. On a Zen 3 with 32 MiB of L3, such stores wrote 26 MB at 40 GB/s,
    /// others at 15 to 19: a gradient of 512 examples of 40 stored elements and 64 neurons took 0.65 of the time
    /// for 17 to 26 MB, and 1.5 times as long for 4 and 5 MB; with a step of SGD behind it 0.75 and 1.4. On an
    /// Emerald Rapids with 260 MiB it took 0.6 of the time for 256 MB, 0.9 to 1.5 for 102 MB and 1.4 for 26 MB.
    pub const NON_TEMPORAL_SHARE_OF_L3: usize = 2;
    /// The bytes of the part of such a gradient that a task computes, for which sorting pays off.
    pub const NON_TEMPORAL_SLICE_BYTES: usize = 1 << 20;
    /// The reciprocal of the memory that sorting may take, relative to such a gradient.
    pub const NON_TEMPORAL_ELEMENTS: usize = 4;
    /// The bytes of the rows of such a gradient that are computed together: with a δ of each, they fit the L1
    /// cache. Copies from a buffer of 8 KiB took 0.65 ms for 26 MB, of 16 KiB 0.71, of 128 KiB 0.95.
    pub const NON_TEMPORAL_BLOCK_BYTES: usize = 8 << 10;
}

/// Moments of the gradients of examples.
pub mod moments {
    /// The neurons of a layer whose δ of some examples is copied to float64 at a time: this copy and that of
    /// the inputs fit the L2 cache.
    pub const MAX_OUTPUTS: usize = 128;
    /// The inputs of a layer whose activations are copied at a time.
    pub const MAX_INPUTS: usize = 64;
}

/// Functions of the elements of a slice.
pub mod elementwise {
    /// The registers whose function is computed at once, each operation in all of them before the next. With
    /// AVX2 on a Zen 3, tanh of float32 took 0.43 ns with 1, 0.42 with 2 and 0.39 with 4, of float64 1.43,
    /// 1.32 and 1.24 (`benches/kernels/activations.rs`).
    pub const REGISTERS_AT_ONCE: usize = 4;
}

/// softmax over a layer.
pub mod softmax {
    /// The rows that are summed concurrently, to hide the latency of additions.
    pub const TOGETHER: usize = 4;
    /// The elements of the short rows that are processed together.
    pub const GROUP: usize = 256;
    /// The width of short rows, unless they fill their registers: the largest z and the sum of each row
    /// are expanded to its width, so that registers run across rows. A partial register is slow to store
    /// next to another: with AVX-512, rows of 17 float32 take 9.7 cycles per element with partial
    /// registers, and 3.6 this way. At 64 both take the same.
    pub const SHORT_ROW: usize = 64;
}

/// The memory order of a layer's matrices.
pub mod layout {
    /// The elements transposed in the time of a register's multiply-add, measured on products of 50 by 50
    /// layers with and without such a copy.
    pub const COPIED: usize = 2;
    /// The reciprocal of the share of the cost that another layout must save to pay for its overhead.
    pub const WORTHWHILE: usize = 16;
}

/// Large allocations.
pub mod memory {
    /// The bytes from which on an allocation asks for huge pages, as NumPy's do. On Zen 3 the product of one
    /// row with three matrices of 4 MiB in the L3 cache took 7 % less time.
    pub const HUGE_PAGES_BYTES: usize = 4 << 20;
}

/// How a batch is divided.
pub mod plan {
    /// The rows that `bp4` adds up before their sum enters the pairwise sum.
    pub const ROWS_PER_BP4_SUM: usize = 512;
    /// The work of a forward pass, per multiplier lane of the machine, below which another thread does not
    /// pay off: some 10 µs.
    pub const MIN_THREAD_WORK_PER_LANE: usize = 1 << 15;
    /// The bytes of weights, per thread, from which on reading them takes as long. This decides for few
    /// examples, whose work is less: one example of "mlp512" reads 2.7 MB of weights.
    pub const MIN_THREAD_WEIGHT_BYTES: usize = 1 << 20;
    /// The examples of a cost group, whose costs are added first; a power of two. Every chunk but the last
    /// is a multiple of it.
    pub const COST_GROUP_EXAMPLES: usize = 16;
    /// The most rows of a chunk, so that its activations stay in the L2 cache.
    pub const MAX_CHUNK_ROWS: usize = 128;
    /// The same with directional derivatives of every layer: of 16 to 128 rows the best in
    /// `benches/inside_taylor.py`, by 2 to 7 %.
    pub const MAX_CHUNK_ROWS_OF_DERIVATIVES: usize = 64;
    /// The most activations of a layer per chunk: very wide layers get fewer rows.
    pub const MAX_LAYER_ACTIVATIONS: usize = 1 << 21;
    /// The most chunks of a group: gradients within a group are added in registers, and only those of
    /// groups in memory.
    pub const MAX_GROUP_CHUNKS: usize = 4;
    /// The number of groups from which on they get more chunks: enough for the threads of most machines.
    pub const TARGET_GROUPS: usize = 32;
    /// The parameters from which on a gradient no longer fits the cache: adding one costs as much as
    /// computing some rows.
    pub const LARGE_NETWORK_PARAMS: usize = 1 << 17;
    /// The neurons of a wide layer.
    pub const WIDE_LAYER_NEURONS: usize = 1024;
    /// The most rows of a chunk of a large network, each of which reads all weights from memory.
    pub const MAX_CHUNK_ROWS_LARGE: usize = 512;
    /// The same if a layer is wide: its activations exceed the L2 cache even with 512 rows.
    pub const MAX_CHUNK_ROWS_LARGE_AND_WIDE: usize = 1024;
    /// The most examples of a small network that are computed in blocks instead of groups.
    pub const MAX_EXAMPLES_IN_BLOCKS: usize = 512;
    /// The most activations of a block.
    pub const MAX_BLOCK_ACTIVATIONS: usize = 1 << 22;
    /// The fewest rows of a block, a power of two.
    pub const MIN_BLOCK_ROWS: usize = 128;
    /// The most rows of a block, a power of two.
    pub const MAX_BLOCK_ROWS: usize = 4096;
}

/// How the gradient of a block is divided into slices.
pub mod slices {
    /// The least work of a slice: some microseconds.
    pub const MIN_SLICE_WORK: usize = 1 << 17;
    /// The slices per thread, so that all threads finish at about the same time.
    pub const SLICES_PER_THREAD: usize = 3;
    /// The slices of the first layer per thread where x is CSR: each of them scans all stored elements.
    pub const SPARSE_SLICES_PER_THREAD: usize = 2;
    /// The fewest neurons of a slice, if every thread gets a slice: rows enough for the tiles.
    pub const MIN_SLICE_NEURONS: usize = 36;
}

/// A step that changes the parameters slice by slice.
pub mod fused_step {
    /// The work of BP4 or of an optimizer's step up to which both run without a poll of the cancellation
    /// token: some 10 ms with SIMD.
    pub const MAX_UNPOLLED_WORK: usize = 1 << 28;
    /// The average number of terms per weight up to which each term is added to the weight itself, and
    /// rounded there; with more, a sum of the terms alone loses less.
    pub const MAX_TERMS_PER_WEIGHT: usize = 16;
    /// The most elements of a slice: gradient, parameters and state then fit the L2 cache.
    pub const MAX_SLICE_ELEMENTS: usize = 1 << 15;
}

/// A step that measures its gradient and its update.
pub mod measured_step {
    /// The elements of a slice or piece whose squares are added first, so that it is in the L1 cache when it
    /// is measured. It determines the bits of norms, and none of the parameters.
    pub const SLICE_ELEMENTS: usize = 1 << 13;
    /// The same for the weights that multiply a CSR x: each slice scans all stored elements.
    pub const SPARSE_SLICE_ELEMENTS: usize = 1 << 15;
    /// The fewest pieces of a whole vector per thread: some microseconds.
    pub const MIN_PIECES_PER_THREAD: usize = 16;
}

/// The forward pass of a small batch.
pub mod small_batch {
    /// The fewest weights that a thread reads: some microseconds.
    pub const MIN_THREAD_WEIGHTS: usize = 1 << 16;
    /// A thread computes a multiple of this many neurons, which fill registers.
    pub const NEURON_MULTIPLE: usize = 64;
    /// The rows of a thread up to which the neurons are divided instead: each thread then packs a part of the
    /// weights for all rows. On two CPUs of a Zen 3, "mlp512-64" took 5 % less time, and with 48 rows, which two
    /// threads do not divide evenly, 25 %.
    pub const MAX_ROWS_PER_THREAD: usize = 32;
    /// The reciprocal of the share of its work that the busiest thread may have more then, in layers that are too
    /// narrow to be divided.
    pub const MAX_IMBALANCE: usize = 16;
}

/// An optimizer's step.
pub mod optimizer {
    /// The cost of updating one parameter, in multiply-adds: 0.1 ns (SGD) to 0.35 ns (Adam, float32) with
    /// AVX-512, where a network's products do about 13 multiply-adds per nanosecond; rounded up for memory
    /// outside the caches.
    pub const WORK_PER_PARAM: usize = 8;
    /// The fewest parameters per thread: 7 µs of SGD or 22 µs of Adam as above, where a worker takes some
    /// 5 µs to start.
    pub const MIN_THREAD_PARAMS: usize = 1 << 16;
    /// The parameters that a thread takes at a time: half of the former, so that a worker that starts late
    /// leaves little work. A shorter vector is not divided.
    pub const PIECE_PARAMS: usize = 1 << 15;
}

/// Gathering the examples of a mini-batch.
pub mod gather {
    /// The bytes of a mini-batch from which on all threads gather it: some 10 µs.
    pub const MIN_SHARED_BYTES: usize = 1 << 17;
    /// The bytes of an example from which on it is read in place: copying a shorter one costs little.
    pub const MIN_IN_PLACE_BYTES: usize = 1 << 9;
    /// The rows that a thread copies at a time.
    pub const PIECE_ROWS: usize = 8;
    /// The most bytes of dense rows that are prefetched: those of small steps, which wait for memory the
    /// longest.
    pub const MAX_PREFETCHED_BYTES: usize = 1 << 17;
    /// The prefetches per step: the processor has few line fill buffers.
    pub const PREFETCHES_PER_STEP: usize = 3;
}

/// Parameters in rows padded to whole cache lines.
pub mod padded {
    /// The fewest uses of weights per element copied, so that the copies are negligible.
    pub const MIN_USES_PER_COPY: usize = 8;
    /// The most elements copied: larger networks wait for memory anyway.
    pub const MAX_COPIED_ELEMENTS: usize = 1 << 20;
}

/// Taylor mode.
pub mod taylor {
    /// The elements whose σ', σ'' and σ''' are computed at a time, so that they stay in the L1 cache. Set with
    /// `benches/inside_taylor.py`.
    pub const BLOCK_ELEMENTS: usize = 256;
}

/// Sums of squares, set with the calls "norms" and "clipped" of `benches/inside.py`, case "small". All but
/// [`MAX_ROWS_PER_CALL`](squares::MAX_ROWS_PER_CALL) and [`MAX_SCALED_ROWS`](squares::MAX_SCALED_ROWS)
/// determine the bits of norms.
pub mod squares {
    /// The partial sums of a vector, one in each lane of some registers: enough to hide the latency of
    /// additions.
    pub const PARTIAL_SUMS: usize = 64;
    /// The elements of a vector whose squares are added in their own type, before the sum continues in
    /// float64: 32 terms per partial sum.
    pub const BLOCK_ELEMENTS: usize = 32 * PARTIAL_SUMS;
    /// The partial sums of a row, which may be short: a register of float32 at most.
    pub const ROW_PARTIAL_SUMS: usize = 16;
    /// The elements of a row whose squares are added in their own type.
    pub const ROW_BLOCK_ELEMENTS: usize = 64 * ROW_PARTIAL_SUMS;
    /// The most rows that are summed by one call, a multiple of the lanes of every register. With 16 in place of
    /// 32, "clipped" took 1 % longer.
    pub const MAX_ROWS_PER_CALL: usize = 32;
    /// The most rows whose errors are scaled by one call. With 32, "clipped" of three layers of 50 neurons took 2 %
    /// longer: their columns are short then.
    pub const MAX_SCALED_ROWS: usize = 4 * MAX_ROWS_PER_CALL;
}

/// The limit on the norm of a neuron's weights.
pub mod max_norm {
    /// The incoming weights of a neuron whose squares are added first.
    pub const BLOCK_WEIGHTS: usize = 1 << 7;
}

/// Several networks in one call.
pub mod many {
    /// The work of a series of steps between two polls of the cancellation token: a millisecond or so.
    pub const MAX_SERIES_WORK: usize = 1 << 24;
    /// The most work of the forward pass of a step for each network, empty lanes included, up to which
    /// networks do their steps together: 1.1 to 3 times as fast with AVX2 and AVX-512
    /// (`python -m benches.many`).
    pub const MAX_LANE_WORK: usize = 1 << 14;
}
