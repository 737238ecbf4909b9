//! A network's configuration from Python: sizes, activations, biases, and a cost that may be callable.

use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyMemoryError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyBytes, PyDict, PyString, PyTuple};

use crate::base::alloc::{try_collect, try_collect_results};
use crate::base::error::Error;
use crate::model::activation::Activation;
use crate::model::architecture::{Architecture, Layer};
use crate::model::cost::Cost;
use crate::python::borrow::call_python::{attribute, call, import_from, try_to_list};
use crate::python::call::errors::wrong_type;
use crate::python::convert::dtype::Dtype;
use crate::python::convert::integer::integer;
use crate::python::convert::name::{Name, text, to_str_lossy};

/// The configuration of a network; `custom` is the cost if it is a callable.
pub struct Config {
    pub architecture: Arc<Architecture>,
    pub custom: Option<Py<PyAny>>,
}

impl Config {
    /// # Errors
    /// Unknown names, wrong types, and the errors of [`Architecture::new`].
    pub fn parse<'py>(
        py: Python<'py>,
        sizes: &[usize],
        hidden: Name<'py>,
        output: &Name<'py>,
        cost: Name<'py>,
        has_biases: Option<&[bool]>,
    ) -> PyResult<Self> {
        let hidden = parse_hidden(&hidden.object(py), sizes.len().saturating_sub(2))?;
        let output = Activation::from_name("output", &output.text("output")?)?;
        let (cost, custom) = parse_cost(&cost.object(py))?;
        let mut architecture = Architecture::new(sizes, &hidden, output, cost)?;
        if let Some(has_biases) = has_biases {
            architecture = architecture.with_biases(has_biases)?;
        }
        Ok(Self {
            architecture: Arc::new(architecture),
            custom,
        })
    }

    /// The configuration as keyword arguments of `Network`, including sizes and dtype.
    pub fn to_dict<'py>(&self, py: Python<'py>, dtype: Dtype) -> PyResult<Bound<'py, PyDict>> {
        let architecture = &self.architecture;
        let layers = architecture.layers();
        let hidden = &layers[..layers.len() - 1];
        let hidden = try_collect(
            "hidden",
            hidden.iter().map(|layer| layer.activation.to_string()),
        )?;
        let dict = PyDict::new(py);
        dict.set_item("sizes", architecture.sizes())?;
        dict.set_item("hidden", hidden)?;
        dict.set_item("output", architecture.output().to_string())?;
        match &self.custom {
            Some(cost) => dict.set_item("cost", cost)?,
            None => dict.set_item("cost", architecture.cost().name())?,
        }
        dict.set_item("dtype", dtype.name())?;
        let has_biases = layers.iter().map(Layer::has_biases);
        let first = layers[0].has_biases();
        if has_biases.clone().all(|has| has == first) {
            dict.set_item("biases", first)?;
        } else {
            dict.set_item("biases", try_collect("biases", has_biases)?)?;
        }
        Ok(dict)
    }

    /// The same configuration.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            architecture: Arc::clone(&self.architecture),
            custom: self.custom.as_ref().map(|cost| cost.clone_ref(py)),
        }
    }

    /// Whether both configure the same network.
    pub fn equals(&self, other: &Self, py: Python<'_>) -> PyResult<bool> {
        let custom = match (&self.custom, &other.custom) {
            (Some(one), Some(two)) => {
                let eq = py.import("operator")?.getattr("eq")?;
                call(&eq, (one, two))?.is_truthy()?
            }
            (None, None) => true,
            _ => false,
        };
        Ok(custom && self.architecture == other.architecture)
    }
}

/// Refuses arguments that `Network` does not have: `more` positional ones after sizes, and the keywords
/// `others`.
///
/// # Errors
/// TypeError, which suggests the argument that was probably meant.
pub fn refuse_unknown_arguments(
    more: &Bound<'_, PyTuple>,
    others: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    const ARGUMENT_NAMES: [&str; 8] = [
        "sizes", "hidden", "output", "cost", "dtype", "init", "seed", "biases",
    ];
    const ARGUMENT_SYNONYMS: [(&str, &str); 8] = [
        ("bias", "biases"),
        ("usebias", "biases"),
        ("activation", "hidden"),
        ("activations", "hidden"),
        ("layers", "sizes"),
        ("hiddenlayersizes", "sizes"),
        ("loss", "cost"),
        ("randomstate", "seed"),
    ];
    let py = more.py();
    if more.is_empty() && others.is_none() {
        return Ok(());
    }
    let others = others.map_or_else(|| PyDict::new(py), Clone::clone);
    let names = PyTuple::new(py, ARGUMENT_NAMES)?;
    let synonyms = ARGUMENT_SYNONYMS.into_py_dict(py)?;
    let arguments = ("Network", names, 1, 1 + more.len(), others, synonyms);
    let refuse = import_from(py, "bpfast._validation.names", "refuse_arguments")?;
    call(&refuse, arguments)?;
    Ok(())
}

