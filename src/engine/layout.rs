//! The memory order of a layer while a chunk is computed: row-major (neurons contiguous) or column-major
//! (examples contiguous).
//!
//! A register holds contiguous elements. With 50 neurons in a layer, a row-major product fills registers of
//! 16 lanes to 50/64; a column-major one fills them. In return δ^l must be transposed for BP4, and so must
//! a^(l−1) and δ^(l+1) if they are row-major, but W^(l+1) no longer for BP2. The choice does not change any
//! bit.

use crate::kernels::gemm::Order;
use crate::kernels::tuning::layout::{COPIED, WORTHWHILE};
use crate::model::architecture::Architecture;

/// The memory order of the layer at `index` for chunks of `rows` examples, with registers of `lanes` lanes,
/// and with its errors or without. `cost` is the cost per term of a product (m, n), in multiply-adds of a
/// register.
pub fn layout(
    architecture: &Architecture,
    index: usize,
    (rows, lanes): (usize, usize),
    errors: bool,
    cost: impl Fn(usize, usize) -> usize,
) -> Order {
    let layers = architecture.layers();
    let (Some(layer), Some(next)) = (layers.get(index), layers.get(index + 1)) else {
        return Order::RowMajor; // the output, as the cost reads it
    };
    if rows < lanes {
        return Order::RowMajor; // examples fill no register; also saves short calls the divisions below
    }
    let (before, current, after) = (layer.n_in, layer.n_out, next.n_out);
    let product = |m: usize, n: usize, k: usize| cost(m, n).saturating_mul(k);
    let copy = |a: usize, b: usize, needed: bool| {
        let numbers = a.saturating_mul(b);
        if needed { numbers / COPIED } else { 0 }
    };
    // x and the output are row-major; the other layers are assumed to have this layer's order.
    let (first, last) = (index == 0, index + 2 == layers.len());
    let row_major = [
        product(rows, current, before),
        product(rows, current, if errors { after } else { 0 }),
        copy(current, after, errors),
    ];
    let column_major = [
        product(current, rows, before),
        product(current, rows, if errors { after } else { 0 }),
        copy(rows, before, first),
        copy(rows, current, errors),
        copy(rows, after, errors && last),
    ];
    let total = |costs: &[usize]| {
        costs
            .iter()
            .fold(0_usize, |sum, &cost| sum.saturating_add(cost))
    };
    let (row_major, column_major) = (total(&row_major), total(&column_major));
    if column_major < row_major - row_major / WORTHWHILE {
        Order::ColumnMajor
    } else {
        Order::RowMajor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    fn of(sizes: &[usize], rows: usize, errors: bool) -> Vec<Order> {
        let hidden = vec![Activation::Tanh; sizes.len() - 2];
        let architecture = Architecture::new(sizes, &hidden, Activation::Identity, Cost::Quadratic);
        let architecture = architecture.expect("a network");
        let layers = 0..architecture.layers().len();
        layers
            .map(|index| {
                let cost = |m: usize, n: usize| m.saturating_mul(n.div_ceil(16));
                layout(&architecture, index, (rows, 16), errors, cost)
            })
            .collect()
    }

    #[test]
    fn registers_run_where_they_are_full() {
        use Order::{ColumnMajor, RowMajor};
        for errors in [false, true] {
            let of = |sizes: &[usize], rows| of(sizes, rows, errors);
            assert_eq!(
                of(&[50, 50, 50, 1], 128),
                [ColumnMajor, ColumnMajor, RowMajor]
            );
            assert_eq!(of(&[64, 64, 64, 1], 128), [RowMajor; 3]);
            assert_eq!(of(&[50, 50, 50, 1], 1), [RowMajor; 3]);
            // Transposing x costs more than filling the 2 idle of 32 lanes saves.
            assert_eq!(of(&[784, 30, 10], 128), [RowMajor; 2]);
            assert_eq!(of(&[1, 10_000_000, 1], 512), [RowMajor; 2]);
        }
        // δ is transposed for BP4 only.
        let sizes = [9, 9, 9, 1];
        assert_eq!(of(&sizes, 128, false), [RowMajor, ColumnMajor, RowMajor]);
        assert_eq!(of(&sizes, 128, true), [RowMajor; 3]);
    }
}
