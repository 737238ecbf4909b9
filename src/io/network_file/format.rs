//! What all files of networks have in common: the values of the metadata keys `format` and `format_version`.

use crate::base::error::{Error, Result};

/// The format of a network file.
pub const NETWORK: &str = "bpfast.network";

/// That of a checkpoint: a network and the state of its training.
pub const CHECKPOINT: &str = "bpfast.checkpoint";

/// That of an ensemble.
pub const ENSEMBLE: &str = "bpfast.ensemble";

/// The version of networks and checkpoints. Increased when older readers would misread the new format.
pub const VERSION: u64 = 1;

/// The prefix of the tensors in a checkpoint that are not the network's.
pub const TRAINING_PREFIX: &str = "training.";

/// Advice for tensors of other programs.
pub const FOREIGN_FILE_HINT: &str = "read it with bpfast.formats.from_torch if it is a state_dict of PyTorch, else \
    with safetensors.numpy.load_file, and pass weights of shape (outputs, inputs) and biases to \
    Network.from_parameters";

/// Checks the version in a file, as text, against the newest one that is known.
///
/// # Errors
/// The version is newer, or is not a number from 1 on in its usual form.
pub fn check_version(version: &str, newest: u64) -> Result<()> {
    // "+1" and "01" parse too.
    let is_number = version.starts_with(|first: char| ('1'..='9').contains(&first))
        && version.bytes().all(|byte| byte.is_ascii_digit());
    if is_number
        && version
            .parse::<u64>()
            .is_ok_and(|version| version <= newest)
    {
        return Ok(());
    }
    let got = if is_number {
        format!("{version}: a newer bpfast wrote the file")
    } else {
        format!("'{version}'")
    };
    let expected = format!("{newest}, or an earlier one");
    Err(Error::value("format_version", expected, got))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_up_to_the_newest() {
        for version in ["1", "2", "12"] {
            assert!(check_version(version, 12).is_ok(), "{version}");
        }
        for version in [
            "", "0", "+1", "01", " 1", "1 ", "1.0", "-1", "1_0", "\u{661}",
        ] {
            let error = check_version(version, 12).expect_err(version).to_string();
            assert!(error.ends_with(&format!("got '{version}'")), "{error}");
        }
        for version in ["13", "99999999999999999999"] {
            let error = check_version(version, 12).expect_err(version).to_string();
            assert!(error.contains("a newer bpfast wrote the file"), "{error}");
        }
    }
}
