//! Norms and sums of squares, at every level.

use crate::kernels::elementwise::norms::*;
use crate::kernels::gemm::Matrix;
use crate::kernels::gemm::Order;
use crate::kernels::simd::level::Level;
use crate::kernels::simd::level::forced::at;

fn numbers(count: u16) -> Vec<f32> {
    (0..count)
        .map(|k| f32::from(k * 7 % 101) / 7.0 - 6.5)
        .collect()
}

#[test]
fn every_level_gives_the_same_bits() {
    for count in [0, 1, 7, 16, 31, 33, 200, 1000] {
        let (a, b) = (numbers(count), numbers(count + 3).split_off(3));
        let all = |level| {
            at(level, || {
                let mut sum = a.clone();
                let norm_of_added = add_with_norm(&mut sum, &b);
                [
                    norm(&a),
                    distance(&a, &b),
                    dot(&a, &b),
                    norm_of_added,
                    norm(&sum),
                ]
            })
            .map(f64::to_bits)
        };
        let exact = |term: &dyn Fn(f64, f64) -> f64| {
            let pairs = a.iter().zip(&b);
            pairs
                .map(|(&a, &b)| term(f64::from(a), f64::from(b)))
                .sum::<f64>()
        };
        let baseline = all(Level::Baseline);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            assert_eq!(all(level), baseline, "{level:?} {count}");
        }
        let expected = [
            exact(&|a, _| a * a).sqrt(),
            exact(&|a, b| (a - b) * (a - b)).sqrt(),
            exact(&|a, b| a * b),
            exact(&|_, b| b * b).sqrt(),
        ];
        for (found, expected) in baseline.into_iter().map(f64::from_bits).zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
                "{count}"
            );
        }
    }
}

#[test]
fn rows_have_the_same_bits_in_each_memory_order() {
    for (rows, width) in [(1_usize, 1_usize), (3, 16), (16, 7), (9, 70)] {
        let numbers = numbers(u16::try_from(rows * width).expect("small"));
        let mut across = vec![0.0; numbers.len()];
        for (at, &x) in numbers.iter().enumerate() {
            across[at % width * rows + at / width] = x;
        }
        let squares = |numbers: &[f32], order, level| {
            let mut squares = vec![f64::NAN; rows];
            at(level, || {
                row_squares(Matrix::new(numbers, rows, width, order), &mut squares);
            });
            squares
        };
        let expected = squares(&numbers, Order::RowMajor, Level::Baseline);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            assert_eq!(squares(&numbers, Order::RowMajor, level), expected);
            assert_eq!(squares(&across, Order::ColumnMajor, level), expected);
        }
        let columns: Vec<u32> = (0..).take(width).collect();
        for (row, expected) in numbers.chunks(width).zip(expected) {
            assert_eq!(sparse_squares(&columns, row).to_bits(), expected.to_bits());
            let exact = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
            assert!((expected - exact).abs() <= 1e-6 * exact);
        }
    }
}

#[test]
fn squares_may_leave_the_range_of_their_type() {
    for size in [1e-44_f32, 1e-30, 1e38] {
        let exact = f64::from(size) * 2.0_f64.sqrt();
        assert!(
            (norm(&[size, 0.0, -size]) / exact - 1.0).abs() < 1e-15,
            "{size}"
        );
        assert!((distance(&[size, size], &[0.0; 2]) / exact - 1.0).abs() < 1e-15);
    }
    for size in [1e-300_f64, 1e-170, 1e200] {
        assert!((norm(&[3.0 * size, 4.0 * size]) / (5.0 * size) - 1.0).abs() < 1e-15);
        let parts = [3.0 * size, 4.0 * size];
        assert!((joined_norm(parts.into_iter()) / (5.0 * size) - 1.0).abs() < 1e-15);
    }
    assert!(norm::<f64>(&[]).abs() < f64::MIN_POSITIVE && norm(&[f64::NAN, 1.0]).is_nan());
    assert!(norm(&[f64::INFINITY, 1.0]).is_infinite() && norm(&[f32::NAN, 1.0]).is_nan());
}

#[test]
fn the_error_of_a_norm_does_not_grow_with_the_number_of_elements() {
    // All additions round in the same direction.
    let numbers = vec![0.1_f64; 1 << 21];
    let of_block = norm(&numbers[..1 << 11]);
    let expected = of_block * f64::from(1 << 10).sqrt();
    assert!((norm(&numbers) / expected - 1.0).abs() < 4.0 * f64::EPSILON);
    let numbers: Vec<f32> = (0..10_000_u16).map(f32::from).collect();
    let exact = 333_283_335_000.0_f64; // Σ k² = (n − 1) n (2n − 1) / 6
    assert!((norm(&numbers) / exact.sqrt() - 1.0).abs() < 1e-6);
}

#[test]
fn rows_are_accurate_at_every_width() {
    for width in [1, 3, 15, 16, 17, 31, 33, 100, 511, 513, 5000] {
        let elements = (0_u16..).map(|k| f32::from(k % 97) - 40.5);
        let numbers: Vec<f32> = elements.take(3 * width).collect();
        let mut squares = [0.0; 3];
        row_squares(Matrix::by_rows(&numbers, 3, width), &mut squares);
        for (square, row) in squares.iter().zip(numbers.chunks(width)) {
            let exact = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
            // 64 roundings of float32 at most.
            assert!(
                (square / exact - 1.0).abs() < 64.0 * f64::from(f32::EPSILON),
                "{width}"
            );
        }
    }
}
