//! The header of a file: metadata, and the position of each tensor.

use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, io};

use safetensors::tensor::{Metadata, TensorInfo};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::alloc::try_reserve;
use crate::base::error::{Error, Result, ShapeDisplay};
use crate::io::safetensors::Tensor;

/// The bytes before the header, which hold its length, little-endian.
pub(super) const LENGTH_BYTES: usize = 8;

/// The longest header that readers of the format accept.
pub(super) const MAX_LENGTH: usize = 100_000_000;

/// The most dimensions of a tensor that every NumPy supports.
const MAX_DIMENSIONS: usize = 32;

/// The key of the metadata; no tensor may have this name.
const METADATA_KEY: &str = "__metadata__";

/// The content of a header.
#[derive(Debug, Clone)]
pub struct Header {
    /// Text about the whole file.
    pub metadata: BTreeMap<String, String>,
    /// The name and position of each tensor, in file order.
    pub tensors: Vec<(String, TensorInfo)>,
}

impl Header {
    /// The header of a file in which `tensors` follow each other.
    ///
    /// # Errors
    /// Two tensors have the same name, a name is reserved, or a shape does not match its number of
    /// elements.
    pub(super) fn of(tensors: &[&Tensor<'_>], metadata: BTreeMap<String, String>) -> Result<Self> {
        let mut infos = Vec::with_capacity(tensors.len());
        let mut end = 0;
        for tensor in tensors {
            let (name, shape) = (&tensor.name, &tensor.shape);
            let argument = || format!("tensors['{name}']");
            if name == METADATA_KEY {
                return Err(Error::value(argument(), "another name", "a reserved one"));
            }
            let expected = count(shape).filter(|&count| count == tensor.numbers.len());
            let Some(count) = expected else {
                let expected = format!("numbers of shape {}", ShapeDisplay(shape));
                return Err(Error::value(argument(), expected, tensor.numbers.len()));
            };
            let info = TensorInfo {
                dtype: tensor.numbers.dtype(),
                shape: shape.clone(),
                data_offsets: (end, end + count * tensor.numbers.dtype().bitsize() / 8),
            };
            end = info.data_offsets.1;
            infos.push((name.clone(), info));
        }
        let header = Self {
            metadata,
            tensors: infos,
        };
        header.check(end as u64).map_err(|reason| {
            Error::value("tensors", "what a safetensors file can hold", reason)
        })?;
        Ok(header)
    }

    /// The length and the header, padded with spaces so that the data starts at a multiple of eight.
    ///
    /// # Errors
    /// It is longer than readers accept.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let refuse = |got: &dyn fmt::Display| {
            let expected = format_args!("a header of at most {MAX_LENGTH} bytes").to_string();
            Error::value("tensors, metadata", expected, got)
        };
        let mut bytes = FallibleWriter(vec![0; LENGTH_BYTES]);
        serde_json::to_writer(&mut bytes, self).map_err(|error| match error.io_error_kind() {
            Some(_) => Error::memory("tensors, metadata", "cannot allocate a header"),
            None => refuse(&error),
        })?;
        let FallibleWriter(mut bytes) = bytes;
        let length = bytes.len().next_multiple_of(LENGTH_BYTES);
        try_reserve("tensors, metadata", &mut bytes, LENGTH_BYTES)?;
        bytes.resize(length, b' ');
        let json = length - LENGTH_BYTES;
        if json > MAX_LENGTH {
            return Err(refuse(&json));
        }
        bytes[..LENGTH_BYTES].copy_from_slice(&(json as u64).to_le_bytes());
        Ok(bytes)
    }

    /// The number of bytes of data.
    pub(super) fn end(&self) -> usize {
        self.tensors.last().map_or(0, |last| last.1.data_offsets.1)
    }

    /// Parses the header in `json`, which precedes `data_bytes` bytes of data.
    ///
    /// # Errors
    /// What is wrong with it, phrased to follow "got ".
    pub(super) fn parse(json: &[u8], data_bytes: u64) -> std::result::Result<Self, String> {
        let bad = |error: &dyn fmt::Display| format!("a file with a bad header: {error}");
        let mut header: Self = serde_json::from_slice(json).map_err(|error| bad(&error))?;
        header.tensors.sort_by_key(|(_, info)| info.data_offsets);
        header.check(data_bytes).map_err(|error| bad(&error))?;
        Ok(header)
    }

    /// Checks that names differ, and that the tensors cover `data_bytes` bytes without gaps or overlaps.
    fn check(&self, data_bytes: u64) -> std::result::Result<(), String> {
        let mut names = BTreeSet::new();
        for (name, info) in &self.tensors {
            if !names.insert(name) {
                return Err(format!("two tensors are called {name:?}"));
            }
            if info.shape.len() > MAX_DIMENSIONS {
                let rank = info.shape.len();
                return Err(format!(
                    "{name:?} has {rank} dimensions, over {MAX_DIMENSIONS}"
                ));
            }
            if count(&info.shape).is_none() {
                return Err(format!("{name:?} has a shape that is too large"));
            }
        }
        Metadata::new(None, self.tensors.clone()).map_err(|error| error.to_string())?;
        let end = self.end();
        if end as u64 != data_bytes {
            return Err(format!(
                "its tensors take {end} bytes, and {data_bytes} follow it"
            ));
        }
        Ok(())
    }
}

/// The number of elements of an array of that shape; None if NumPy cannot have such an array.
fn count(shape: &[usize]) -> Option<usize> {
    // NumPy refuses sides that are too large even next to a 0.
    let sides = shape.iter().filter(|&&side| side != 0);
    let product = sides.copied().try_fold(1_usize, usize::checked_mul)?;
    product
        .checked_mul(size_of::<u64>())
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .map(|_| if shape.contains(&0) { 0 } else { product })
}

/// A byte writer whose growth can fail.
struct FallibleWriter(Vec<u8>);

impl io::Write for FallibleWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        try_reserve("header", &mut self.0, bytes.len())
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA_KEY, &self.metadata)?;
        }
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

// Implemented manually, as a derived map would silently keep the last of two entries with the same name.
impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
        let (mut metadata, mut tensors) = (None, Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            if name != METADATA_KEY {
                tensors.push((name, map.next_value()?));
            } else if metadata
                .replace(map.next_value::<UniqueMetadata>()?.0)
                .is_some()
            {
                return Err(A::Error::duplicate_field(METADATA_KEY));
            }
        }
        let metadata = metadata.unwrap_or_default();
        Ok(Header { metadata, tensors })
    }
}

struct UniqueMetadata(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for UniqueMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = UniqueMetadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<UniqueMetadata, A::Error> {
        let mut text = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if text.insert(key, value).is_some() {
                return Err(A::Error::custom("a key of __metadata__ occurs twice"));
            }
        }
        Ok(UniqueMetadata(text))
    }
}
