//! The construction of a `Network`: `__new__`, `__init__`, and copies.
//!
//! `__new__` creates the network, so that a subclass may override `__new__`. A subclass that overrides only
//! `__init__` is called with its own arguments: then `__new__` ignores them, and `super().__init__(sizes,
//! ...)` creates the network.

use std::sync::atomic::Ordering;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple, PyType};

use crate::python::api::network::{NetworkParts, PyNetwork, initialise};
use crate::python::call::cached::interned;
use crate::python::call::errors::guarded;
use crate::python::convert::config::{Config, parse_biases, parse_sizes, refuse_unknown_arguments};
use crate::python::convert::dtype::Dtype;
use crate::python::convert::name::Name;

/// The argument of `__new__` that requests an empty network.
const EMPTY: &str = "_empty";

/// The arguments of `Network`.
struct Arguments<'a, 'py> {
    sizes: Option<&'a Bound<'py, PyAny>>,
    more: &'a Bound<'py, PyTuple>,
    hidden: Name<'py>,
    output: Name<'py>,
    cost: Name<'py>,
    dtype: Option<&'a Bound<'py, PyAny>>,
    init: Name<'py>,
    seed: Option<&'a Bound<'py, PyAny>>,
    biases: Option<&'a Bound<'py, PyAny>>,
    others: Option<&'a Bound<'py, PyDict>>,
}

impl Arguments<'_, '_> {
    fn parts(self) -> PyResult<NetworkParts> {
        let py = self.more.py();
        refuse_unknown_arguments(self.more, self.others)?;
        let none = py.None().into_bound(py);
        let sizes = parse_sizes(self.sizes.unwrap_or(&none))?;
        let layers = sizes.len().saturating_sub(1);
        let biases = self.biases.map(|biases| parse_biases(biases, layers));
        let biases = biases.transpose()?;
        let (hidden, output) = (self.hidden, &self.output);
        let config = Config::parse(py, &sizes, hidden, output, self.cost, biases.as_deref())?;
        let dtype = self.dtype.map_or(Ok(Dtype::Float64), Dtype::parse)?;
        let parts = NetworkParts::zeros(py, config, dtype)?;
        let init = self.init.text("init")?;
        initialise::draw(
            py,
            &parts.config.architecture,
            &parts.vector,
            &init,
            self.seed,
        )?;
        Ok(parts)
    }

    fn are_none(&self) -> bool {
        let is_default = |name: &Name<'_>| matches!(name, Name::Default(_));
        self.sizes.is_none()
            && self.more.is_empty()
            && [&self.hidden, &self.output, &self.cost, &self.init]
                .into_iter()
                .all(is_default)
            && self.dtype.is_none()
            && self.seed.is_none()
            && self.biases.is_none()
            && self.others.is_none()
    }
}

#[pymethods]
impl PyNetwork {
    #[new]
    #[classmethod]
    #[pyo3(
        signature = (sizes=None, *more, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), dtype=None, init=Name::Default("nielsen"), seed=None, biases=None, **others),
        text_signature = "(sizes, *, hidden='sigmoid', output='sigmoid', cost='quadratic', dtype=None, init='nielsen', seed=None, biases=True)"
    )]
    #[allow(clippy::too_many_arguments)] // the signature of `Network` in Python
    fn new<'py>(
        class: &Bound<'py, PyType>,
        sizes: Option<&Bound<'py, PyAny>>,
        more: &Bound<'py, PyTuple>,
        hidden: Name<'py>,
        output: Name<'py>,
        cost: Name<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        init: Name<'py>,
        seed: Option<&Bound<'py, PyAny>>,
        biases: Option<&Bound<'py, PyAny>>,
        others: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        guarded(|| {
            let net = Self::empty();
            if others.map_or(Ok(false), |others| others.contains(EMPTY))? {
                return Ok(net);
            }
            if class.is(class.py().get_type::<Self>()) {
                let message =
                    "Network: expected a call of bpfast.Network, got one of its base class";
                return Err(PyTypeError::new_err(message));
            }
            if overrides(class, "__init__")? && !overrides(class, "__new__")? {
                return Ok(net);
            }
            let arguments = Arguments {
                sizes,
                more,
                hidden,
                output,
                cost,
                dtype,
                init,
                seed,
                biases,
                others,
            };
            net.fill(arguments.parts()?);
            net.is_new.store(true, Ordering::Relaxed);
            Ok(net)
        })
    }

    /// Creates the network of a subclass whose ``__init__`` calls this one with the arguments of `Network`.
    #[pyo3(
        signature = (sizes=None, *more, hidden=Name::Default("sigmoid"), output=Name::Default("sigmoid"), cost=Name::Default("quadratic"), dtype=None, init=Name::Default("nielsen"), seed=None, biases=None, **others)
    )]
    #[allow(clippy::too_many_arguments)] // the signature of `Network` in Python
    fn __init__<'py>(
        slf: &Bound<'py, Self>,
        sizes: Option<&Bound<'py, PyAny>>,
        more: &Bound<'py, PyTuple>,
        hidden: Name<'py>,
        output: Name<'py>,
        cost: Name<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        init: Name<'py>,
        seed: Option<&Bound<'py, PyAny>>,
        biases: Option<&Bound<'py, PyAny>>,
        others: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        guarded(|| {
            let this = slf.get();
            let arguments = Arguments {
                sizes,
                more,
                hidden,
                output,
                cost,
                dtype,
                init,
                seed,
                biases,
                others,
            };
            if this.parts().is_none() {
                return if this.fill(arguments.parts()?) {
                    Ok(())
                } else {
                    Err(made_before())
                };
            }
            // Python passes the arguments of `__new__` to `__init__`, whatever `__new__` did with them.
            let is_new = this.is_new.swap(false, Ordering::Relaxed);
            if is_new && (arguments.are_none() || !overrides(&slf.get_type(), "__init__")?) {
                return Ok(());
            }
            Err(made_before())
        })
    }
}

