//! Files of named arrays: `write_tensors` and `read_tensors`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use numpy::ndarray::IxDyn;
use numpy::{PyArrayDescrMethods, PyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::base::alloc::{check_available, try_collect_results};
use crate::base::error::Error;
use crate::io::safetensors::{self, Reader, Tensor, TensorData, TensorElement};
use crate::python::api::files::{detached_io, parse_path};
use crate::python::borrow::{
    Access, Borrow, MemoryOrder, ReadArray, contiguous, into_array, readonly,
};
use crate::python::call::errors::{guarded, guarded_object, wrong_type};

/// Write arrays to a safetensors file.
///
/// A temporary file in the same folder is written, flushed to disk and renamed. So the old or the complete
/// new file is there at any moment.
///
/// Parameters
/// ----------
/// path : str, bytes or os.PathLike
///     Where to write.
/// tensors : dict of str to ndarray
///     Of float32, float64, int64, uint64, uint8 or bool.
/// metadata : dict of str to str
///     Additional text.
///
/// Raises
/// ------
/// OSError
///     The file cannot be written; the old one is unchanged.
/// ValueError
///     A name is reserved or repeated, or ``path`` exists and is not a file.
/// TypeError
///     Other types or dtypes.
#[pyfunction]
pub fn write_tensors(
    py: Python<'_>,
    path: &Bound<'_, PyAny>,
    tensors: &Bound<'_, PyAny>,
    metadata: &Bound<'_, PyAny>,
) -> PyResult<()> {
    guarded(|| {
        let path = parse_path(path)?;
        let Ok(tensors) = tensors.cast::<PyDict>() else {
            return Err(wrong_type("tensors", "a dict of arrays", tensors));
        };
        let Ok(metadata) = metadata.cast::<PyDict>() else {
            return Err(wrong_type("metadata", "a dict of str", metadata));
        };
        let entry = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((text("metadata", &key)?, text("metadata", &value)?))
        };
        let metadata = metadata.iter().map(entry);
        check_available("metadata", metadata.len().saturating_mul(PER_ENTRY))?;
        let metadata = metadata.collect::<PyResult<BTreeMap<_, _>>>()?;
        check_available("tensors", tensors.len().saturating_mul(PER_ENTRY))?;
        let mut borrows = Vec::with_capacity(tensors.len());
        // A list, because other threads may change the dict while NumPy copies an array.
        for item in tensors.items() {
            let (name, array) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let name = text("tensors", &name)?;
            let argument = format!("tensors['{name}']");
            let Ok(array) = array.cast::<PyUntypedArray>() else {
                return Err(wrong_type(&argument, "a NumPy array", &array));
            };
            borrows.push((
                name,
                array.shape().to_vec(),
                BorrowedTensor::new(argument, array)?,
            ));
        }
        let tensors = borrows.iter().map(|(name, shape, borrow)| {
            let (name, shape, numbers) = (name.clone(), shape.clone(), borrow.numbers()?);
            PyResult::Ok(Tensor {
                name,
                shape,
                numbers,
            })
        });
        let tensors = try_collect_results("tensors", tensors)?;
        detached_io(py, &path, |cancel| {
            safetensors::write(&path, &tensors, metadata, cancel)
        })
    })
}

/// Read all arrays of a safetensors file, and its metadata.
///
/// Parameters
/// ----------
/// path : str, bytes or os.PathLike
///     A file with tensors of float32, float64, int64, uint64, uint8 or bool.
///
/// Returns
/// -------
/// tensors : dict of str to ndarray
///     In file order.
/// metadata : dict of str to str
///     Empty if the file has none.
///
/// Raises
/// ------
/// OSError
///     The file cannot be read.
/// ValueError
///     It is not a safetensors file, or has a tensor of another dtype.
/// MemoryError
///     The arrays cannot be allocated.
#[pyfunction]
pub fn read_tensors<'py>(py: Python<'py>, path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(py, || {
        let path = parse_path(path)?;
        let (header, tensors) = detached_io(py, &path, |cancel| {
            let reader = Reader::open(&path)?;
            let indices = 0..reader.header().tensors.len();
            let tensors = indices.map(|index| reader.tensor(index, cancel));
            let tensors = try_collect_results("tensors", tensors)?;
            Ok((reader.into_header(), tensors))
        })?;
        let arrays = PyDict::new(py);
        for ((name, info), numbers) in header.tensors.into_iter().zip(tensors) {
            arrays.set_item(name, array(py, numbers, info.shape)?)?;
        }
        let metadata = PyDict::new(py);
        for (key, text) in header.metadata {
            metadata.set_item(key, PyString::from_bytes(py, text.as_bytes())?)?;
        }
        Ok((arrays, metadata))
    })
}

