//! Products of special shapes: few columns, a single row, a single term.

pub(super) mod few_columns;
pub(super) mod gemv;
mod one_row;
mod outer;
