//! Moments with known answers.

#![allow(clippy::cast_possible_truncation)] // of small numbers

use crate::kernels::moments::{
    ExampleFactors, ListedElement, MAX_EXAMPLES, Moments, PADDING, number,
};
use crate::kernels::simd::level::{Level, forced};

/// The moments of products, a and δ as functions of the example and the input or output.
fn moments(
    (rows, inputs, n_out): (usize, usize, usize),
    a: impl Fn(usize, usize) -> f64,
    delta: impl Fn(usize, usize) -> f64,
    centered: bool,
) -> (Vec<f64>, Vec<f64>) {
    let stride = n_out + 1;
    let mut mean = vec![0.0; if centered { inputs * stride } else { 0 }];
    let mut squares = vec![0.0; inputs * stride];
    let width = n_out.next_multiple_of(PADDING);
    for before in (0..rows).step_by(MAX_EXAMPLES) {
        let rows = before..rows.min(before + MAX_EXAMPLES);
        let all_a: Vec<f64> = rows
            .clone()
            .flat_map(|row| (0..inputs).map(move |k| (row, k)))
            .map(|(row, k)| a(row, k))
            .collect();
        let all_delta: Vec<f64> = rows
            .clone()
            .flat_map(|row| (0..width).map(move |j| (row, j)))
            .map(|(row, j)| if j < n_out { delta(row, j) } else { 0.0 })
            .collect();
        let mut moments = Moments {
            mean: &mut mean,
            squares: &mut squares,
            shape: (inputs, n_out),
            stride,
        };
        moments.add(ExampleFactors {
            a: &all_a,
            delta: &all_delta,
            rows: rows.len(),
            before,
        });
    }
    let used = |numbers: Vec<f64>| {
        numbers
            .chunks(stride)
            .flat_map(|row| row[..n_out].to_vec())
            .collect()
    };
    (used(mean), used(squares))
}

/// a_k = 1 and δ_j = offset + row, whose mean and squared deviations are known.
#[test]
fn a_large_mean_beside_a_small_spread() {
    for rows in [2_u32, 100, 128, 129, 1000] {
        for offset in [0.0, 1e9, -1e14] {
            let delta = |row: usize, _| offset + f64::from(u32::try_from(row).expect("small"));
            let (mean, squares) = moments((rows as usize, 5, 3), |_, _| 1.0, delta, true);
            let n = f64::from(rows);
            let expected = n * (n * n - 1.0) / 12.0;
            for (mean, squares) in mean.iter().zip(&squares) {
                assert!((mean - offset - (n - 1.0) / 2.0).abs() <= 1e-15 * offset.abs() + 1e-9);
                assert!(
                    (squares / expected - 1.0).abs() < 1e-13,
                    "{rows} {offset} {squares}"
                );
            }
        }
    }
}

#[test]
fn equal_products_have_no_variance() {
    let (_, squares) = moments((700, 3, 9), |_, _| 0.1, |_, _| 1e200, true);
    assert!(
        squares.iter().all(|&squares| squares.to_bits() == 0),
        "{squares:?}"
    );
}

#[test]
fn factors_may_leave_the_range_of_their_squares() {
    let (_, squares) = moments((3, 2, 2), |_, _| 1e200, |_, _| 1e-200, false);
    assert!(
        squares
            .iter()
            .all(|squares| (squares / 3.0 - 1.0).abs() < 1e-14),
        "{squares:?}"
    );
}

#[test]
fn an_infinite_product_makes_the_mean_infinite_and_the_variance_nan() {
    let delta = |row: usize, _| {
        if row == 200 || row == 0 {
            f64::INFINITY
        } else {
            1.0
        }
    };
    let (mean, squares) = moments((300, 1, 1), |_, _| 1.0, delta, true);
    assert!(
        mean[0] > f64::MAX && squares[0].is_nan(),
        "{mean:?} {squares:?}"
    );
}

/// The same products without those that are 0, as a sparse a has them, at every level.
#[test]
fn zeros_may_be_added_last() {
    let (rows, inputs, n_out) = (100, 6, 11);
    let value = |row: usize, k: usize| f64::from((row * 7 + k * 13) as u8 % 29) - 14.0;
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for centered in [false, true] {
            let shape = (rows, inputs, n_out);
            let (mean, squares) = forced::at(level, || moments(shape, value, value, centered));
            let mut means = vec![0.0; inputs * n_out];
            let mut sums = vec![0.0; inputs * n_out];
            let width = n_out.next_multiple_of(PADDING);
            let delta: Vec<f64> = (0..rows)
                .flat_map(|row| {
                    (0..width).map(move |j| if j < n_out { value(row, j) } else { 0.0 })
                })
                .collect();
            forced::at(level, || {
                for input in 0..inputs {
                    let entries = (0..rows).map(|row| ListedElement {
                        input: input as u32,
                        row: row as u32,
                        value: value(row, input),
                    });
                    let entries: Vec<ListedElement> =
                        entries.filter(|entry| entry.value != 0.0).collect();
                    let (some, others) = entries.split_at(entries.len() / 3);
                    let row = input * n_out..(input + 1) * n_out;
                    let mut found = Moments {
                        mean: if centered {
                            &mut means[row.clone()]
                        } else {
                            &mut []
                        },
                        squares: &mut sums[row],
                        shape: (1, n_out),
                        stride: n_out,
                    };
                    found.add_listed(some, &delta, 0.0);
                    found.add_listed(others, &delta, number(some.len()));
                    found.add_zeros(0, number(entries.len()), number(rows - entries.len()));
                }
            });
            for (one, other) in means[..mean.len()]
                .iter()
                .chain(&sums)
                .zip(mean.iter().chain(&squares))
            {
                let error = (one - other).abs();
                assert!(error <= 1e-12 * (1.0 + other.abs()), "{one} {other}");
            }
        }
    }
}
