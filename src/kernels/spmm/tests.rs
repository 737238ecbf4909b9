//! Both products give the bits of a plain loop over the stored elements at every level. Inputs end at a
//! page that cannot be read, outputs at one that cannot be written.

use crate::base::cancel::CancelToken;
use crate::kernels::caches::{Cache, Caches, caches, forced};
use crate::kernels::csr::CsrPattern;
use crate::kernels::gemm::Matrix;
use crate::kernels::simd::level::Level;
use crate::kernels::simd::level::forced::at;
use crate::kernels::spmm::microkernel::tiles;
use crate::kernels::spmm::*;
use crate::kernels::testing::guarded::Guarded;
use crate::kernels::testing::number::{Number, fill};
use crate::kernels::tuning::spmm::{
    MAX_REGISTERS, NON_TEMPORAL_ELEMENTS, NON_TEMPORAL_SHARE_OF_L3, NON_TEMPORAL_SLICE_BYTES,
};

/// On both sides of a register, of a tile and of [`MAX_COLUMNS`], at every level.
const WIDTHS: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 65, 130, 259];
const INPUTS: usize = 11;
const NUMBERS: usize = 300 * INPUTS;

/// Rows whose columns are unsorted, with repeats; the first and the last row are empty.
fn pattern(rows: usize) -> CsrPattern {
    let (mut indptr, mut indices) = (vec![0_i64], Vec::new());
    for row in 0..rows {
        let nnz = if row + 1 == rows { 0 } else { (row * 5) % 14 };
        let columns = (0..nnz).map(|term| i64::try_from((row + term * 7) % INPUTS));
        indices.extend(columns.map(|column| column.expect("a small number")));
        indptr.push(i64::try_from(indices.len()).expect("a small number"));
    }
    CsrPattern::new((rows, INPUTS), &indptr, &indices).expect("positions")
}

/// The levels that run here. On other machines arrays stand in for NEON's registers.
fn levels() -> impl Iterator<Item = Level> {
    let runs = |level: &Level| *level == Level::Neon || level.is_available();
    Level::ALL.into_iter().filter(runs)
}

/// `length` elements right before a protected page.
fn guarded<T: Number>(buffer: &mut Guarded<T>, length: usize, seed: &mut u64) -> Vec<T> {
    let (_, numbers) = buffer.last(length);
    fill(seed, numbers);
    numbers.to_vec()
}

fn assert_bits<T: Number>(got: &[T], expected: &[T], what: impl std::fmt::Debug) {
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(
            got.bits(),
            expected.bits(),
            "{what:?} at {at}: {got:?}, not {expected:?}"
        );
    }
}