/// More bytes than the lists need for an entry of a dict, not counting its text.
const PER_ENTRY: usize = 1 << 10;

/// A string from a dict.
fn text(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let Ok(string) = value.cast::<PyString>() else {
        return Err(wrong_type(argument, "keys and text of type str", value));
    };
    match string.to_str() {
        Ok(string) => Ok(crate::python::call::text::text(argument, string)?),
        Err(error) if error.is_instance_of::<PyMemoryError>(value.py()) => Err(error),
        Err(_) => {
            let got = string.repr()?;
            Err(Error::value(argument, "text that UTF-8 can hold", got).into())
        }
    }
}

/// A borrowed array in C order.
enum BorrowedTensor<'py> {
    Float32(ReadArray<'py, f32, IxDyn>),
    Float64(ReadArray<'py, f64, IxDyn>),
    Int64(ReadArray<'py, i64, IxDyn>),
    UInt64(ReadArray<'py, u64, IxDyn>),
    UInt8(ReadArray<'py, u8, IxDyn>),
    Bool(ReadArray<'py, u8, IxDyn>),
}

impl<'py> BorrowedTensor<'py> {
    fn new(argument: String, array: &Bound<'py, PyUntypedArray>) -> PyResult<Self> {
        let py = array.py();
        let borrow = Borrow::new(&argument, array, Access::Read)?;
        let plain = contiguous(&argument, &borrow, array, None, MemoryOrder::C)?;
        // As bytes: a NumPy bool may have any byte value, a Rust bool may not.
        if array.dtype().is_equiv_to(&numpy::dtype::<bool>(py)) {
            let bytes = plain.call_method1("view", (numpy::dtype::<u8>(py),))?;
            return Ok(Self::Bool(readonly(argument, bytes.cast()?)?));
        }
        Ok(if let Ok(array) = plain.cast::<PyArrayDyn<f32>>() {
            Self::Float32(readonly(argument, array)?)
        } else if let Ok(array) = plain.cast::<PyArrayDyn<f64>>() {
            Self::Float64(readonly(argument, array)?)
        } else if let Ok(array) = plain.cast::<PyArrayDyn<i64>>() {
            Self::Int64(readonly(argument, array)?)
        } else if let Ok(array) = plain.cast::<PyArrayDyn<u64>>() {
            Self::UInt64(readonly(argument, array)?)
        } else if let Ok(array) = plain.cast::<PyArrayDyn<u8>>() {
            Self::UInt8(readonly(argument, array)?)
        } else {
            let expected = "float32, float64, int64, uint64, uint8 or bool";
            return Err(PyTypeError::new_err(format!(
                "{argument}: expected dtype {expected}, got {}",
                array.dtype()
            )));
        })
    }

    fn numbers(&self) -> PyResult<TensorData<'_>> {
        Ok(match self {
            Self::Float32(array) => TensorElement::borrow(array.as_slice()?),
            Self::Float64(array) => TensorElement::borrow(array.as_slice()?),
            Self::Int64(array) => TensorElement::borrow(array.as_slice()?),
            Self::UInt64(array) => TensorElement::borrow(array.as_slice()?),
            Self::UInt8(array) => TensorElement::borrow(array.as_slice()?),
            Self::Bool(array) => TensorData::Bool(Cow::Borrowed(array.as_slice()?)),
        })
    }
}

/// Elements read from a file, as an array.
fn array<'py>(
    py: Python<'py>,
    numbers: TensorData<'_>,
    shape: Vec<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    fn shaped<'py, T: numpy::Element + Copy>(
        py: Python<'py>,
        numbers: Cow<'_, [T]>,
        shape: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // Elements that were read are owned, so this does not copy.
        into_array(py, numbers.into_owned())?.call_method1("reshape", (shape,))
    }
    match numbers {
        TensorData::Float32(numbers) => shaped(py, numbers, shape),
        TensorData::Float64(numbers) => shaped(py, numbers, shape),
        TensorData::Int64(numbers) => shaped(py, numbers, shape),
        TensorData::UInt64(numbers) => shaped(py, numbers, shape),
        TensorData::UInt8(numbers) => shaped(py, numbers, shape),
        TensorData::Bool(bytes) => {
            shaped(py, bytes, shape)?.call_method1("view", (numpy::dtype::<bool>(py),))
        }
    }
}
