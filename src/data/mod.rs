//! The input of a batch: x, y and the sample weights, validated against a network.

mod inputs;
pub mod labels;
pub mod target_shape;
pub(crate) mod targets;

pub use inputs::{Inputs, LayerInput};
pub(crate) use targets::Y;
pub use targets::{Reduction, Targets};

use crate::base::error::{Error, Result};
use crate::kernels::gemm::Matrix;

fn contiguous<'a, T>(argument: &str, matrix: &Matrix<'a, T>) -> Result<&'a [T]> {
    matrix
        .as_slice()
        .ok_or_else(|| Error::value(argument, "a C-contiguous array", "another layout"))
}
