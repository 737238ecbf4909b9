//! The costs of the rows of a chunk.

use std::ops::Range;

use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::base::sum::extended::{Extended, ExtendedSum};
use crate::data::Targets;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::cost::Cost;

/// z^L and a^L of some examples, each (rows, n_L), with σ_L and the cost.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a, T> {
    /// C.
    pub cost: Cost,
    /// σ_L.
    pub activation: Activation,
    /// z^L; empty if neither the cost nor σ' reads it ([`Cost::is_fused`]).
    pub z: &'a [T],
    /// a^L.
    pub a: &'a [T],
}

/// Σ s_x `C_x` over the examples `rows`, in order.
pub fn cost<T: Real>(
    outputs: Outputs<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    cancel: &CancelToken<'_>,
) -> Extended {
    let mut sum = 0.0;
    let mut examples = rows.clone();
    for_each_cost(outputs, targets, rows.clone(), cancel, |of_example| {
        let x = examples.next().expect("an example for each cost");
        sum += targets.sample_weight(x) * of_example;
    });
    if sum.is_finite() {
        return sum.into();
    }
    extended_cost(outputs, targets, rows, cancel)
}

/// The same where float64 does not hold the sum.
#[cold]
fn extended_cost<T: Real>(
    outputs: Outputs<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    cancel: &CancelToken<'_>,
) -> Extended {
    let mut sum = ExtendedSum::default();
    let mut examples = rows.clone();
    for_each_cost(outputs, targets, rows, cancel, |of_example| {
        let x = examples.next().expect("an example for each cost");
        sum.add(Extended::product(targets.sample_weight(x), of_example));
    });
    sum.total()
}

/// `C_x` of each of the examples `rows`, in float64, into `costs`, (rows,).
pub fn example_costs<T: Real>(
    outputs: Outputs<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    costs: &mut [f64],
    cancel: &CancelToken<'_>,
) {
    let mut costs = costs.iter_mut();
    for_each_cost(outputs, targets, rows, cancel, |of_example| {
        *costs.next().expect("a place for each cost") = of_example;
    });
}

/// Calls `each` with `C_x` of each of the examples `rows`, in order, until the call is cancelled.
fn for_each_cost<T: Real>(
    outputs: Outputs<'_, T>,
    targets: &Targets<'_, T>,
    rows: Range<usize>,
    cancel: &CancelToken<'_>,
    mut each: impl FnMut(f64),
) {
    let Outputs {
        cost,
        activation,
        z,
        a,
    } = outputs;
    let width = a.len() / rows.len();
    if let Some(y) = targets.values_of(&rows)
        && !cost.is_fused(activation)
    {
        cost.of_examples(a, y, width, each);
        cancel.poll_after(a.len() * ELEMENT_WORK);
        return;
    }
    for (x, (z, a)) in rows.zip(rows_of(z, width).zip(a.chunks_exact(width))) {
        each(cost.of_example(activation, z, a, targets.example(x)));
        if cancel.poll_after(width * ELEMENT_WORK) {
            break;
        }
    }
}

/// The rows of z, or empty rows if z is not stored.
pub fn rows_of<T>(z: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    let kept = !z.is_empty();
    (0..).map(move |row| {
        if kept {
            &z[row * width..(row + 1) * width]
        } else {
            &[]
        }
    })
}
