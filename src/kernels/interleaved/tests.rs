#![allow(clippy::cast_precision_loss)] // small numbers

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::{self, Context, Matrix, MatrixMut, Order};
use crate::kernels::interleaved::{Matrices, interleave, networks, product, separate, sums};
use crate::kernels::real::Real;
use crate::kernels::simd::level::{Level, forced};
use crate::kernels::testing::guarded::Guarded;

/// Numbers of both signs, different in every lane.
fn numbers<T: Real>(count: usize, lane: usize) -> Vec<T> {
    let number = |k: usize| ((k * 7919 + lane * 104_729) % 1013) as f64 / 500.0 - 1.0;
    (0..count).map(|k| T::from_f64(number(k))).collect()
}

/// The matrices of all lanes, at the end of guarded memory.
fn interleaved<T: Real>(count: usize) -> &'static mut [T] {
    let length = count * networks::<T>();
    let memory = Box::leak(Box::new(Guarded::<T>::new(length)));
    let (_, all) = memory.last(length);
    for lane in 0..networks::<T>() {
        interleave(&numbers(count, lane), all, lane);
    }
    all
}

/// Compares the products of one shape with those of `gemm`, in every lane.
fn check<T: Real>(m: usize, k: usize, n: usize, bits: impl Fn(T) -> u64) {
    let (a, b) = (interleaved::<T>(m * k), interleaved::<T>(k * n));
    let (first, c) = (interleaved::<T>(n), interleaved::<T>(m * n));
    let token = CancelToken::none();
    let mut pack_buffer = vec![T::ZERO; gemm::pack_buffer::<T>((1, 1), 512)];
    let context = &mut Context::new(&mut pack_buffer, &token);
    let mut compare =
        |name: &str, c: &[T], expected: &dyn Fn(usize, &mut Context<'_, T>) -> Vec<T>| {
            for lane in 0..networks::<T>() {
                let expected = expected(lane, context);
                let mut found = vec![T::ZERO; expected.len()];
                separate(c, &mut found, lane);
                let same = found
                    .iter()
                    .zip(&expected)
                    .all(|(&x, &y)| bits(x) == bits(y));
                assert!(same, "{name} {m} {k} {n}, lane {lane}");
            }
        };
    let of = |numbers: &'static [T], rows, columns| Matrices::by_rows(numbers, rows, columns);
    let (a, b): (&'static [T], &'static [T]) = (a, b);
    product(of(a, m, k), of(b, k, n), first, c);
    compare("with a first row", c, &|lane, context| {
        let (a, b) = (numbers(m * k, lane), numbers(k * n, lane));
        let mut z = vec![T::ZERO; m * n];
        gemm::forward(
            Matrix::by_rows(&a, m, k),
            Matrix::by_rows(&b, k, n),
            &numbers(n, lane),
            MatrixMut::new(&mut z, m, n, Order::RowMajor),
            context,
        );
        z
    });
    let transposes = interleaved::<T>(n * k);
    product(of(a, m, k), of(transposes, n, k).transposed(), &[], c);
    compare("with transposes on the right", c, &|lane, context| {
        let (a, b) = (numbers(m * k, lane), numbers(n * k, lane));
        let mut z = vec![T::ZERO; m * n];
        gemm::errors(
            Matrix::by_rows(&a, m, k),
            Matrix::by_rows(&b, n, k),
            MatrixMut::new(&mut z, m, n, Order::RowMajor),
            context,
        );
        z
    });
    let transposes = interleaved::<T>(k * m);
    product(of(transposes, k, m).transposed(), of(b, k, n), &[], c);
    compare("with transposes on the left", c, &|lane, context| {
        let (a, b) = (numbers(k * m, lane), numbers(k * n, lane));
        let (a, b) = (Matrix::by_rows(&a, k, m), Matrix::by_rows(&b, k, n));
        let mut z = vec![T::ZERO; m * n];
        gemm::gradients(a, b, &mut z, false, gemm::Accumulate::Overwrite, context);
        z
    });
    let totals = &mut *first;
    sums(of(b, k, n), totals);
    compare("sums", totals, &|lane, context| {
        let mut z = vec![T::ZERO; n];
        gemm::sums(
            Matrix::by_rows(&numbers(k * n, lane), k, n),
            &mut z,
            context,
        );
        z
    });
}

#[test]
fn every_lane_has_the_bits_of_a_product_alone() {
    let shapes = [(1, 1, 1), (4, 3, 2), (5, 1, 7), (7, 9, 1), (13, 4, 10)];
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        forced::at(level, || {
            for (m, k, n) in shapes {
                check::<f32>(m, k, n, |x| x.to_bits().into());
                check::<f64>(m, k, n, f64::to_bits);
            }
        });
    }
}

#[test]
#[should_panic(expected = "the shapes of interleaved matrices")]
fn other_shapes_are_refused() {
    let (a, mut c) = (interleaved::<f32>(6), vec![0.0_f32; 64]);
    let (a, b) = (Matrices::by_rows(a, 2, 3), Matrices::by_rows(a, 2, 3));
    product(a, b, &[], &mut c);
}
