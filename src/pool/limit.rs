//! The default number of threads of a call.

use std::num::{IntErrorKind, NonZeroUsize};
use std::sync::OnceLock;

use crate::base::error::{Error, Result};

/// The largest number of threads that users may set.
pub const MAX_THREADS: usize = 1024;

/// The environment variables that limit the threads; the first one that is set applies.
const VARIABLES: [&str; 3] = ["BPFAST_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS"];

/// The default number of threads: the value of the first of `BPFAST_NUM_THREADS`, `RAYON_NUM_THREADS` and
/// `OMP_NUM_THREADS` that is set, else the number of CPUs that this process may use (affinity and cgroup
/// quota). Read once.
///
/// # Errors
/// `BPFAST_NUM_THREADS` is not a valid number of threads. Invalid values of the other two, which belong to
/// other libraries, are ignored.
pub fn default_threads() -> Result<usize> {
    static DEFAULT: OnceLock<Result<usize>> = OnceLock::new();
    DEFAULT
        .get_or_init(|| from_environment(|name| std::env::var(name).ok()))
        .clone()
}

fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<usize> {
    for name in VARIABLES {
        let Some(text) = variable(name).filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        // OpenMP allows a list with one entry per nesting level; the first is the outermost.
        let first = if name == VARIABLES[2] {
            text.split(',').next()
        } else {
            None
        };
        match first.unwrap_or(&text).trim().parse::<usize>() {
            Ok(threads) if threads > 0 => return Ok(threads.min(MAX_THREADS)),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => return Ok(MAX_THREADS),
            _ if name == VARIABLES[0] => {
                return Err(Error::value(
                    name,
                    "a positive integer",
                    format_args!("'{text}'"),
                ));
            }
            _ => {}
        }
    }
    Ok(cpus().min(MAX_THREADS))
}

/// The number of CPUs that this process may use (affinity and cgroup quota). Read once.
pub fn cpus() -> usize {
    static CPUS: OnceLock<usize> = OnceLock::new();
    *CPUS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_caps_the_threads() {
        let with = |name: &'static str, value: &'static str| {
            from_environment(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("BPFAST_NUM_THREADS", "3"), Ok(3));
        assert_eq!(with("RAYON_NUM_THREADS", " 5 "), Ok(5));
        for many in ["1025", "99999999999999999999"] {
            assert_eq!(with("BPFAST_NUM_THREADS", many), Ok(MAX_THREADS));
        }
        assert_eq!(with("OMP_NUM_THREADS", "4,2"), Ok(4));
        assert!(with("OMP_NUM_THREADS", "many").is_ok());
        let error = with("BPFAST_NUM_THREADS", "0").expect_err("0 threads cannot work");
        assert_eq!(
            error.to_string(),
            "BPFAST_NUM_THREADS: expected a positive integer, got '0'"
        );
    }
}
