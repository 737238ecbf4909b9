//! Strings that are allocated fallibly.

use std::fmt::Display;

use crate::base::error::{self, Error, Result};

/// `words` as a string. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn text(what: &str, words: impl Display) -> Result<String> {
    error::text(words).map_err(|_| Error::memory(what, "cannot allocate its text"))
}
