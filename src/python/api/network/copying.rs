//! The methods of `Network` that copy, pickle, compare and display it.

use std::fmt;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::model::architecture::Layer;
use crate::python::api::network::PyNetwork;
use crate::python::api::network::constructor::public;
use crate::python::borrow::call_python::{
    call, call_method, {self},
};
use crate::python::call::errors::{guarded, wrong_type};
use crate::python::call::text::text;
use crate::python::convert::dtype::Dtype;

#[pymethods]
impl PyNetwork {
    /// A copy of the network in another dtype, with its parameters converted.
    ///
    /// Parameters
    /// ----------
    /// dtype : dtype
    ///     float32 or float64.
    ///
    /// Returns
    /// -------
    /// Network
    ///     Of the same class, without optimizer and history.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     The dtype is neither float32 nor float64.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> bpfast.Network([2, 1]).astype("float32").dtype
    /// dtype('float32')
    fn astype<'py>(
        slf: &Bound<'py, Self>,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        guarded(|| {
            let (py, this) = (slf.py(), slf.get());
            let config = this.config.clone_ref(py);
            let other = Self::zeros_of(&slf.get_type(), config, Dtype::parse(dtype)?)?;
            other.get().set_params(&this.vector.copied(py)?)?;
            set_attributes(&other, &attributes(slf)?)?;
            Ok(other)
        })
    }

    /// A copy of the network, with its own parameters and without optimizer and history.
    ///
    /// Returns
    /// -------
    /// Network
    ///     Of the same class.
    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| call_method(slf.py().import("copy")?.as_any(), "copy", (slf,)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        guarded(|| {
            let (py, this) = (slf.py(), slf.get());
            let restore = py.import("bpfast._core")?.getattr("_restore")?;
            let arguments = (
                public(&slf.get_type())?,
                this.config.to_dict(py, this.dtype())?,
            );
            let state = (this.vector.copied(py)?, attributes(slf)?);
            Ok((restore, arguments, state).into_pyobject(py)?.into_any())
        })
    }

    fn __setstate__<'py>(slf: &Bound<'py, Self>, state: &Bound<'py, PyAny>) -> PyResult<()> {
        guarded(|| {
            let Ok((params, attributes)) = state.extract() else {
                return Err(wrong_type(
                    "state",
                    "a pair of parameters and attributes",
                    state,
                ));
            };
            check_attributes(&attributes)?;
            slf.get().set_params(&params)?;
            set_attributes(slf, &attributes)
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A callable cost may refer back to the network.
        let cost = self.parts().and_then(|parts| parts.config.custom.as_ref());
        cost.map_or(Ok(()), |cost| visit.call(cost))?;
        self.training.traverse(&visit)
    }

    fn __clear__(&self) {
        self.training.clear();
    }

    /// Whether another network has the same sizes, activations, cost and dtype.
    ///
    /// Parameters and the classes of the two networks are ignored. ``==`` compares identity: a network
    /// equals only itself.
    ///
    /// Parameters
    /// ----------
    /// other : Network
    ///     The network to compare with.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Callable costs are compared with ``==``.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     ``other`` is not a `Network`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> a, b = bpfast.Network([3, 2], seed=0), bpfast.Network([3, 2], seed=1)
    /// >>> a.same_config(b), a == b, a == a
    /// (True, False, True)
    /// >>> a.same_config(bpfast.Network([3, 2], dtype="float32"))
    /// False
    fn same_config(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        guarded(|| {
            let py = other.py();
            let Ok(other) = other.cast::<Self>() else {
                return Err(wrong_type("other", "a Network", other));
            };
            let other = other.get();
            Ok(self.dtype() == other.dtype() && self.config.equals(&other.config, py)?)
        })
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyString>> {
        guarded(|| {
            let (py, this) = (slf.py(), slf.get());
            let architecture = this.architecture();
            let cost = match &this.config.custom {
                Some(cost) => call_python::repr(cost.bind(py))?,
                None => PyString::new(py, architecture.cost().name()),
            };
            let text = text(
                "repr",
                format_args!(
                    "<bpfast.{} {}: {}output {}, cost {}, {}, {}{} parameters>",
                    slf.get_type().name()?,
                    SizesDisplay(architecture.sizes()),
                    HiddenDisplay(&architecture.layers()[..architecture.layers().len() - 1]),
                    architecture.output(),
                    cost.to_str()?,
                    this.dtype().name(),
                    BiasesDisplay(architecture.layers()),
                    architecture.n_params(),
                ),
            )?;
            PyString::from_bytes(py, text.as_bytes())
        })
    }
}

/// n_1-n_2-…
struct SizesDisplay<'a>(&'a [usize]);

impl fmt::Display for SizesDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, size)| {
            let line = if index > 0 { "-" } else { "" };
            write!(f, "{line}{size}")
        })
    }
}

/// The activations of the hidden layers; a single one if all are equal.
struct HiddenDisplay<'a>(&'a [Layer]);

impl fmt::Display for HiddenDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        let is_one = self
            .0
            .iter()
            .all(|layer| layer.activation == first.activation);
        write!(f, "hidden {}", first.activation)?;
        for layer in self.0[1..].iter().filter(|_| !is_one) {
            write!(f, " {}", layer.activation)?;
        }
        f.write_str(", ")
    }
}

/// The layers that have no biases, if there are any.
struct BiasesDisplay<'a>(&'a [Layer]);

impl fmt::Display for BiasesDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without = |layer: &Layer| !layer.has_biases();
        if !self.0.iter().any(without) {
            return Ok(());
        }
        f.write_str("no biases")?;
        if !self.0.iter().all(without) {
            let layers = (self.0.iter().enumerate()).filter(|(_, layer)| without(layer));
            let is_one = layers.clone().count() == 1;
            f.write_str(if is_one { " in layer" } else { " in layers" })?;
            for (k, _) in layers {
                write!(f, " {}", k + 2)?;
            }
        }
        f.write_str(", ")
    }
}

/// The attributes of a subclass: its `__dict__`, and its `__slots__` if there are any.
fn attributes<'py>(object: &Bound<'py, PyNetwork>) -> PyResult<Bound<'py, PyAny>> {
    let base = object.py().get_type::<PyAny>();
    call_method(&base, "__getstate__", (object,))
}

/// The dicts of [`attributes`]: one or two, some of which may be None.
fn parts<'py>(attributes: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let parts = match attributes.cast::<PyTuple>() {
        Ok(pair) => pair.iter().collect(),
        Err(_) => vec![attributes.clone()],
    };
    parts.into_iter().filter(|part| !part.is_none()).collect()
}

/// # Errors
/// TypeError if `attributes` holds anything but dicts from names to values.
fn check_attributes(attributes: &Bound<'_, PyAny>) -> PyResult<()> {
    for part in parts(attributes) {
        let Ok(dict) = part.cast::<PyDict>() else {
            return Err(wrong_type("attributes", "a dict, or None", &part));
        };
        for (name, _) in dict {
            if !name.is_instance_of::<PyString>() {
                return Err(wrong_type("attributes", "names as keys", &name));
            }
        }
    }
    Ok(())
}

fn set_attributes(object: &Bound<'_, PyAny>, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
    let setattr = object.py().import("builtins")?.getattr("setattr")?;
    for part in parts(attributes) {
        // A list, because `__setattr__` of a subclass may change the dict.
        for item in part.cast::<PyDict>()?.items() {
            let (name, value) = item.extract::<(Bound<'_, PyString>, Bound<'_, PyAny>)>()?;
            call(&setattr, (object, name, value))?;
        }
    }
    Ok(())
}
