//! Costs of the residuals r = a − y, and their sums over the outputs of each example.

use crate::base::sum::LaneSum;
use crate::kernels::real::Real;

/// ½ r².
#[inline]
pub fn quadratic(r: f64) -> f64 {
    0.5 * r * r
}

/// ½ r² for |r| ≤ 1, else |r| − ½.
#[inline]
pub fn huber(r: f64) -> f64 {
    let size = r.abs();
    if size <= 1.0 {
        0.5 * size * size
    } else {
        size - 0.5
    }
}

/// Calls `each` with Σ term(a − y) of each row.
pub fn sum_rows<T: Real>(
    a: &[T],
    y: &[T],
    width: usize,
    term: impl Fn(f64) -> f64,
    each: impl FnMut(f64),
) {
    // Loops of constant length have less overhead than the sums of narrow rows.
    match width {
        1 => sum_rows_of::<T, 1>(a, y, term, each),
        2 => sum_rows_of::<T, 2>(a, y, term, each),
        3 => sum_rows_of::<T, 3>(a, y, term, each),
        4 => sum_rows_of::<T, 4>(a, y, term, each),
        _ => {
            let rows = a.chunks_exact(width).zip(y.chunks_exact(width));
            let sum_row = |(a, y): (&[T], &[T])| {
                let mut sum = LaneSum::default();
                sum.add(width, |j| term(a[j].to_f64() - y[j].to_f64()));
                sum.total()
            };
            rows.map(sum_row).for_each(each);
        }
    }
}

/// The same for rows of `N` elements.
fn sum_rows_of<T: Real, const N: usize>(
    a: &[T],
    y: &[T],
    term: impl Fn(f64) -> f64,
    each: impl FnMut(f64),
) {
    let rows = a.as_chunks::<N>().0.iter().zip(y.as_chunks::<N>().0);
    rows.map(|(a, y)| LaneSum::of_few::<N>(|j| term(a[j].to_f64() - y[j].to_f64())))
        .for_each(each);
}