fn check<T: Number>() {
    let mut seed = 1;
    let [mut w, mut b, mut values, mut delta, mut c] = [(); 5].map(|()| Guarded::<T>::new(NUMBERS));
    for (rows, n_out, row) in [1, 2, 3, 4, 6, 9]
        .into_iter()
        .flat_map(|r| WIDTHS.map(|w| (r, w)))
        .flat_map(|(r, w)| [w, w + 1, w.next_multiple_of(16)].map(|row| (r, w, row)))
    {
        let pattern = pattern(rows);
        let nnz = pattern
            .with_values(&[T::ONE; NUMBERS])
            .expect("values")
            .nnz();
        guarded(&mut w, INPUTS * row, &mut seed);
        guarded(&mut b, n_out, &mut seed);
        guarded(&mut values, nnz, &mut seed);
        guarded(&mut delta, rows * n_out, &mut seed);
        let w = &*w.last(INPUTS * row).1;
        let b = &*b.last(n_out).1;
        let delta = &*delta.last(rows * n_out).1;
        let x = pattern.with_values(&*values.last(nnz).1).expect("values");
        let row_of_w = row;
        let terms = |row: usize| {
            let (columns, values) = x.row(row);
            columns
                .iter()
                .map(|&k| k as usize)
                .zip(values.iter().copied())
        };
        for level in levels() {
            let once = level.is_fused();
            for neurons in [0..n_out, n_out / 3..n_out, n_out / 2..n_out / 2 + 1] {
                let expected: Vec<T> = (0..rows)
                    .flat_map(|row| neurons.clone().map(move |j| (row, j)))
                    .map(|(row, j)| {
                        terms(row).fold(b[j], |sum, (k, value)| {
                            value.multiply_add(w[k * row_of_w + j], sum, once)
                        })
                    })
                    .collect();
                let (_, z) = c.last(expected.len());
                z.fill(T::NAN);
                at(level, || {
                    let w = Matrix::by_rows(w, INPUTS, row_of_w);
                    forward(x, w, b, neurons.clone(), z, &CancelToken::none());
                });
                assert_bits(z, &expected, (level, rows, n_out, &neurons));
            }
            for (inputs, add) in [
                (0..INPUTS, false),
                (0..INPUTS, true),
                (3..8, false),
                (5..6, true),
            ] {
                let mut expected = vec![T::default(); inputs.len() * row_of_w];
                let (_, out) = c.last(expected.len());
                out.fill(T::NAN);
                if add {
                    fill(&mut seed, out);
                    expected.copy_from_slice(out);
                }
                for row in 0..rows {
                    for (k, value) in terms(row).filter(|(k, _)| inputs.contains(k)) {
                        for j in 0..n_out {
                            let sum = &mut expected[(k - inputs.start) * row_of_w + j];
                            *sum = value.multiply_add(delta[row * n_out + j], *sum, once);
                        }
                    }
                }
                at(level, || {
                    let rows = GradientRows {
                        numbers: out,
                        first: inputs.start,
                        stride: row_of_w,
                    };
                    gradients(x, delta, rows, add, &CancelToken::none());
                });
                assert_bits(out, &expected, (level, rows, n_out, &inputs, add));
            }
        }
    }
}

#[test]
fn both_products_add_stored_elements_in_their_order() {
    check::<f32>();
    check::<f64>();
}

/// The caches of this machine, with 16 MiB of L3.
fn with_small_l3<R>(work: impl FnOnce() -> R) -> R {
    let l3 = Cache {
        sets: 1 << 14,
        ways: 16,
    };
    forced::with(Caches { l3, ..caches() }, work)
}

/// The bytes of a gradient from which on it bypasses these caches.
const NON_TEMPORAL_BYTES: usize = (16 << 20) / NON_TEMPORAL_SHARE_OF_L3;

/// Many inputs, some of them in several rows; the gradient of `row` columns for each bypasses the caches.
fn check_non_temporal<T: Number>(n_out: usize, row: usize) {
    let (rows, of_row) = (40, 60);
    let inputs = NON_TEMPORAL_BYTES / (row * size_of::<T>()) + 3;
    let mut seed = 1;
    let indices: Vec<i64> = (0..rows * of_row)
        .map(|term| (term * term * 31 % (inputs + 2)).min(inputs - 1))
        .map(|input| i64::try_from(input).expect("a small number"))
        .collect();
    let indptr: Vec<i64> = (0..=rows)
        .map(|row| i64::try_from(row * of_row).expect("a small number"))
        .collect();
    let pattern = CsrPattern::new((rows, inputs), &indptr, &indices).expect("positions");
    let (mut values, mut delta) = (vec![T::ONE; rows * of_row], vec![T::ONE; rows * n_out]);
    fill(&mut seed, &mut values);
    fill(&mut seed, &mut delta);
    let x = pattern.with_values(&values).expect("values");
    let mut out = Guarded::<T>::new(inputs * row);
    let slice = NON_TEMPORAL_SLICE_BYTES / (row * size_of::<T>()) + 1;
    let slices = [0..inputs, 2..inputs - 1, 7..7 + slice];
    for (level, of) in levels().flat_map(|level| slices.clone().map(|of| (level, of))) {
        let mut expected = vec![T::default(); of.len() * row];
        for (index, (&input, &value)) in indices.iter().zip(&values).enumerate() {
            let input = usize::try_from(input).expect("a small number");
            if !of.contains(&input) {
                continue;
            }
            let input = input - of.start;
            for (j, sum) in expected[input * row..][..n_out].iter_mut().enumerate() {
                let delta = delta[index / of_row * n_out + j];
                *sum = value.multiply_add(delta, *sum, level.is_fused());
            }
        }
        let (_, out) = out.last(expected.len());
        out.fill(T::NAN);
        at(level, || {
            let rows = GradientRows {
                numbers: &mut *out,
                first: of.start,
                stride: row,
            };
            assert!(non_temporal::pays_off(&x, &rows));
            gradients(x, &delta, rows, false, &CancelToken::none());
        });
        // Padding may have either value.
        for (row_of, (got, expected)) in out.chunks(row).zip(expected.chunks(row)).enumerate() {
            assert_bits(&got[..n_out], &expected[..n_out], (level, row, row_of));
        }
    }
}

