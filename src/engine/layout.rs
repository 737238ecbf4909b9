//! How the numbers of a layer lie while a chunk is computed: along the neurons, or along the examples.
//!
//! A register holds numbers that are neighbours. Where a layer has 50 neurons, a register of 16 along
//! them is filled to 50/64; along the examples of a chunk it is full. In return δ^l is copied across
//! for BP4, and a^(l−1) and δ^(l+1) where they lie the other way, but W^(l+1) no longer for BP2. No
//! bit depends on the choice.

use crate::kernels::gemm::Order;
use crate::kernels::tuning::layout::{COPIED, WORTHWHILE};
use crate::model::architecture::Architecture;

/// The layout of the layer at `index` for chunks of `rows` examples, in registers of `lanes`
/// numbers, with its errors or without.
pub fn layout(
    architecture: &Architecture,
    index: usize,
    rows: usize,
    lanes: usize,
    errors: bool,
) -> Order {
    let layers = architecture.layers();
    let (Some(layer), Some(next)) = (layers.get(index), layers.get(index + 1)) else {
        return Order::RowMajor; // the output, as the cost takes it
    };
    if rows < lanes {
        return Order::RowMajor; // nothing along the examples is full; and short calls count divisions
    }
    let (before, these, after) = (layer.n_in, layer.n_out, next.n_out);
    let full = |length: usize| length.div_ceil(lanes);
    let product = |a: usize, b: usize, c: usize| a.saturating_mul(b).saturating_mul(c);
    let copy = |a: usize, b: usize, needed: bool| {
        let numbers = a.saturating_mul(b);
        if needed { numbers / COPIED } else { 0 }
    };
    // x and the output lie by example; the other layers are taken to lie as this one.
    let (first, last) = (index == 0, index + 2 == layers.len());
    let by_example = [
        product(rows, before, full(these)),
        product(rows, if errors { after } else { 0 }, full(these)),
        copy(these, after, errors),
    ];
    let by_neuron = [
        product(full(rows), before, these),
        product(full(rows), if errors { after } else { 0 }, these),
        copy(rows, before, first),
        copy(rows, these, errors),
        copy(rows, after, errors && last),
    ];
    let cost = |parts: &[usize]| {
        parts
            .iter()
            .fold(0_usize, |sum, &part| sum.saturating_add(part))
    };
    let (by_example, by_neuron) = (cost(&by_example), cost(&by_neuron));
    if by_neuron < by_example - by_example / WORTHWHILE {
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
            .map(|index| layout(&architecture, index, rows, 16, errors))
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
            // The copy of x costs more than 30 of 32 lanes.
            assert_eq!(of(&[784, 30, 10], 128), [RowMajor; 2]);
            assert_eq!(of(&[1, 10_000_000, 1], 512), [RowMajor; 2]);
        }
        // δ is copied for BP4 alone.
        let sizes = [9, 9, 9, 1];
        assert_eq!(of(&sizes, 128, false), [RowMajor, ColumnMajor, RowMajor]);
        assert_eq!(of(&sizes, 128, true), [RowMajor; 3]);
    }
}
