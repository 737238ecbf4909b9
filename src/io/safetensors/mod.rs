//! Named tensors in a file, in the safetensors format: eight bytes that tell the length of a
//! header, the header in JSON, the numbers. A file is written whole or not at all, and nothing that
//! a header claims is believed before it fits the file.

mod foreign;
mod header;
mod numbers;
mod read;
mod replace;
#[cfg(test)]
mod tests;
mod write;

use std::io;

pub use header::Header;
pub use numbers::{Number, Numbers};
pub use read::Reader;
pub use safetensors::tensor::{Dtype, TensorInfo};
pub use write::{Tensor, write};

use crate::base::cancel::CancelToken;
use crate::base::error::Error;

/// Why a file was not read or written.
#[derive(Debug)]
pub enum Failure {
    /// The system said no.
    System(io::Error),
    /// The file or what should go into it is not as it must be, memory is short, or the caller
    /// asked to stop.
    Refused(Error),
}

/// `Result` with [`Failure`].
pub type Result<T> = std::result::Result<T, Failure>;

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// How many bytes go to or come from the system at once: a millisecond's work, so that a call hears
/// in time that it should stop.
const BLOCK: usize = 1 << 20;

/// # Errors
/// `cancel` says stop.
fn go_on(cancel: &CancelToken<'_>) -> Result<()> {
    if cancel.poll() {
        return Err(Error::interrupted().into());
    }
    Ok(())
}