/// n_1, …, n_L.
///
/// # Errors
/// TypeError if it is not a sequence of integers, ValueError for a negative size, MemoryError for a size
/// that exceeds any memory.
pub fn parse_sizes(value: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let expected = "a sequence of integers";
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        return Err(wrong_type("sizes", expected, value));
    }
    let entries = try_to_list(value)?.ok_or_else(|| wrong_type("sizes", expected, value))?;
    let sizes = entries.iter().enumerate();
    try_collect_results("sizes", sizes.map(|(k, size)| parse_size(k, &size)))
}

fn parse_size(k: usize, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let argument = format!("sizes[{k}]");
    let value = &integer(&argument, value)?;
    match value.extract::<i64>() {
        Ok(size) => usize::try_from(size)
            .map_err(|_| Error::value(argument, "a positive number of neurons", size).into()),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) && value.lt(0)? => {
            Err(Error::value(argument, "a positive number of neurons", value).into())
        }
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Err(
            PyMemoryError::new_err(format!("{argument}: more neurons than memory can hold")),
        ),
        Err(error) => Err(error),
    }
}

fn parse_hidden(value: &Bound<'_, PyAny>, layers: usize) -> PyResult<Vec<Activation>> {
    if let Ok(name) = value.cast::<PyString>() {
        let hidden = Activation::hidden_from_name("hidden", &to_str_lossy(name)?)?;
        return Ok(try_collect("hidden", std::iter::repeat_n(hidden, layers))?);
    }
    let expected = "a name or a list of names";
    let names = try_to_list(value)?.ok_or_else(|| wrong_type("hidden", expected, value))?;
    let parse = |(k, name): (usize, Bound<'_, PyAny>)| {
        let argument = format!("hidden[{k}]");
        Ok(Activation::hidden_from_name(
            &argument,
            &text(&argument, &name)?,
        )?)
    };
    try_collect_results("hidden", names.iter().enumerate().map(parse))
}

/// Whether each of `layers` layers has biases, from a bool or a sequence of bools.
///
/// # Errors
/// TypeError for anything else; ValueError for another number of bools.
pub fn parse_biases(value: &Bound<'_, PyAny>, layers: usize) -> PyResult<Vec<bool>> {
    if let Ok(all) = value.extract::<bool>() {
        return Ok(try_collect("biases", std::iter::repeat_n(all, layers))?);
    }
    let expected = "a bool or a list of bools";
    let entries = try_to_list(value)?.ok_or_else(|| wrong_type("biases", expected, value))?;
    if entries.len() != layers {
        let expected = format!("{layers} bools, one per layer after the input");
        return Err(Error::value("biases", expected, entries.len()).into());
    }
    let parse = |(k, entry): (usize, Bound<'_, PyAny>)| {
        let argument = format!("biases[{k}]");
        let has = entry.extract::<bool>();
        has.map_err(|_| wrong_type(&argument, "a bool", &entry))
    };
    try_collect_results("biases", entries.iter().enumerate().map(parse))
}

/// The cost's name, or the callable.
///
/// # Errors
/// ValueError for an unknown name, TypeError if it is neither a name nor callable.
pub fn parse_cost(value: &Bound<'_, PyAny>) -> PyResult<(Cost, Option<Py<PyAny>>)> {
    if let Ok(name) = value.cast::<PyString>() {
        return Ok((Cost::from_name("cost", &to_str_lossy(name)?)?, None));
    }
    if value.is_callable() {
        let cost = if takes_z(value)? {
            Cost::CustomOfZ
        } else {
            Cost::Custom
        };
        return Ok((cost, Some(value.clone().unbind())));
    }
    Err(wrong_type("cost", "a name or a callable", value))
}

/// Whether a callable cost has `takes_z = True`: then it takes z^L and returns ∂C/∂z^L.
fn takes_z(cost: &Bound<'_, PyAny>) -> PyResult<bool> {
    match attribute(cost, "takes_z") {
        Ok(flag) => Ok(flag.is(PyBool::new(cost.py(), true))),
        Err(error) if error.is_instance_of::<PyAttributeError>(cost.py()) => Ok(false),
        Err(error) => Err(error),
    }
}
