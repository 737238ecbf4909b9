//! What comes in with a batch: x, y and the weights of the examples, checked against a network.

mod inputs;
pub(crate) mod labels;
pub(crate) mod targets;

pub use inputs::{Incoming, Inputs};
use ndarray::ArrayView2;
pub(crate) use targets::Y;
pub use targets::{Reduction, Targets};

use crate::base::error::{Error, Result};

fn contiguous<'a, T>(argument: &str, array: ArrayView2<'a, T>) -> Result<&'a [T]> {
    array
        .to_slice()
        .ok_or_else(|| Error::value(argument, "a C-contiguous array", "another layout"))
}
