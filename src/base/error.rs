//! What went wrong: which argument, what was expected, what came. Knows no Python.

use std::fmt::{self, Write as _};

use crate::base::suggest::did_you_mean;

/// The family an [`Error`] belongs to; each becomes one Python exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A wrong shape, length, name or number (`ValueError`).
    Value,
    /// Sizes that overflow or that cannot be allocated (`MemoryError`).
    Memory,
    /// The caller asked to stop (`KeyboardInterrupt`, or what the signal handler raised).
    Interrupted,
    /// The call was forked, and this is the child (`RuntimeError`).
    Forked,
}

/// An error that carries its facts: `weights[1]: expected shape (3, 4), got (4, 3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `argument` has a wrong value: says what was `expected` and what was `got`.
    pub fn value(
        argument: impl fmt::Display,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) -> Self {
        Self {
            kind: Kind::Value,
            message: message(format_args!("{argument}: expected {expected}, got {got}")),
        }
    }

    /// `argument` has a wrong shape.
    pub fn shape(argument: impl fmt::Display, expected: &[usize], got: &[usize]) -> Self {
        Self::value(
            argument,
            format_args!("shape {}", Shape(expected)),
            Shape(got),
        )
    }

    /// `argument` names nothing in `valid`; the one that was meant, if that can be told, is offered
    /// first.
    pub fn unknown_name(argument: impl fmt::Display, got: &str, valid: &[&str]) -> Self {
        Self {
            kind: Kind::Value,
            message: message(format_args!(
                "{argument}: unknown name '{got}'; {}valid: '{}'",
                did_you_mean(got, valid),
                valid.join("', '")
            )),
        }
    }

    /// The same error, in what lies at `place`.
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self {
            kind: self.kind,
            message: message(format_args!("{place}: {}", self.message)),
        }
    }

    /// `argument` asks for more memory than can be counted or had.
    pub fn memory(argument: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Memory,
            message: message(format_args!("{argument}: {what}")),
        }
    }

    /// The caller's interrupt asked the work to stop.
    pub fn interrupted() -> Self {
        Self {
            kind: Kind::Interrupted,
            message: "interrupted".to_owned(),
        }
    }

    /// The process was forked in the middle of the call, which its child cannot finish.
    pub fn forked() -> Self {
        Self {
            kind: Kind::Forked,
            message:
                "a forked child cannot finish the call in which its parent was forked; it can \
                      begin calls of its own"
                    .to_owned(),
        }
    }

    /// The family of the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A message, which may hold a name of any length. It ends where the memory does: the beginning tells most.
fn message(words: fmt::Arguments<'_>) -> String {
    text(words).unwrap_or_else(|beginning| beginning)
}

/// `words` as a string, which may be of any length.
///
/// # Errors
/// The memory ends: what is there of it.
pub(crate) fn text(words: impl fmt::Display) -> std::result::Result<String, String> {
    struct Text(String);
    impl fmt::Write for Text {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0.try_reserve(part.len()).map_err(|_| fmt::Error)?;
            self.0.push_str(part);
            Ok(())
        }
    }
    let mut text = Text(String::new());
    match write!(text, "{words}") {
        Ok(()) => Ok(text.0),
        Err(_) => Err(text.0),
    }
}

/// A shape as Python writes it: `()`, `(3,)`, `(3, 4)`.
pub(crate) struct Shape<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Shape<'_> {
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
    fn shapes_read_as_in_python() {
        let error = Error::shape("weights[1]", &[3, 4], &[4, 3]);
        assert_eq!(
            error.to_string(),
            "weights[1]: expected shape (3, 4), got (4, 3)"
        );
        assert_eq!(Shape(&[7]).to_string(), "(7,)");
        assert_eq!(Shape(&[]).to_string(), "()");
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
