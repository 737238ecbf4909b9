//! Which blocks are packed, and how large they are.

use crate::base::cache_line;
use crate::kernels::caches::{Cache, Caches, forced};
use crate::kernels::gemm::blocking::{Blocking, PackA, PackB, pack_buffer, packed_blocks, padded};
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::tiles::microkernels;
use crate::kernels::simd::level::Level;
use crate::kernels::tuning::gemm::LARGE;

/// L1: 32 KiB, L2: 512 KiB, L3: 32 MiB, as in a Zen 3.
const ZEN3: Caches = Caches {
    l1: Cache { sets: 64, ways: 8 },
    l2: Cache {
        sets: 1024,
        ways: 8,
    },
    l3: Cache {
        sets: 1 << 15,
        ways: 16,
    },
};

/// L1: 48 KiB, L2: 2 MiB, L3: 260 MiB, as in an Emerald Rapids.
#[cfg(target_arch = "x86_64")]
const EMERALD_RAPIDS: Caches = Caches {
    l1: Cache { sets: 64, ways: 12 },
    l2: Cache {
        sets: 2048,
        ways: 16,
    },
    l3: Cache {
        sets: 212_992,
        ways: 20,
    },
};

/// Of z = a W with `rows` examples: the blocks of a level whose tiles fit a cache line.
fn forward(rows: usize, n_in: usize, n_out: usize) -> Blocking {
    let (a, w) = (vec![0.0_f64; rows * n_in], vec![0.0; n_in * n_out]);
    let (a, w) = (
        Matrix::by_rows(&a, rows, n_in),
        Matrix::by_rows(&w, n_in, n_out),
    );
    let buffer = pack_buffer::<f64>((n_in, n_out), rows);
    let kernels = microkernels(Level::Baseline);
    forced::with(ZEN3, || Blocking::of(kernels, &a, &w, buffer, false))
}

#[test]
fn b_is_packed_if_its_rows_leave_a_cache_between_two_tiles() {
    let mr = microkernels::<f64>(Level::Baseline).mr;
    // 784 rows that are 4 KiB apart compete for 16 sets of the L2 cache.
    let packs = |rows, n_in, n_out| forward(rows, n_in, n_out).pack_b != PackB::InPlace;
    assert!(packs(2 * mr, 784, 512));
    assert!(!packs(2 * mr - 1, 784, 512));
    // 64 rows that are 512 bytes apart compete for eight sets of the L1 cache, and stay in the L2 cache.
    assert!(packs(4 * mr, 64, 64));
    assert!(!packs(4 * mr - 1, 64, 64));
    assert!(!packs(4 * mr, 32, 64));
}

#[test]
fn a_block_of_a_fits_half_of_the_l2_cache() {
    let block = forward(512, 1024, 1024);
    assert_eq!(block.pack_a, PackA::CopyRows);
    let bytes = block.mc * padded::<f64>(block.kc) * size_of::<f64>();
    assert!(
        (ZEN3.l2.bytes() / 4..=ZEN3.l2.bytes() / 2).contains(&bytes),
        "{bytes}"
    );
    assert_eq!(block.mc % microkernels::<f64>(Level::Baseline).mr, 0);
    // A small A is read in place, whole.
    let block = forward(64, 512, 512);
    assert_eq!((block.pack_a, block.mc), (PackA::InPlace, 64));
}

#[test]
fn several_blocks_of_a_share_a_packed_block_of_b() {
    let block = forward(512, 1024, 4096);
    assert!(block.mc < 512);
    assert_eq!(block.pack_b, PackB::Block);
    assert_eq!(block.buffer_of_b, block.kc * block.nc);
    let buffer = packed_blocks::<f64>(LARGE) - cache_line::numbers::<f64>();
    let both = block.buffer_of_b + block.mc * padded::<f64>(block.kc);
    assert!((buffer / 2..=buffer).contains(&both), "{both} of {buffer}");
    // One block of A packs each micropanel of B as it comes to it,
    assert_eq!(forward(64, 784, 511).pack_b, PackB::Micropanel);
    // or some together in the L2 cache, if their rows alias.
    let block = forward(64, 784, 512);
    assert_eq!((block.pack_b, block.mc), (PackB::Block, 64));
    let bytes = block.buffer_of_b * size_of::<f64>();
    assert!(
        (ZEN3.l2.bytes() / 8..=ZEN3.l2.bytes() / 4).contains(&bytes),
        "{bytes}"
    );
}
#[cfg(target_arch = "x86_64")]
#[test]
fn b_is_packed_for_wide_tiles_if_it_takes_more_than_half_of_a_cache() {
    let kernels = microkernels::<f32>(Level::Avx512);
    let packs = |rows, n_in, n_out| {
        let (a, w) = (vec![0.0; rows * n_in], vec![0.0; n_in * n_out]);
        let (a, w) = (
            Matrix::by_rows(&a, rows, n_in),
            Matrix::by_rows(&w, n_in, n_out),
        );
        let buffer = pack_buffer::<f32>((n_in, n_out), rows);
        let block = forced::with(EMERALD_RAPIDS, || {
            Blocking::of(kernels, &a, &w, buffer, false)
        });
        block.pack_b != PackB::InPlace
    };
    // Rows that are 4 KiB apart compete for 512 cache lines of L2.
    assert!(packs(3 * kernels.mr, 257, 1024));
    assert!(!packs(3 * kernels.mr, 256, 1024));
    assert!(!packs(3 * kernels.mr - 1, 1024, 1024));
    // Those that are 1 KiB apart compete for 48 of L1.
    assert!(packs(14 * kernels.mr, 64, 256));
    assert!(!packs(14 * kernels.mr - 1, 64, 256));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_block_of_a_transposed_a_in_place_fits_half_of_the_l2_cache() {
    let (examples, n_in) = (512, 1000);
    let a = vec![0.0_f32; examples * n_in];
    let a = Matrix::by_rows(&a, examples, n_in);
    let block = forced::with(EMERALD_RAPIDS, || {
        let kernels = microkernels::<f32>(Level::Avx512);
        let buffer = pack_buffer::<f32>((n_in, n_in), examples);
        Blocking::of(kernels, &a.transposed(), &a, buffer, false)
    });
    assert_eq!(block.pack_a, PackA::InPlace);
    let bytes = block.mc * block.kc * size_of::<f32>();
    let half = EMERALD_RAPIDS.l2.bytes() / 2;
    assert!((half / 2..=half).contains(&bytes), "{bytes}");
}
