//! Reading a file: first its header, then the tensors that are requested.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::base::alloc::{check_available, try_defaults, try_reserve};
use crate::base::cancel::CancelToken;
use crate::base::error::Error;
use crate::io::safetensors::foreign::{START, other_format};
use crate::io::safetensors::header::{LENGTH_BYTES, MAX_LENGTH};
use crate::io::safetensors::{
    BLOCK, Dtype, FileError, Header, Result, TensorData, TensorElement, TensorInfo, check_cancelled,
};

/// A file whose header has been read and matches its size.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: File,
    /// Where the data begins.
    start: u64,
    header: Header,
}

impl Reader {
    /// Opens the file at `path` and reads its header.
    ///
    /// # Errors
    /// It cannot be read, or it is not a safetensors file.
    pub fn open(path: &Path) -> Result<Self> {
        let refuse = |got: &dyn Display| Error::value(path.display(), "a safetensors file", got);
        let kind = fs::metadata(path)?;
        if kind.is_dir() {
            return Err(refuse(&"a directory").into());
        }
        // Opening a pipe would block until something writes to it.
        if !kind.is_file() {
            return Err(refuse(&"a pipe or a device").into());
        }
        let file = File::open(path)?;
        let mut start = Vec::new();
        try_reserve(&path.to_string_lossy(), &mut start, START)?;
        (&file).take(START as u64).read_to_end(&mut start)?;
        if let Some(format) = other_format(&start) {
            return Err(refuse(&format).into());
        }
        let length = file.metadata()?.len();
        let Some(rest) = length.checked_sub(LENGTH_BYTES as u64) else {
            return Err(refuse(&format_args!("{length} bytes")).into());
        };
        let mut size = [0; LENGTH_BYTES];
        fill(&file, 0, &mut size, path)?;
        let size = u64::from_le_bytes(size);
        let Some(data_length) = rest.checked_sub(size) else {
            let got = format!("a file of {length} bytes whose header would take {size}");
            return Err(refuse(&got).into());
        };
        let json = usize::try_from(size)
            .ok()
            .filter(|&size| size <= MAX_LENGTH);
        let Some(json) = json else {
            let got = format!("a header of {size} bytes, over {MAX_LENGTH}");
            return Err(refuse(&got).into());
        };
        let mut bytes = zeros(json, path)?;
        fill(&file, LENGTH_BYTES as u64, &mut bytes, path)?;
        check_available(path.display(), json.saturating_mul(PARSED_BYTES))?;
        let header = Header::parse(&bytes, data_length).map_err(|got| refuse(&got))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            start: LENGTH_BYTES as u64 + size,
            header,
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The header of the file.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header; closes the file.
    pub fn into_header(self) -> Header {
        self.header
    }

    /// Reads the tensor at `index` of the header.
    ///
    /// # Errors
    /// It cannot be read, its dtype is not supported, memory runs out, or the call is cancelled.
    pub fn tensor(&self, index: usize, cancel: &CancelToken<'_>) -> Result<TensorData<'static>> {
        let (name, info) = &self.header.tensors[index];
        let bad = |expected: &str, got: &dyn Display| {
            let argument = format!("{}: {name:?}", self.path.display());
            FileError::from(Error::value(argument, expected, got))
        };
        Ok(match info.dtype {
            Dtype::F32 => TensorData::Float32(Cow::Owned(self.numbers(index, cancel)?)),
            Dtype::F64 => TensorData::Float64(Cow::Owned(self.numbers(index, cancel)?)),
            Dtype::I64 => TensorData::Int64(Cow::Owned(self.numbers(index, cancel)?)),
            Dtype::U64 => TensorData::UInt64(Cow::Owned(self.numbers(index, cancel)?)),
            Dtype::U8 => TensorData::UInt8(Cow::Owned(self.numbers(index, cancel)?)),
            Dtype::BOOL => {
                let bytes = read::<u8>(&self.file, &self.path, self.start, info, cancel)?;
                if let Some(byte) = bytes.iter().find(|&&byte| byte > 1) {
                    return Err(bad("bytes of 0 and 1 for dtype BOOL", byte));
                }
                TensorData::Bool(Cow::Owned(bytes))
            }
            dtype => return Err(bad("dtype F32, F64, I64, U64, U8 or BOOL", &dtype)),
        })
    }

    /// Reads the tensor at `index`, whose elements have the type `T`.
    ///
    /// # Errors
    /// It cannot be read, memory runs out, or the call is cancelled.
    pub fn numbers<T: TensorElement>(
        &self,
        index: usize,
        cancel: &CancelToken<'_>,
    ) -> Result<Vec<T>> {
        let (_, info) = &self.header.tensors[index];
        debug_assert_eq!(info.dtype, T::DTYPE);
        read(&self.file, &self.path, self.start, info, cancel)
    }
}

/// More bytes than one byte of a header takes when parsed: a side of a shape has two bytes and becomes 16,
/// and lists double.
const PARSED_BYTES: usize = 32;

/// Reads the tensor `info` of a file whose data begins at `start`.
fn read<T: TensorElement>(
    file: &File,
    path: &Path,
    start: u64,
    info: &TensorInfo,
    cancel: &CancelToken<'_>,
) -> Result<Vec<T>> {
    let (from, to) = info.data_offsets;
    let mut numbers = Vec::new();
    let count = (to - from) / size_of::<T>();
    try_reserve(&path.to_string_lossy(), &mut numbers, count)?;
    let mut block = zeros(BLOCK.min(to - from), path)?;
    for offset in (from..to).step_by(BLOCK) {
        check_cancelled(cancel)?;
        let bytes = &mut block[..BLOCK.min(to - offset)];
        fill(file, start + offset as u64, bytes, path)?;
        numbers.extend(bytes.chunks_exact(size_of::<T>()).map(T::get));
    }
    Ok(numbers)
}

/// A buffer to read into.
fn zeros(length: usize, path: &Path) -> Result<Vec<u8>> {
    Ok(try_defaults(&path.to_string_lossy(), length)?)
}

/// Fills `bytes` with the file's bytes from `offset` on.
fn fill(file: &File, offset: u64, bytes: &mut [u8], path: &Path) -> Result<()> {
    read_exact_at(file, offset, bytes).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof {
            let (expected, got) = ("a file that does not change", "one that became shorter");
            return Error::value(path.display(), expected, got).into();
        }
        error.into()
    })
}

/// Reads at an offset, as a forked child shares the file position with its parent.
#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};

    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}
