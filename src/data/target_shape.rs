//! The shape of y, and the messages for a wrong one.

use crate::base::error::{Error, Result, ShapeDisplay};

/// Checks that y has the shape `expected`.
///
/// # Errors
/// It has another.
pub fn check_axes(expected: &[usize], got: &[usize]) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    if let ([n, width], [rows, columns]) = (expected, got)
        && (rows, columns) == (width, n)
    {
        let expected = format_args!("shape {}", ShapeDisplay(expected));
        let got = format_args!("{}; examples are rows: y.T", ShapeDisplay(got));
        return Err(Error::value("y", expected, got));
    }
    Err(Error::shape("y", expected, got))
}

/// The error for y of shape (`length`,) where values of shape (n, `width`) are expected; with `whole`, all
/// values are integers and may be meant as labels.
pub fn one_axis_error(width: usize, n: usize, length: usize, whole: bool) -> Error {
    let (expected, got) = ([n, width], [length]);
    let (expected, got) = (ShapeDisplay(&expected), ShapeDisplay(&got));
    if whole && width > 1 {
        let takers = "class labels go with 'cross_entropy' and 'log_likelihood'";
        return Error::value("y", format_args!("shape {expected} ({takers})"), got);
    }
    Error::value("y", format_args!("shape {expected}"), got)
}

/// The error for labels as a column, (`n`, 1), where values of shape (n, `width`), or labels, are expected.
pub fn label_column_error(width: usize, n: usize) -> Error {
    let (expected, got) = ([n, width], [n, 1]);
    let got = format!("{}; labels have one axis: y.ravel()", ShapeDisplay(&got));
    Error::value("y", format_args!("shape {}", ShapeDisplay(&expected)), got)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_y_of_one_axis_suggests_the_right_one() {
        let said = |width, length, whole| one_axis_error(width, 4, length, whole).to_string();
        let plain = "y: expected shape (4, 3), got (4,)";
        assert_eq!(said(3, 4, false), plain);
        assert_eq!(
            said(3, 4, true),
            "y: expected shape (4, 3) (class labels go with 'cross_entropy' and 'log_likelihood'), \
             got (4,)"
        );
        assert_eq!(said(1, 5, true), "y: expected shape (4, 1), got (5,)");
    }

    #[test]
    fn a_column_of_labels_suggests_one_axis() {
        assert_eq!(
            label_column_error(3, 4).to_string(),
            "y: expected shape (4, 3), got (4, 1); labels have one axis: y.ravel()"
        );
    }
}
