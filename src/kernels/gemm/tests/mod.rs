//! Every product at every level has the bits of a plain loop that adds an element's terms serially. Inputs
//! end at a page that cannot be read, outputs at one that cannot be written.

mod bad_row;
mod blocking;
mod column_sums;
mod places;
mod shape;

use places::{Places, levels};
use shape::{APART, C, KINDS, Kind, R};

use crate::base::cancel::CancelToken;
use crate::kernels::caches::{Cache, Caches, forced};
use crate::kernels::gemm::split::parts;
use crate::kernels::gemm::*;
use crate::kernels::simd::level::forced::at;
use crate::kernels::testing::number::Number;
use crate::kernels::tuning::gemm::{
    ALIASING_STRIDE, KC, LARGE, MC_KC_PACKED_A, PACK_A_COLUMNS, UNPOLLED,
};

/// Five of the widest registers, and one lane more.
const fn widths<T>() -> usize {
    5 * 64 / size_of::<T>() + 1
}

fn every_tile<T: Number>() {
    let mut places = Places::<T>::new(64 * (widths::<T>() + 7));
    for kind in KINDS.into_iter().chain(APART) {
        for rows in (1..=15).chain(27..=31) {
            for columns in 1..=widths::<T>() {
                // More than one square of a transpose, and less than two.
                let overlapping = (rows == 2).then_some(13);
                for steps in [1, 5].into_iter().chain(overlapping) {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

fn every_block<T: Number>() {
    let lanes = 64 / size_of::<T>();
    let mut places = Places::<T>::new(1025 * (widths::<T>() + 7));
    for kind in KINDS {
        for rows in [1, 2, 3, 9, 13, 14, 15, 32] {
            for columns in [1, lanes - 1, 2 * lanes + 1, 4 * lanes, 5 * lanes - 1] {
                for steps in [511, 512, 513, 1025] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

/// The caches of a machine that splits and packs what others compute at once.
const TINY: Caches = Caches {
    l1: Cache { sets: 8, ways: 2 },
    l2: Cache { sets: 16, ways: 4 },
    l3: Cache { sets: 64, ways: 8 },
};

/// With tiny caches small products are split into many blocks, and A is copied, packed or, with the pack buffer of a
/// small matrix, read in place.
fn many_blocks<T: Number>() {
    let lanes = 64 / size_of::<T>();
    let (pack_buffer, far) = (
        pack_buffer::<T>((LARGE, 1), 1),
        ALIASING_STRIDE / size_of::<T>(),
    );
    let mut places = Places::<T>::new(131 * (far + 64));
    for kind in KINDS.into_iter().chain(APART) {
        for (rows, columns) in [(13, 2 * lanes + 1), (37, PACK_A_COLUMNS + 5)] {
            for steps in [1, 65, 131] {
                places.check_with(pack_buffer, kind, rows, columns, steps);
                places.check(kind, rows, columns, steps);
            }
        }
    }
    let apart = Kind::Gradients([far, 1], R, R, Accumulate::Sum, true);
    places.check_with(pack_buffer, apart, 37, PACK_A_COLUMNS + 5, 131);
}

/// Rows of B with a large stride are packed, if A has enough rows.
fn far_apart<T: Number>() {
    let far = ALIASING_STRIDE / size_of::<T>();
    let mut places = Places::<T>::new(513 * (far + 12));
    for kind in KINDS.into_iter().chain(APART) {
        // A sum over several blocks of k is added block by block.
        let most = if APART.contains(&kind) { 512 } else { 513 };
        for rows in [11, 13, 37] {
            for columns in [far - 1, far + 5] {
                for steps in [1, 2, most] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

/// With the pack buffer of a large matrix: longer blocks of B, and packed blocks of A, whose columns are
/// gathered where their stride is 4096 bytes or more.
fn with_much_room<T: Number>() {
    let (pack_buffer, far) = (
        pack_buffer::<T>((LARGE, 1), 1),
        ALIASING_STRIDE / size_of::<T>(),
    );
    let (most, (rows, steps)) = (KC.1, MC_KC_PACKED_A);
    let mut places = Places::<T>::new((most + 1) * (far + rows + 12));
    for columns in [PACK_A_COLUMNS - 1, PACK_A_COLUMNS, PACK_A_COLUMNS + 5] {
        for kind in [
            Kind::Gradients([far, 1], R, R, Accumulate::Terms, true),
            Kind::Gradients([1, far], R, R, Accumulate::Overwrite, false),
        ] {
            for rows in [1, 7, 8, 9, 13, 33] {
                for steps in [1, 2, steps + 1] {
                    places.check_with(pack_buffer, kind, rows, columns, steps);
                }
            }
            for rows in [rows, rows + 1] {
                places.check_with(pack_buffer, kind, rows, columns, 2);
            }
        }
        let apart = Kind::Gradients([far, 1], R, R, Accumulate::Sum, false);
        for steps in [1, ONE_BLOCK] {
            places.check_with(pack_buffer, apart, 33, columns, steps);
        }
    }
    for kind in [
        Kind::Forward([0, far], R, R),
        Kind::Errors(R, R),
        Kind::Errors(R, C),
    ] {
        for rows in [31, 32] {
            for steps in [most - 1, most, most + 1] {
                places.check_with(pack_buffer, kind, rows, 5, steps);
            }
        }
    }
    // Column-major factors with a large stride, and results in several blocks of rows.
    for kind in [
        Kind::Forward([0, 3], C, R),
        Kind::Errors(C, R),
        Kind::Forward([1, 0], R, C),
        Kind::Forward([0, 0], C, C),
        Kind::Errors(C, C),
    ] {
        places.check_with(pack_buffer, kind, far, PACK_A_COLUMNS + 5, 9);
        places.check_with(pack_buffer, kind, 33, rows + 1, 3);
    }
    // Rows of both factors with a large stride.
    places.check_with(
        pack_buffer,
        Kind::Gradients([far, 0], R, R, Accumulate::Overwrite, true),
        33,
        far,
        3,
    );
}

/// Few rows of A, and a B of half a megabyte or more that is streamed.
fn from_afar<T: Number>() {
    let far = (1 << 19) / size_of::<T>();
    let mut places = Places::<T>::new(far + 12 * 513);
    for kind in KINDS {
        for rows in 1..=5 {
            for steps in [15, 17, 513] {
                for columns in [far / steps - 1, far.div_ceil(steps), far / steps + 5] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
    // The examples of a single input, gathered: a row of A that is not contiguous.
    for columns in [5, far.div_ceil(513)] {
        let one_input = Kind::Gradients([0, 0], R, R, Accumulate::Terms, false);
        places.check(one_input, 1, columns, 513);
    }
}

/// A single row, with as many columns as several passes over B sum.
fn one_row<T: Number>() {
    let lanes = 64 / size_of::<T>();
    let mut places = Places::<T>::new(9 * (30 * lanes + 9));
    for kind in KINDS.into_iter().chain(APART) {
        for columns in (1..30 * lanes).step_by(3) {
            for steps in [1, 9] {
                // The narrow products of a single column are those of a single row too.
                places.check(kind, 1, columns, steps);
                places.check(kind, columns, 1, steps);
            }
        }
    }
}

/// A single term, whose C is written in several parts.
fn outer<T: Number>() {
    let side = UNPOLLED.isqrt() + 2;
    let mut places = Places::<T>::new(2 * side * (side + 8));
    for kind in KINDS.into_iter().chain(APART) {
        places.check(kind, side, side, 1);
    }
}

#[test]
fn a_single_term_is_stored_in_parts() {
    outer::<f32>();
    outer::<f64>();
}

#[test]
fn one_row_adds_in_order() {
    one_row::<f32>();
    one_row::<f64>();
}

#[test]
fn a_register_is_multiplied_whole_or_in_halves() {
    for level in levels() {
        let (lanes, at_once) = at(level, || (lanes::<f32>(), multiplied_at_once::<f32>()));
        assert!(at_once == lanes || (level == Level::Avx512 && 2 * at_once == lanes));
        assert_eq!(at(level, multiplied_at_once::<f64>), at_once / 2);
    }
}

#[test]
fn every_tile_adds_in_order() {
    every_tile::<f32>();
    every_tile::<f64>();
}

#[test]
fn every_block_adds_in_order() {
    every_block::<f32>();
    every_block::<f64>();
}

#[test]
fn rows_far_apart_add_in_order() {
    far_apart::<f32>();
    far_apart::<f64>();
}

#[test]
fn large_blocks_add_in_order() {
    with_much_room::<f32>();
    with_much_room::<f64>();
}

#[test]
fn many_blocks_add_in_order() {
    forced::with(TINY, || {
        many_blocks::<f32>();
        many_blocks::<f64>();
    });
}

/// A packed block of B has fewer columns than C, and serves several blocks of A.
#[test]
fn blocks_of_columns_add_in_order() {
    let l1 = Cache { sets: 64, ways: 8 };
    forced::with(Caches { l1, ..TINY }, || {
        let pack_buffer = pack_buffer::<f32>((LARGE, 1), 1);
        let (rows, columns, steps) = (13, pack_buffer / KC.0 + 5, KC.0);
        let mut places = Places::<f32>::new(steps * (columns + 12));
        for kind in [KINDS[0], KINDS[4], KINDS[5], KINDS[10], APART[1]] {
            places.check_with(pack_buffer, kind, rows, columns, steps);
        }
    });
}

#[test]
fn numbers_from_afar_add_in_order() {
    from_afar::<f32>();
    from_afar::<f64>();
}

/// The safe interface checks bounds.
#[test]
#[should_panic(expected = "the length of a factor")]
fn an_example_behind_the_last_is_not_read() {
    let (x, w, b) = ([1.0_f32; 3 * 4], [1.0; 4 * 2], [0.0; 2]);
    let (x, mut z, mut pack_buffer) = (
        Matrix::gathered(&x, 4, &[0, 3]),
        [0.0; 4],
        vec![0.0; pack_buffer::<f32>((1, 1), 1)],
    );
    let (w, cancel) = (Matrix::by_rows(&w, 4, 2), CancelToken::none());
    let context = &mut Context::new(&mut pack_buffer, &cancel);
    forward(x, w, &b, MatrixMut::by_rows(&mut z, 2, 2), context);
}

#[test]
fn parts_are_few_and_even() {
    for length in 1..200 {
        for longest in 1..20 {
            let parts: Vec<usize> = parts(length, longest).collect();
            assert_eq!(parts.iter().sum::<usize>(), length);
            assert_eq!(parts.len(), length.div_ceil(longest));
            let (least, most) = (parts.iter().min(), parts.iter().max());
            assert!(most <= Some(&longest) && most <= least.map(|least| least + 1).as_ref());
        }
    }
}
