//! The class `Trace`: the result of a traced forward pass.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyTuple};

use crate::base::checksum;
use crate::base::error::Error;
use crate::kernels::elementwise::checksum::checksum;
use crate::model::architecture::Architecture;
use crate::python::borrow::Element;
use crate::python::borrow::call_python::{call_method, repr};
use crate::python::call::errors::{guarded, guarded_object, wrong_type};

/// A forward pass: ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1), so ``a[0]`` is x.
///
/// Also a pair: ``z, a = net.trace(x)``. Calls that take it in place of x refuse one of a network with other
/// sizes, activations, dtype or parameters, and one from before the parameters changed. They use its arrays
/// as they are: do not change them. For fewer than 16 examples a sample of the parameters is compared, which a
/// training step always changes and a change of a few numbers may not. A ``Trace(z, a)`` of your own arrays is not checked;
/// `origin` is what the pickle of a network's trace carries.
#[pyclass(frozen, module = "bpfast", sequence)]
pub struct Trace {
    /// z^2, …, z^L, each (n, n_l).
    #[pyo3(get)]
    pub z: Py<PyList>,
    /// a^1 = x, a^2, …, a^L, each (n, n_l).
    #[pyo3(get)]
    pub a: Py<PyList>,
    /// The network; None if the user has made the trace.
    #[pyo3(get, name = "_origin")]
    pub origin: Option<Origin>,
}

/// What a network and its parameters are recognised by: checksums of sizes, of activations and of the
/// parameters, the size of an element, and whether all parameters count.
pub type Origin = (u64, u64, u64, usize, bool);

/// # Errors
/// The trace is of another network, or of other parameters.
pub fn check_origin(origin: Origin, present: Origin) -> Result<(), Error> {
    let (expected, got) = if origin.0 != present.0 {
        (
            "a Trace of this network",
            "one of a network with other sizes",
        )
    } else if origin.1 != present.1 {
        (
            "a Trace of this network",
            "one of a network with other activations",
        )
    } else if origin.3 != present.3 {
        (
            "a Trace of this network",
            "one of a network with another dtype",
        )
    } else if origin.2 != present.2 {
        (
            "a Trace made with the present parameters",
            "one made with others",
        )
    } else {
        return Ok(());
    };
    Err(Error::value("x", expected, got))
}

/// The examples from which on all parameters are compared. For fewer, that would take as long as the pass
/// itself, and some blocks of parameters stand for all: a step changes nearly every one.
pub const COMPARE_ALL_FROM: usize = 16;
/// These blocks, and their length.
const BLOCKS: (usize, usize) = (16, 64);

/// The origin of the traces of a network, from all parameters or from some.
pub fn origin<T: Element>(architecture: &Architecture, params: &[T], all: bool) -> Origin {
    let layers = || architecture.layers().iter();
    let sizes = layers().map(|layer| layer.n_in as u64 ^ (layer.n_out as u64).rotate_left(32));
    let activations = layers().map(|layer| {
        let parameter = layer.activation.parameter();
        let parameter = parameter.map(|(_, parameter)| parameter.value().to_bits());
        let name = layer.activation.name().bytes().map(u64::from);
        checksum::checksum(name.chain(parameter))
    });
    (
        checksum::checksum(sizes),
        checksum::checksum(activations),
        of_params(params, all),
        size_of::<T>(),
        all,
    )
}

fn of_params<T: Element>(params: &[T], all: bool) -> u64 {
    let (count, length) = BLOCKS;
    if all || params.len() <= count * length {
        return checksum(params);
    }
    let mut some = [T::ZERO; BLOCKS.0 * BLOCKS.1];
    for (block, some) in some.chunks_exact_mut(length).enumerate() {
        let start = block * (params.len() - length) / (count - 1);
        some.copy_from_slice(&params[start..][..length]);
    }
    checksum(&some)
}

#[pymethods]
impl Trace {
    #[new]
    #[pyo3(signature = (z, a, origin = None))]
    fn new(
        z: &Bound<'_, PyAny>,
        a: &Bound<'_, PyAny>,
        origin: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let list = |name: &str, value: &Bound<'_, PyAny>| match value.cast::<PyList>() {
                Ok(list) => Ok(list.clone().unbind()),
                Err(_) => Err(wrong_type(name, "a list of arrays", value)),
            };
            let of_network = |origin: &Bound<'_, PyAny>| {
                let extracted = origin.extract::<Origin>();
                extracted
                    .map_err(|_| wrong_type("origin", "that of a pickled Trace or None", origin))
            };
            Ok(Self {
                z: list("z", z)?,
                a: list("a", a)?,
                origin: origin.map(of_network).transpose()?,
            })
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let arguments = (self.z.clone_ref(py), self.a.clone_ref(py), self.origin);
            Ok((py.get_type::<Self>(), arguments)
                .into_pyobject(py)?
                .into_any())
        })
    }

    #[allow(clippy::unused_self)] // an instance method in Python
    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let pair = PyTuple::new(index.py(), [&self.z, &self.a])?;
            call_method(&pair, "__getitem__", (index,))
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guarded(|| PyTuple::new(py, [&self.z, &self.a])?.try_iter())
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded_object(py, || {
            Ok(format!(
                "Trace(z={}, a={})",
                repr(self.z.bind(py))?,
                repr(self.a.bind(py))?
            ))
        })
    }
}
