//! The configuration in a network file.

use serde::{Deserialize, Serialize};

use crate::base::alloc::check_available;
use crate::base::error::{Error, Result};
use crate::io::network_file::format::{
    CHECKPOINT, ENSEMBLE, FOREIGN_FILE_HINT, NETWORK, VERSION, check_version,
};
use crate::io::safetensors::Reader;

/// More bytes than one byte of a configuration takes when parsed.
const PARSED_BYTES: usize = 32;

/// The configuration, under the key `config`: the arguments of Python's `Network`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileConfig {
    pub(super) sizes: Vec<usize>,
    pub(super) hidden: Vec<String>,
    pub(super) output: String,
    pub(super) cost: String,
    pub(super) dtype: String,
    /// Whether each layer has biases; all have, if this is missing, as in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) biases: Option<Vec<bool>>,
}

/// The configuration in a file.
///
/// # Errors
/// The file is of another kind or a newer version, or its configuration is invalid.
pub(super) fn configuration(reader: &Reader) -> Result<FileConfig> {
    let text = |key: &str| reader.header().metadata.get(key).map(String::as_str);
    let expected = "a network that bpfast saved";
    match text("format") {
        Some(NETWORK | CHECKPOINT) => {}
        other => {
            let got = match other {
                Some(format) => format!("'{format}'"),
                None => "none".to_owned(),
            };
            let hint = match other {
                Some(ENSEMBLE) => "read the networks of an ensemble with bpfast.Ensemble.load",
                _ => FOREIGN_FILE_HINT,
            };
            return Err(Error::value("format", expected, format!("{got}; {hint}")));
        }
    }
    check_version(text("format_version").unwrap_or_default(), VERSION)?;
    let expected = "the configuration of a network";
    let Some(config) = text("config") else {
        return Err(Error::value("config", expected, "none"));
    };
    // serde also takes a list of the values, and names the struct in its errors.
    if !config.trim_ascii_start().starts_with('{') {
        return Err(Error::value("config", expected, "no JSON object"));
    }
    check_available("config", config.len().saturating_mul(PARSED_BYTES))?;
    serde_json::from_str(config).map_err(|error| Error::value("config", expected, error))
}
