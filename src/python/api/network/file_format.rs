//! What Python needs to write checkpoints and ensembles, whose networks are stored as in a network file.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::io::network_file::format::check_version;
use crate::io::network_file::{config_text, tensor_names};
use crate::python::api::network::PyNetwork;
use crate::python::call::errors::{guarded, guarded_object};

/// The configuration of a network as JSON, as `Network.save` writes it.
#[pyfunction]
pub fn network_config<'py>(net: &Bound<'py, PyNetwork>) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(net.py(), || {
        let network = net.get();
        let text = config_text(network.architecture(), network.dtype().name())?;
        Ok(PyString::new(net.py(), &text))
    })
}

/// The names of the parameters in a file: [(name of W^l, name of b^l or None), ...].
#[pyfunction]
pub fn parameter_names<'py>(net: &Bound<'py, PyNetwork>) -> PyResult<Bound<'py, PyAny>> {
    guarded_object(net.py(), || {
        PyList::new(net.py(), tensor_names(net.get().architecture())?)
    })
}

/// Raise ValueError unless `version`, from a file, is a number from 1 to `newest`.
#[pyfunction]
pub fn check_format_version(version: &str, newest: u64) -> PyResult<()> {
    guarded(|| Ok(check_version(version, newest)?))
}
