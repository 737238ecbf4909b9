//! `Architecture.save` and `load`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::base::cancel::CancelToken;
use crate::base::error::Error;
use crate::io::network_file::{Saved, write};
use crate::io::safetensors::{Number, Reader};
use crate::io::transpose::in_rows;
use crate::model::cost::Cost;
use crate::python::api::network::PyNetwork;
use crate::python::api::store::{outside, parse_path};
use crate::python::borrow::Element;
use crate::python::call::errors::guarded;
use crate::python::convert::config::{Config, Dtype, parse_cost};

/// The bytes of parameters that are copied with the GIL held, some 20 ms: no other thread runs Python
/// meanwhile.
const AT_ONCE: usize = 1 << 26;

#[pymethods]
impl PyNetwork {
    /// Save the configuration and the parameters in a safetensors file, which `load` reads.
    ///
    /// Parameters
    /// ----------
    /// path : str, bytes or os.PathLike
    ///     Where to write. A file that is there is replaced, its mode kept; a link is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     The file cannot be written: no such folder, no permission, a full disk. The old file is
    ///     as it was.
    /// ValueError
    ///     At ``path`` is a pipe or a device.
    /// TypeError
    ///     ``path`` is no path.
    /// MemoryError
    ///     There is no room for a copy of the parameters.
    ///
    /// Notes
    /// -----
    /// The file is written beside its place, flushed to the disk and then renamed: at any moment,
    /// also when the process is killed, the old or the new file is there, whole. A killed process
    /// may leave its ``.bpfast-….tmp`` there, which may be deleted.
    ///
    /// The parameters are copied first: what another thread does to them while the file is written
    /// does not come into it. While they are copied a training waits, and other threads must leave
    /// the arrays alone. Up to 64 MB no other thread runs Python meanwhile, but an operation of
    /// NumPy's that is at work already goes on. Attributes of a subclass, and a cost that is a callable, are not saved. The same network makes
    /// the same bytes.
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
    fn save_as<T: Element + Number>(&self, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, architecture) = (path.py(), self.architecture());
        let path = parse_path(path)?;
        let params = self.vector.numbers::<T>()?.read("params")?;
        let rows = if size_of_val(&*params) <= AT_ONCE {
            in_rows(architecture, &params, &CancelToken::none())?
        } else {
            let params = &*params;
            outside(py, &path, |cancel| {
                Ok(in_rows(architecture, params, cancel)?)
            })?
        };
        drop(params); // others may write to them from now on
        outside(py, &path, |cancel| {
            write(&path, architecture, &rows, cancel)
        })
    }

    fn load_as<T: Element + Number>(&self, py: Python<'_>, saved: &mut Saved) -> PyResult<()> {
        let path = saved.path().to_path_buf();
        let mut params = self.vector.numbers::<T>()?.write("params")?;
        let params = &mut *params;
        outside(py, &path, |cancel| {
            saved.read(self.architecture(), params, cancel)
        })
    }
}

/// The network in a file, of `class`.
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
        let mut saved = outside(py, &path, |_| Ok(Saved::open(Reader::open(&path)?)?))?;
        let (cost, custom) = choose(saved.cost, given)?;
        let architecture = Arc::new(saved.architecture(cost)?);
        let config = Config {
            architecture,
            custom,
        };
        if saved.is_float32() {
            let architecture = PyNetwork::zeros_of(class, config, Dtype::Float32)?;
            architecture.get().load_as::<f32>(py, &mut saved)?;
            return Ok(architecture);
        }
        let architecture = PyNetwork::zeros_of(class, config, Dtype::Float64)?;
        architecture.get().load_as::<f64>(py, &mut saved)?;
        Ok(architecture)
    })
}

type GivenCost = (Cost, Option<Py<PyAny>>);

/// The cost of the file, or the `given` one in the place of a callable.
///
/// # Errors
/// One is needed and missing, or another one is given.
fn choose(saved: Cost, given: Option<GivenCost>) -> Result<GivenCost, Error> {
    let name = |cost: Cost| match cost {
        Cost::Custom => "a callable".to_owned(),
        cost => format!("'{}'", cost.name()),
    };
    match (saved, given) {
        (Cost::Custom, Some(given)) => Ok(given),
        (Cost::Custom, None) => {
            let expected = "the callable that is the cost of the network, which no file can hold";
            Err(Error::value("cost", expected, "none"))
        }
        (_, Some((given, _))) if given != saved => {
            let expected = format!("{}, the cost in the file, or none", name(saved));
            Err(Error::value("cost", expected, name(given)))
        }
        _ => Ok((saved, None)),
    }
}
