//! Errors: which argument, what was expected, what came. Independent of Python.

use std::fmt::{self, Write as _};

use crate::base::suggest::did_you_mean;

/// The kind of an [`Error`]; each maps to one Python exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A wrong shape, length, name or value (`ValueError`).
    Value,
    /// A size that overflows or cannot be allocated (`MemoryError`).
    Memory,
    /// The caller cancelled the call (`KeyboardInterrupt`, or what the signal handler raised).
    Interrupted,
    /// The process was forked during the call, and this is the child (`RuntimeError`).
    Forked,
}

/// An error with its argument: `weights[1]: expected shape (3, 4), got (4, 3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `argument` has a wrong value: `expected` was expected, and `got` came.
    pub fn value(
        argument: impl fmt::Display,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) -> Self {
        Self {
            kind: ErrorKind::Value,
            message: message(format_args!("{argument}: expected {expected}, got {got}")),
        }
    }

    /// `argument` has a wrong shape.
    pub fn shape(argument: impl fmt::Display, expected: &[usize], got: &[usize]) -> Self {
        Self::value(
            argument,
            format_args!("shape {}", ShapeDisplay(expected)),
            ShapeDisplay(got),
        )
    }

    /// `argument` is not in `valid`; suggests the valid name that was probably meant.
    pub fn unknown_name(argument: impl fmt::Display, got: &str, valid: &[&str]) -> Self {
        Self {
            kind: ErrorKind::Value,
            message: message(format_args!(
                "{argument}: unknown name '{got}'; {}valid: '{}'",
                did_you_mean(got, valid),
                valid.join("', '")
            )),
        }
    }

    /// The same error, for the argument inside `context`.
    pub fn at(self, context: impl fmt::Display) -> Self {
        Self {
            kind: self.kind,
            message: message(format_args!("{context}: {}", self.message)),
        }
    }

    /// `argument` needs more memory than there is or than can be counted.
    pub fn memory(argument: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self {
            kind: ErrorKind::Memory,
            message: message(format_args!("{argument}: {what}")),
        }
    }

    /// The caller cancelled the call.
    pub fn interrupted() -> Self {
        Self {
            kind: ErrorKind::Interrupted,
            message: "interrupted".to_owned(),
        }
    }

    /// The process was forked during the call, and the child cannot finish it.
    pub fn forked() -> Self {
        Self {
            kind: ErrorKind::Forked,
            message:
                "a forked child cannot finish the call in which its parent was forked; it can \
                      begin calls of its own"
                    .to_owned(),
        }
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Formats a message, which may contain a name of any length. If memory runs out, it is truncated.
fn message(words: fmt::Arguments<'_>) -> String {
    text(words).unwrap_or_else(|beginning| beginning)
}

/// Formats `words`, of any length.
///
/// # Errors
/// Memory runs out; the error is the truncated string.
pub(crate) fn text(words: impl fmt::Display) -> std::result::Result<String, String> {
    struct FallibleString(String);
    impl fmt::Write for FallibleString {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0.try_reserve(part.len()).map_err(|_| fmt::Error)?;
            self.0.push_str(part);
            Ok(())
        }
    }
    let mut text = FallibleString(String::new());
    match write!(text, "{words}") {
        Ok(()) => Ok(text.0),
        Err(_) => Err(text.0),
    }
}

/// A shape in Python's notation: `()`, `(3,)`, `(3, 4)`.
pub(crate) struct ShapeDisplay<'a>(pub(crate) &'a [usize]);

impl fmt::Display for ShapeDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [single] => write!(f, "({single},)"),
            lengths => {
                f.write_str("(")?;
                for (index, length) in lengths.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{length}")?;
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_formatted_as_in_python() {
        let error = Error::shape("weights[1]", &[3, 4], &[4, 3]);
        assert_eq!(
            error.to_string(),
            "weights[1]: expected shape (3, 4), got (4, 3)"
        );
        assert_eq!(ShapeDisplay(&[7]).to_string(), "(7,)");
        assert_eq!(ShapeDisplay(&[]).to_string(), "()");
    }

    #[test]
    fn an_unknown_name_lists_the_valid_ones() {
        let error = Error::unknown_name("cost", "quadratc", &["huber", "quadratic"]);
        assert_eq!(
            error.to_string(),
            "cost: unknown name 'quadratc'; did you mean 'quadratic'? valid: 'huber', 'quadratic'"
        );
        let far = Error::unknown_name("cost", "zzz", &["huber"]);
        assert_eq!(far.to_string(), "cost: unknown name 'zzz'; valid: 'huber'");
    }
}
