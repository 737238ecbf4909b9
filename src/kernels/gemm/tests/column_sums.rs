//! The sums of the columns of δ, which are the gradient of the biases.

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::tests::places::{Places, levels};
use crate::kernels::gemm::tests::shape::{C, Place, R};
use crate::kernels::gemm::tests::widths;
use crate::kernels::gemm::{Context, Matrix, pack_buffer, sums};
use crate::kernels::simd::level::forced::at;
use crate::kernels::testing::number::{Number, fill};

/// The column sums, added to the output, equal plain additions at every level.
fn sums_of_columns<T: Number>() {
    let mut places = Places::<T>::new(9 * widths::<T>());
    for rows in 1..=9 {
        for columns in 1..=widths::<T>() {
            let (_, delta) = places.b.last(rows * columns);
            fill(&mut places.seed, delta);
            let mut wanted = vec![T::default(); columns];
            for row in delta.chunks(columns) {
                for (sum, &delta) in wanted.iter_mut().zip(row) {
                    *sum = delta.multiply_add(T::ONE, *sum, false);
                }
            }
            for (level, layout) in levels().flat_map(|level| [(level, R), (level, C)]) {
                let (_, numbers) = places.a.last(rows * columns);
                let place = Place::of(layout == R, rows, columns);
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    numbers[place.at(i, j)] = delta[i * columns + j];
                }
                let (_, out) = places.c.last(columns);
                out.fill(T::default());
                let (_, pack_buffer) = places.pack_buffer.last(pack_buffer::<T>((1, 1), 512));
                let delta = Matrix::new(numbers, rows, columns, layout);
                let cancel = CancelToken::none();
                at(level, || {
                    sums(delta, out, &mut Context::new(pack_buffer, &cancel));
                });
                assert_eq!(out, wanted, "{level:?} {layout:?} ({rows}, {columns})");
            }
        }
    }
}

#[test]
fn columns_add_in_order() {
    sums_of_columns::<f32>();
    sums_of_columns::<f64>();
}
