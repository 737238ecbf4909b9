//! Class labels, and the errors for wrong ones.

use std::fmt::Display;

use crate::base::error::{Error, Result};
use crate::data::target_shape::{check_axes, one_axis_error};
use crate::model::cost::Cost;

/// The number of classes of an output of `width` neurons: two for a single neuron.
fn classes(width: usize) -> usize {
    width.max(2)
}

/// Checks the labels of `n` examples; errors count them from `first`.
///
/// # Errors
/// The cost takes no labels, their number is not `n`, or a label is out of range.
pub(crate) fn check(width: usize, cost: Cost, n: usize, y: &[i64], first: usize) -> Result<()> {
    if !cost.takes_labels() {
        return Err(one_axis_error(width, n, y.len(), true));
    }
    check_axes(&[n], &[y.len()])?;
    let known = i64::try_from(classes(width)).unwrap_or(i64::MAX);
    match y.iter().position(|label| !(0..known).contains(label)) {
        Some(x) => Err(label_error(first + x, width, y[x])),
        None => Ok(()),
    }
}

/// The error for a label that is out of range for `width` neurons.
pub(crate) fn label_error(x: usize, width: usize, label: impl Display) -> Error {
    let expected = format!("a label from 0 to {}", classes(width) - 1);
    Error::value(format!("y[{x}]"), expected, label)
}

/// Checks labels that are floating-point numbers, as label columns of tables often are: each is the number
/// of a class.
///
/// # Errors
/// One is not.
pub fn check_whole(width: usize, y: &[f64]) -> Result<()> {
    #[allow(clippy::cast_precision_loss)] // exact below 2^53
    let known = 0.0..classes(width) as f64;
    let is_label = |y: &f64| y.fract() == 0.0 && known.contains(y);
    match y.iter().position(|y| !is_label(y)) {
        Some(x) if y[x].is_nan() => Err(label_error(x, width, "nan")),
        Some(x) => Err(label_error(x, width, y[x])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_may_be_whole_floating_point_numbers() {
        let said = |y: &[f64]| check_whole(3, y).map_err(|error| error.to_string());
        assert_eq!(said(&[0.0, 2.0, -0.0, 1.0]), Ok(()));
        for (wrong, shown) in [
            (0.5, "0.5"),
            (3.0, "3"),
            (-1.0, "-1"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
        ] {
            let expected = format!("y[1]: expected a label from 0 to 2, got {shown}");
            assert_eq!(said(&[0.0, wrong]), Err(expected));
        }
    }
}
