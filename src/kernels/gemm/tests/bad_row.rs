//! A number that is not finite stays in the row of its example.

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::tests::places::levels;
use crate::kernels::gemm::tests::shape::{C, Place, R};
use crate::kernels::gemm::{Context, Matrix, MatrixMut, forward, pack_buffer};
use crate::kernels::simd::level::forced::at;
use crate::kernels::testing::number::{Number, fill};

/// NaN in one example stays in its row, in either layout.
fn one_bad_row<T: Number>() {
    let (rows, n_in, n_out, bad) = (37, 7, 19, 5);
    let mut seed = 3;
    let mut random = |length| {
        let mut numbers = vec![T::default(); length];
        fill(&mut seed, &mut numbers);
        numbers
    };
    let (w, b, mut a) = (random(n_in * n_out), random(n_out), random(rows * n_in));
    let mut pack_buffer = vec![T::NAN; pack_buffer::<T>((1, 1), 512)];
    for (level, from, to) in levels()
        .flat_map(|level| [(R, R), (R, C), (C, R), (C, C)].map(|(from, to)| (level, from, to)))
    {
        let place = Place::of(from == R, rows, n_in);
        let mut run = |a: &[T]| {
            let mut z = vec![T::NAN; rows * n_out];
            let a = Matrix::new(a, rows, n_in, from);
            let w = Matrix::by_rows(&w, n_in, n_out);
            let cancel = CancelToken::none();
            let context = &mut Context::new(&mut pack_buffer, &cancel);
            at(level, || {
                forward(a, w, &b, MatrixMut::new(&mut z, rows, n_out, to), context);
            });
            z
        };
        let good = run(&a);
        let kept = a[place.at(bad, 2)];
        a[place.at(bad, 2)] = T::NAN;
        let broken = run(&a);
        a[place.at(bad, 2)] = kept;
        let place = Place::of(to == R, rows, n_out);
        for (i, j) in (0..rows).flat_map(|i| (0..n_out).map(move |j| (i, j))) {
            let (good, broken) = (good[place.at(i, j)], broken[place.at(i, j)]);
            assert_eq!(
                good.bits() == broken.bits(),
                i != bad,
                "{level:?} {from:?} {to:?} ({i}, {j})"
            );
        }
    }
}

#[test]
fn a_bad_row_stays_in_its_row() {
    one_bad_row::<f32>();
    one_bad_row::<f64>();
}
