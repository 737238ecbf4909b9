//! `Network.save` and `load`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::base::cancel::CancelToken;
use crate::base::error::Error;
use crate::io::network_file::{NetworkFile, write};
use crate::io::safetensors::{Reader, TensorElement};
use crate::io::transpose::to_file_order;
use crate::model::cost::Cost;
use crate::python::api::files::{detached_io, parse_path};
use crate::python::api::network::PyNetwork;
use crate::python::borrow::Element;
use crate::python::borrow::call_python::{call, import_from};
use crate::python::call::errors::guarded;
use crate::python::convert::config::{Config, parse_cost};
use crate::python::convert::dtype::Dtype;

/// The bytes of parameters that are copied with the GIL held, some 20 ms during which no other thread runs
/// Python.
const MAX_BYTES_WITH_GIL: usize = 1 << 26;

#[pymethods]
impl PyNetwork {
    /// Save the configuration and the parameters to a safetensors file, which `load` reads.
    ///
    /// Parameters
    /// ----------
    /// path : str, bytes or os.PathLike
    ///     Where to write. An existing file is replaced, with its mode kept; symbolic links are followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     The file cannot be written: no such folder, no permission, or a full disk. The old file is
    ///     unchanged.
    /// ValueError
    ///     ``path`` is a pipe or a device.
    /// TypeError
    ///     ``path`` is not a path.
    /// MemoryError
    ///     The parameters cannot be copied for lack of memory.
    ///
    /// Notes
    /// -----
    /// A temporary file in the same folder is written, flushed to disk and then renamed. So the old or the
    /// complete new file is there at any moment, even if the process is killed. A killed process may leave
    /// a ``.bpfast-….tmp``, which may be deleted.
    ///
    /// The parameters are copied first, so changes that other threads make while the file is written are
    /// not saved. During the copy, trainings wait, and other threads must not write to the arrays. A copy of
    /// up to 64 MB holds the GIL, so that no other thread runs Python; a NumPy operation that is already
    /// running continues. Attributes of a subclass, and a callable cost, are not saved. The same network
    /// gives the same bytes.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast, pathlib, tempfile
    /// >>> net = bpfast.Network([3, 4, 2], hidden="tanh", seed=0)
    /// >>> with tempfile.TemporaryDirectory() as folder:
    /// ...     path = pathlib.Path(folder, "net.safetensors")
    /// ...     net.save(path)
    /// ...     twin = bpfast.load(path)
    /// >>> twin.same_config(net), (twin.params == net.params).all().item()
    /// (True, True)
    fn save(&self, path: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(|| match self.dtype() {
            Dtype::Float32 => self.save_as::<f32>(path),
            Dtype::Float64 => self.save_as::<f64>(path),
        })
    }
}

impl PyNetwork {
    fn save_as<T: Element + TensorElement>(&self, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, architecture) = (path.py(), self.architecture());
        let path = parse_path(path)?;
        let params = self.vector.numbers::<T>()?.read("params")?;
        let rows = if size_of_val(&*params) <= MAX_BYTES_WITH_GIL {
            to_file_order(architecture, &params, &CancelToken::none())?
        } else {
            let params = &*params;
            detached_io(py, &path, |cancel| {
                Ok(to_file_order(architecture, params, cancel)?)
            })?
        };
        drop(params); // from here on others may write to them
        detached_io(py, &path, |cancel| {
            write(&path, architecture, &rows, cancel)
        })
    }

    fn load_as<T: Element + TensorElement>(
        &self,
        py: Python<'_>,
        saved: &mut NetworkFile,
    ) -> PyResult<()> {
        let path = saved.path().to_path_buf();
        let mut params = self.vector.numbers::<T>()?.write("params")?;
        let params = &mut *params;
        detached_io(py, &path, |cancel| {
            saved.read(self.architecture(), params, cancel)
        })
    }
}

/// Reads a network of `class` from a file.
#[pyfunction]
pub fn load<'py>(
    class: &Bound<'py, PyType>,
    path: &Bound<'py, PyAny>,
    cost: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyNetwork>> {
    guarded(|| {
        let py = path.py();
        let path = parse_path(path)?;
        let given = cost.map(parse_cost).transpose()?;
        let mut saved = detached_io(py, &path, |_| Ok(NetworkFile::open(Reader::open(&path)?)?))?;
        if saved.is_checkpoint() {
            // It has a checksum over all of the file, which this compares.
            let read = import_from(py, "bpfast._training.checkpoint.file", "read")?;
            call(&read, (path.as_os_str(),))?;
        }
        let (cost, custom) = choose(saved.cost, given)?;
        let architecture = Arc::new(saved.architecture(cost)?);
        let config = Config {
            architecture,
            custom,
        };
        if saved.is_float32() {
            let net = PyNetwork::zeros_of(class, config, Dtype::Float32)?;
            net.get().load_as::<f32>(py, &mut saved)?;
            return Ok(net);
        }
        let net = PyNetwork::zeros_of(class, config, Dtype::Float64)?;
        net.get().load_as::<f64>(py, &mut saved)?;
        Ok(net)
    })
}

type GivenCost = (Cost, Option<Py<PyAny>>);

/// The cost of the file, or `given` in place of a callable one.
///
/// # Errors
/// A cost is needed and not given, or another one is given.
fn choose(saved: Cost, given: Option<GivenCost>) -> Result<GivenCost, Error> {
    let name = |cost: Cost| match cost {
        Cost::Custom | Cost::CustomOfZ => "a callable".to_owned(),
        cost => format!("'{}'", cost.name()),
    };
    match (saved, given) {
        (Cost::Custom | Cost::CustomOfZ, Some(given)) => Ok(given),
        (Cost::Custom | Cost::CustomOfZ, None) => {
            let expected =
                "the callable that is the cost of the network, which cannot be stored in a file";
            Err(Error::value("cost", expected, "none"))
        }
        (_, Some((given, _))) if given != saved => {
            let expected = format!("{}, the cost in the file, or none", name(saved));
            Err(Error::value("cost", expected, name(given)))
        }
        _ => Ok((saved, None)),
    }
}
