//! Named tensors in a file, in the safetensors format: eight bytes with the length of the header, the
//! header in JSON, the data. Files are written atomically, and no claim of a header is trusted before it is
//! checked against the file's size.

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
pub use numbers::{TensorData, TensorElement};
pub use read::Reader;
pub use replace::replace_file;
pub use safetensors::tensor::{Dtype, TensorInfo};
pub use write::{Tensor, write};

use crate::base::cancel::CancelToken;
use crate::base::error::Error;

/// Why a file was not read or written.
#[derive(Debug)]
pub enum FileError {
    /// The system reported an error.
    System(io::Error),
    /// The file, or what should be written, is invalid; or memory runs out, or the call is cancelled.
    Refused(Error),
}

/// `Result` with [`FileError`].
pub type Result<T> = std::result::Result<T, FileError>;

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// The bytes per read or write: about a millisecond, so that a call polls for cancellation often enough.
const BLOCK: usize = 1 << 20;

/// # Errors
/// The call is cancelled.
pub(super) fn check_cancelled(cancel: &CancelToken<'_>) -> Result<()> {
    if cancel.poll() {
        return Err(Error::interrupted().into());
    }
    Ok(())
}
