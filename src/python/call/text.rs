//! Strings whose memory can be refused.

use std::fmt::Display;

use crate::base::error::{self, Error, Result};

/// `words` as a string. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn text(what: &str, words: impl Display) -> Result<String> {
    error::text(words).map_err(|_| Error::memory(what, "cannot allocate its text"))
}
