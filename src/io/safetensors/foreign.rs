//! Recognizes files of other formats by their first bytes, and names the function that reads them.

use crate::io::safetensors::header::{LENGTH_BYTES, MAX_LENGTH};

/// How many bytes of a file are examined.
pub(super) const START: usize = 512;

const PICKLE: &str = "a Python pickle: read it with pickle.load (or joblib.load), if you trust who wrote it, \
    and pass an estimator of scikit-learn to bpfast.formats.from_sklearn";

const ZLIB: &str = "a file compressed with zlib, such as joblib's: joblib.load may read it, if you trust who wrote \
    it; bpfast.formats.from_sklearn takes an estimator of scikit-learn";

const TORCH: &str = "a PyTorch file: read it with bpfast.formats.from_torch";

/// Offset and magic bytes of each format; special cases come before general ones.
const FORMATS: [(usize, &[u8], &str); 26] = [
    (
        0,
        b"\x93NUMPY",
        "a NumPy .npy file: read it with numpy.load, and assign it to net.params",
    ),
    (
        0,
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file: read it with bpfast.formats.from_keras if it is a model of Keras, else with \
         h5py, and pass its arrays to Network.from_parameters",
    ),
    (0, b"PK", "a ZIP archive"),
    (
        0,
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
        TORCH,
    ),
    (0, b"\x80\x02", PICKLE),
    (0, b"\x80\x03", PICKLE),
    (0, b"\x80\x04", PICKLE),
    (0, b"\x80\x05", PICKLE),
    (
        0,
        b"\x1f\x8b",
        "a file compressed with gzip: decompress it first",
    ),
    (
        0,
        b"BZh",
        "a file compressed with bzip2: decompress it first",
    ),
    (
        0,
        b"\xfd7zXZ\0",
        "a file compressed with xz: decompress it first",
    ),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        "a file compressed with zstd: decompress it first",
    ),
    (0, b"\x78\x01", ZLIB),
    (0, b"\x78\x9c", ZLIB),
    (0, b"\x78\xda", ZLIB),
    (257, b"ustar", "a tar archive: unpack it first"),
    (
        4,
        b"TFL3",
        "a TensorFlow Lite model, which bpfast does not read",
    ),
    (0, b"GGUF", "a GGUF file, which bpfast does not read"),
    (
        0,
        b"MATLAB 5.0",
        "a MATLAB file: read it with scipy.io.loadmat, and pass its arrays to \
        Network.from_parameters",
    ),
    (
        0,
        b"PAR1",
        "a Parquet file, which is a table: read it with pandas.read_parquet",
    ),
    (
        0,
        b"ARROW1",
        "an Arrow file, which is a table: read it with pandas.read_feather",
    ),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"%PDF", "a PDF document"),
];

/// How the name of a ZIP archive's first entry ends, and which program writes such archives.
const ARCHIVES: [(&[u8], &str); 4] = [
    (
        b".npy",
        "a NumPy .npz file: read it with numpy.load, and pass its arrays to \
         Network.from_parameters",
    ),
    (b"data.pkl", TORCH),
    (b".format_version", TORCH),
    (
        b"metadata.json",
        "a Keras file: read it with bpfast.formats.from_keras",
    ),
];

/// How text formats begin.
const TEXTS: [(&str, &str); 5] = [
    (
        "version https://git-lfs",
        "a pointer of Git LFS to the file: fetch it with git lfs pull",
    ),
    ("<", "a web page or XML"),
    ("{", JSON),
    ("[", JSON),
    ("", "text"),
];

const JSON: &str = "JSON: read it with json.load, and pass a configuration to Network(**config), \
    weights and biases to Network.from_parameters";

/// What a file that begins with `start` is, and what reads it; None for a safetensors file, complete or
/// damaged: its header begins after eight bytes of length, which are not text.
pub(super) fn other_format(start: &[u8]) -> Option<&'static str> {
    let length = u64::from_le_bytes(*start.first_chunk()?);
    let fits = length <= MAX_LENGTH as u64;
    let is_safetensors = match start.get(LENGTH_BYTES) {
        Some(byte) => *byte == b'{' && (fits || !is_text(start)),
        None => fits,
    };
    if is_safetensors {
        return None;
    }
    let unknown = "a file in a format that bpfast does not know";
    recognised(start).or((!fits).then_some(unknown))
}

/// The format of a file that begins with `start`, if it is known.
fn recognised(start: &[u8]) -> Option<&'static str> {
    let found = FORMATS.iter().find(|(offset, magic, _)| {
        let there = start.get(*offset..).unwrap_or_default();
        there.starts_with(magic)
    });
    match found {
        Some((_, b"PK", archive)) => Some(in_archive(start).unwrap_or(archive)),
        Some((_, _, format)) => Some(format),
        None if is_onnx(start) => Some("an ONNX model: read it with bpfast.formats.from_onnx"),
        None if is_text(start) => in_text(start),
        None => None,
    }
}

/// The kind of a ZIP archive, by the name of its first entry, whose length is in the two bytes at 26.
fn in_archive(start: &[u8]) -> Option<&'static str> {
    let &[low, high] = start.get(26..28)? else {
        return None;
    };
    let name = start
        .get(30..)?
        .get(..usize::from(u16::from_le_bytes([low, high])))?;
    let found = ARCHIVES.iter().find(|(end, _)| name.ends_with(end));
    found.map(|(_, format)| *format)
}

/// The first field of a model is the format version, from 3 to about ten; the next is text about its
/// producer, or the graph.
fn is_onnx(start: &[u8]) -> bool {
    matches!(
        start,
        [0x08, 3..=31, 0x12 | 0x1a | 0x22 | 0x32 | 0x3a | 0x42, ..]
    )
}

/// Whether all bytes are printable characters, tabs or line ends.
fn is_text(start: &[u8]) -> bool {
    let whole = match std::str::from_utf8(start) {
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => &start[..error.valid_up_to()], // the last character may be cut
        Ok(_) => start,
    };
    let is_shown = |&byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    !whole.is_empty() && whole.iter().all(is_shown)
}

fn in_text(start: &[u8]) -> Option<&'static str> {
    let bare = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .trim_ascii_start();
    let found = TEXTS
        .iter()
        .find(|(begin, _)| bare.starts_with(begin.as_bytes()));
    found.map(|(_, format)| *format)
}
