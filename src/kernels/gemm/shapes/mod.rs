//! Products of special shapes: few columns, a single row, a single term.

pub(super) mod gemv;
pub(super) mod narrow;
mod one_row;
mod outer;
