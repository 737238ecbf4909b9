//! y with one axis: class labels, and the errors for labels that are wrong or not allowed.

use std::fmt::Display;

use crate::base::error::{Error, Result, ShapeDisplay};
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
        return Err(one_axis_error(width, cost, n, y.len(), true));
    }
    if y.len() != n {
        return Err(Error::shape("y", &[n], &[y.len()]));
    }
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

/// The error for y of shape (`length`,) where values of shape (n, `width`) are expected. It suggests a fix
/// where one is likely; with `whole`, all values are integers and may be meant as labels.
pub(crate) fn one_axis_error(
    width: usize,
    cost: Cost,
    n: usize,
    length: usize,
    whole: bool,
) -> Error {
    let (expected, got) = ([n, width], [length]);
    let (expected, got) = (ShapeDisplay(&expected), ShapeDisplay(&got));
    if length == n && width == 1 {
        let got = format!("{got}; reshape with y[:, None]");
        return Error::value("y", format_args!("shape {expected}"), got);
    }
    if whole && !cost.takes_labels() {
        let takers = "class labels go with 'cross_entropy' and 'log_likelihood'";
        return Error::value("y", format_args!("shape {expected} ({takers})"), got);
    }
    if whole && length == n {
        let got = format!("{got}; labels must be integers: y.astype(int)");
        return Error::value("y", format_args!("shape {expected}"), got);
    }
    Error::value("y", format_args!("shape {expected}"), got)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_y_of_one_axis_suggests_the_right_one() {
        let said =
            |width, cost, length, whole| one_axis_error(width, cost, 4, length, whole).to_string();
        let plain = "y: expected shape (4, 3), got (4,)";
        assert_eq!(said(3, Cost::Quadratic, 4, false), plain);
        assert_eq!(
            said(3, Cost::LogLikelihood, 4, true),
            format!("{plain}; labels must be integers: y.astype(int)")
        );
        assert_eq!(
            said(3, Cost::Quadratic, 4, true),
            "y: expected shape (4, 3) (class labels go with 'cross_entropy' and 'log_likelihood'), \
             got (4,)"
        );
        for (cost, whole) in [(Cost::Quadratic, false), (Cost::CrossEntropy, true)] {
            assert_eq!(
                said(1, cost, 4, whole),
                "y: expected shape (4, 1), got (4,); reshape with y[:, None]"
            );
        }
        let other = "y: expected shape (4, 3), got (5,)";
        assert_eq!(said(3, Cost::CrossEntropy, 5, true), other);
    }
}
