//! The methods of `Network` by which it is copied, pickled, compared and shown.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::config::Dtype;
use super::network::PyNetwork;

#[pymethods]
impl PyNetwork {
    /// The same network in another dtype, its parameters converted.
    ///
    /// Parameters
    /// ----------
    /// dtype : dtype
    ///     float32 or float64.
    ///
    /// Returns
    /// -------
    /// Network
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> bpfast.Network([2, 1]).astype("float32").dtype
    /// dtype('float32')
    fn astype<'py>(
        slf: &Bound<'py, Self>,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let other = Self::empty(py, this.config.clone_ref(py), Dtype::parse(dtype)?)?;
        other.vector.set_flat(&this.vector.flat(py)?, "params")?;
        other.instance_of(&slf.get_type())
    }

    /// A copy with parameters of its own.
    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("copy")?.call_method1("copy", (slf,))
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let arguments = self.config.to_dict(py, self.dtype())?;
        let sizes = PyTuple::new(py, [PyTuple::new(py, self.network().sizes())?])?;
        arguments.del_item("sizes")?;
        arguments.set_item("init", "zeros")?;
        Ok((sizes, arguments))
    }

    fn __getstate__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let params = slf.get().vector.flat(py)?.call_method0("copy")?;
        let attributes = match slf.getattr_opt("__dict__")? {
            Some(attributes) => attributes,
            None => py.None().into_bound(py),
        };
        Ok((params, attributes))
    }

    fn __setstate__(
        slf: &Bound<'_, Self>,
        state: (Bound<'_, PyAny>, Bound<'_, PyAny>),
    ) -> PyResult<()> {
        let (params, attributes) = state;
        slf.get().set_params(&params)?;
        if !attributes.is_none() {
            slf.getattr("__dict__")?
                .call_method1("update", (attributes,))?;
        }
        Ok(())
    }

    fn __eq__(&self, other: &Self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.dtype() == other.dtype() && self.config.equals(&other.config, py)?)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.network().hash(&mut hasher);
        self.dtype().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let network = this.network();
        let join = |parts: Vec<String>, by: &str| parts.join(by);
        let sizes = join(
            network.sizes().iter().map(ToString::to_string).collect(),
            "-",
        );
        let layers = network.layers();
        let mut hidden: Vec<_> = layers[..layers.len() - 1]
            .iter()
            .map(|layer| layer.activation.name().to_owned())
            .collect();
        if hidden.windows(2).all(|pair| pair[0] == pair[1]) {
            hidden.truncate(1);
        }
        let hidden = match hidden.len() {
            0 => String::new(),
            _ => format!("hidden {}, ", join(hidden, " ")),
        };
        let cost = match &this.config.custom {
            Some(cost) => cost.bind(slf.py()).repr()?.to_string(),
            None => network.cost().name().to_owned(),
        };
        Ok(format!(
            "<bpfast.{} {sizes}: {hidden}output {}, cost {cost}, {}, {} parameters>",
            slf.get_type().name()?,
            network.output().name(),
            this.dtype().name(),
            network.n_params(),
        ))
    }
}

impl PyNetwork {
    /// This network as an object of `class`, which is `Network` or a subclass of it.
    pub fn instance_of<'py>(self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let network = Bound::new(py, self)?;
        if class.is(py.get_type::<Self>()) {
            return Ok(network.into_any());
        }
        let (sizes, arguments) = network.get().__getnewargs_ex__(py)?;
        let instance = class.call(sizes, Some(&arguments))?;
        instance.setattr("params", network.get().vector.flat(py)?)?;
        Ok(instance)
    }
}