#[test]
fn a_large_gradient_has_the_bits_of_a_small_one() {
    for (n_out, row) in [(1, 1), (7, 7), (30, 32), (64, 64), (130, 131), (3000, 3000)] {
        with_small_l3(|| check_non_temporal::<f32>(n_out, row));
        with_small_l3(|| check_non_temporal::<f64>(n_out, row));
    }
}

#[test]
fn small_gradients_and_many_elements_are_stored_as_usual() {
    let stride = 16;
    let inputs = NON_TEMPORAL_BYTES / (stride * size_of::<f32>());
    let pays_off = |inputs: usize, part: usize, elements: usize| {
        let indptr = [0, i64::try_from(elements).expect("a small number")];
        let pattern = CsrPattern::new((1, inputs), &indptr, &vec![0_i64; elements]);
        let (pattern, values) = (pattern.expect("positions"), vec![0.0_f32; elements]);
        let mut numbers = vec![0.0; part * stride];
        let rows = GradientRows {
            numbers: &mut numbers,
            first: 0,
            stride,
        };
        let x = pattern.with_values(&values).expect("values");
        with_small_l3(|| non_temporal::pays_off(&x, &rows))
    };
    let part = NON_TEMPORAL_SLICE_BYTES / (stride * size_of::<f32>());
    let most = NON_TEMPORAL_BYTES / NON_TEMPORAL_ELEMENTS / 12;
    assert!(pays_off(inputs, part, most));
    assert!(!pays_off(inputs - 1, inputs - 1, 1));
    assert!(!pays_off(inputs, part - 1, 1));
    assert!(!pays_off(inputs, part, most + 1));
}

#[test]
fn blocks_cover_all_rows_and_columns_once() {
    let pattern = pattern(70);
    let values = vec![0.0; NUMBERS];
    let x = pattern.with_values(&values).expect("values");
    for columns in [0..1, 3..4, 0..128, 0..129, 5..700, 7..100_000] {
        let mut seen = 0;
        for (columns_of, rows) in blocks(&x, &columns) {
            assert!(columns_of.len() <= MAX_COLUMNS && !columns_of.is_empty());
            assert!(columns_of.start >= columns.start && columns_of.end <= columns.end);
            seen += columns_of.len() * rows.len();
        }
        assert_eq!(seen, columns.len() * x.len());
    }
    for (columns, lanes) in (1..300).flat_map(|columns| [2, 4, 8, 16].map(|lanes| (columns, lanes)))
    {
        let mut first = 0;
        for tile in tiles(columns, lanes) {
            assert_eq!(tile.first, first);
            assert_eq!(tile.registers, tile.columns.div_ceil(lanes));
            assert!(tile.registers <= MAX_REGISTERS);
            // What `load` requires: a partial register has one before it, or is the only one.
            assert!(tile.columns >= lanes || tile.registers == 1);
            first += tile.columns;
        }
        assert_eq!(first, columns);
    }
}
