//! Tests that need the core; tests/io/test_store.py has the others.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::cancel::{CancelFlag, CancelToken};
use crate::base::error::ErrorKind;
use crate::io::safetensors::header::{Header, MAX_LENGTH};
use crate::io::safetensors::{FileError, Reader, Tensor, TensorData, write};

/// A temporary folder.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("bpfast-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries.map(|entry| name(entry.expect("a file"))).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tensors() -> Vec<Tensor<'static>> {
    let tensor = |name: &str, shape: &[usize], numbers| Tensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        numbers,
    };
    vec![
        tensor("bits", &[3], TensorData::Bool(Cow::Owned(vec![0, 1, 7]))),
        tensor("z", &[2], TensorData::Float32(Cow::Owned(vec![-0.0, 1.5]))),
        tensor("none", &[0, 2], TensorData::UInt8(Cow::Owned(vec![]))),
        tensor("a", &[], TensorData::UInt64(Cow::Owned(vec![u64::MAX]))),
    ]
}

fn stored(path: &Path, tensors: &[Tensor<'_>]) -> crate::io::safetensors::Result<()> {
    let metadata = BTreeMap::from([("who".to_owned(), "us".to_owned())]);
    write(path, tensors, metadata, &CancelToken::none())
}

#[test]
fn the_bytes_of_a_file_are_fixed() {
    let folder = Folder::new("bytes");
    let path = folder.0.join("x");
    stored(&path, &tensors()).expect("written");
    let header = concat!(
        r#"{"__metadata__":{"who":"us"},"a":{"dtype":"U64","shape":[],"data_offsets":[0,8]},"#,
        r#""z":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"#,
        r#""bits":{"dtype":"BOOL","shape":[3],"data_offsets":[16,19]},"#,
        r#""none":{"dtype":"U8","shape":[0,2],"data_offsets":[19,19]}}"#
    );
    let length = header.len().next_multiple_of(8);
    let mut expected = (length as u64).to_le_bytes().to_vec();
    expected.extend(format!("{header:length$}").bytes());
    expected.extend([255; 8]);
    expected.extend([0, 0, 0, 128, 0, 0, 192, 63]);
    expected.extend([0, 1, 1]);
    assert_eq!(fs::read(&path).expect("the file"), expected);
    assert_eq!(folder.names(), ["x"]);

    let reader = Reader::open(&path).expect("opened");
    assert_eq!(reader.header().metadata["who"], "us");
    let read = |k| reader.tensor(k, &CancelToken::none()).expect("read");
    let read: Vec<_> = (0..4).map(read).collect();
    assert_eq!(read[0], TensorData::UInt64(Cow::Owned(vec![u64::MAX])));
    assert_eq!(read[2], TensorData::Bool(Cow::Owned(vec![0, 1, 1])));
    assert_eq!((read[3].len(), read[3].is_empty()), (0, true));
}

#[test]
fn invalid_tensors_are_refused_before_a_file_is_created() {
    let folder = Folder::new("refused");
    let path = folder.0.join("x");
    let mut twice = tensors();
    twice.extend(tensors());
    let mut short = tensors();
    short[1].shape = vec![3];
    let mut reserved = tensors();
    reserved[0].name = "__metadata__".to_owned();
    for (tensors, words) in [
        (twice, r#"two tensors are called "a""#),
        (short, "tensors['z']: expected numbers of shape (3,), got 2"),
        (reserved, "tensors['__metadata__']: expected another name"),
    ] {
        let Err(FileError::Refused(error)) = stored(&path, &tensors) else {
            panic!("{words}: not refused");
        };
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(folder.names().is_empty());
}

#[test]
fn a_header_is_at_most_as_long_as_readers_accept() {
    let around = r#"{"__metadata__":{"who":""}}"#.len();
    let written = |length: usize| {
        let metadata = BTreeMap::from([("who".to_owned(), "x".repeat(length - around))]);
        let header = Header::of(&[], metadata).expect("a header");
        header.to_bytes().map(|bytes| bytes.len())
    };
    assert_eq!(written(MAX_LENGTH), Ok(8 + MAX_LENGTH));
    let error = written(MAX_LENGTH + 1).expect_err("too long").to_string();
    let words = "expected a header of at most 100000000 bytes, got 100000008";
    assert!(error.ends_with(words), "{error}");
}

#[test]
fn cancellation_keeps_the_old_file() {
    let folder = Folder::new("interrupt");
    let path = folder.0.join("x");
    stored(&path, &tensors()).expect("written");
    let before = fs::read(&path).expect("the file");
    let stop = CancelFlag::default();
    stop.cancel();
    let failure = write(
        &path,
        &tensors(),
        BTreeMap::new(),
        &CancelToken::worker(&stop),
    );
    let Err(FileError::Refused(error)) = failure else {
        panic!("not interrupted");
    };
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(fs::read(&path).expect("the file"), before);
    assert_eq!(folder.names(), ["x"]);
}