fn made_before() -> PyErr {
    let expected = "one call for each network, and none with arguments where __new__ made it";
    PyRuntimeError::new_err(format!(
        "Network.__init__: expected {expected}, got another"
    ))
}

/// Whether a subclass overrides a method of `Network`.
fn overrides(class: &Bound<'_, PyType>, method: &str) -> PyResult<bool> {
    let base = class.py().get_type::<PyNetwork>();
    Ok(!class.getattr(method)?.is(base.getattr(method)?))
}

impl PyNetwork {
    /// A network of `class`, which is `Network` or a subclass, with all parameters 0.
    pub fn zeros_of<'py>(
        class: &Bound<'py, PyType>,
        config: Config,
        dtype: Dtype,
    ) -> PyResult<Bound<'py, Self>> {
        let net = empty_of(class)?;
        net.get()
            .fill(NetworkParts::zeros(class.py(), config, dtype)?);
        Ok(net)
    }
}

/// An empty network of `class`. Runs no code of a subclass, whose constructor may take other arguments.
fn empty_of<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyNetwork>> {
    let py = class.py();
    let options = [(EMPTY, true)].into_py_dict(py)?;
    let base = py.get_type::<PyNetwork>();
    let net = base.call_method(interned!(py, "__new__"), (class,), Some(&options))?;
    Ok(net.cast_into()?)
}

/// `bpfast.Network` for its base class; any other class unchanged.
pub fn public<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyType>> {
    let py = class.py();
    if class.is(py.get_type::<PyNetwork>()) {
        return Ok(py.import("bpfast")?.getattr("Network")?.cast_into()?);
    }
    Ok(class.clone())
}

/// A network of a class and configuration with all parameters 0: the start of copies and pickles.
#[pyfunction(name = "_restore")]
pub fn restore<'py>(
    class: &Bound<'py, PyType>,
    config: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyNetwork>> {
    guarded(|| {
        let py = class.py();
        let class = public(class)?;
        let others = config.copy()?;
        let take = |name| {
            let value = others.get_item(name)?;
            if value.is_some() {
                others.del_item(name)?;
            }
            PyResult::Ok(value)
        };
        let sizes = take("sizes")?;
        let dtype = take("dtype")?;
        let biases = take("biases")?;
        let name =
            |name, default| PyResult::Ok(take(name)?.map_or(Name::Default(default), Name::Given));
        let arguments = Arguments {
            sizes: sizes.as_ref(),
            more: &PyTuple::empty(py),
            hidden: name("hidden", "sigmoid")?,
            output: name("output", "sigmoid")?,
            cost: name("cost", "quadratic")?,
            dtype: dtype.as_ref(),
            init: Name::Default("zeros"),
            seed: None,
            biases: biases.as_ref(),
            others: (!others.is_empty()).then_some(&others),
        };
        let net = empty_of(&class)?;
        net.get().fill(arguments.parts()?);
        Ok(net)
    })
}
