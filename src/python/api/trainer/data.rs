//! The examples of a `Trainer`, stored between its calls and borrowed during them.

use std::sync::Arc;

use numpy::ndarray::Ix1;
use numpy::{PyArray1, PyUntypedArray};
use pyo3::prelude::*;

use crate::base::error::Error;
use crate::data::{Inputs, Targets};
use crate::model::architecture::Architecture;
use crate::python::api::network::PyNetwork;
use crate::python::borrow::{ArraySpans, Element, NamedInput, ReadArray};
use crate::python::convert::arrays::input;
use crate::python::convert::inputs::{self, StoredInputs};
use crate::python::convert::targets::{self, StoredTargets};

pub struct TrainerData<T: Element> {
    pub n: usize,
    /// Shared by trainers of several networks.
    x: Arc<StoredInputs<T>>,
    y: Arc<StoredTargets<T>>,
    sample_weight: Option<Py<PyArray1<f64>>>,
}

pub struct BorrowedData<'a, 'py, T: Element> {
    x: inputs::BorrowedInputs<'a, 'py, T>,
    y: targets::BorrowedTargets<'py, T>,
    sample_weight: Option<ReadArray<'py, f64, Ix1>>,
}

impl<T: Element> TrainerData<T> {
    /// Takes x, y and sample_weight, as `Trainer.load` describes.
    ///
    /// # Errors
    /// They do not match the network.
    pub fn load(
        net: &PyNetwork,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        sparse: f64,
    ) -> PyResult<Self> {
        let py = y.py();
        check_apart_from_params(
            net,
            py,
            [
                ("x", Some(x)),
                ("y", Some(y)),
                ("sample_weight", sample_weight),
            ],
        )?;
        let mut x = StoredInputs::<T>::parse(x)?;
        let n = x.borrow(py)?.inputs(net.architecture())?.len();
        if u32::try_from(n).is_err() {
            let expected = format!("at most {} examples", u32::MAX);
            return Err(Error::value("x", expected, n).into());
        }
        let custom = net.config.custom.is_some();
        let y = StoredTargets::<T>::parse(net.architecture(), custom, n, y)?;
        let sample_weight = stored_weights(sample_weight, n)?;
        if sparse > 0.0 {
            x = x.into_csr_if_sparse(py, sparse)?;
        }
        Ok(Self {
            n,
            x: Arc::new(x),
            y: Arc::new(y),
            sample_weight,
        })
    }

    /// The same x and y for another network, with weights of its own.
    ///
    /// # Errors
    /// They do not match the network.
    pub fn shared(
        &self,
        net: &PyNetwork,
        sample_weight: Option<&Bound<'_, PyAny>>,
        py: Python<'_>,
    ) -> PyResult<Self> {
        let architecture = net.architecture();
        let (x, y) = (self.x.object(py), self.y.object(py));
        check_apart_from_params(net, py, [("x", x.as_ref()), ("y", Some(&y))])?;
        self.x.borrow(py)?.inputs(architecture)?;
        self.y.borrow(py)?.targets(architecture, self.n)?;
        Ok(Self {
            n: self.n,
            x: Arc::clone(&self.x),
            y: Arc::clone(&self.y),
            sample_weight: stored_weights(sample_weight, self.n)?,
        })
    }

    /// y, in the form that a callable cost takes.
    pub fn y<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.y.object(py)
    }

    /// # Errors
    /// The dtype has been changed in the meantime, or another call is writing to the array.
    pub fn borrow<'py>(&self, py: Python<'py>) -> PyResult<BorrowedData<'_, 'py, T>> {
        let weights = self.sample_weight.as_ref();
        let weights = weights.map(|weights| input("sample_weight", weights.bind(py)));
        Ok(BorrowedData {
            x: self.x.borrow(py)?,
            y: self.y.borrow(py)?,
            sample_weight: weights.transpose()?,
        })
    }
}

/// Checks that the arrays share no memory with the parameters: the steps write to these while they read them.
///
/// # Errors
/// One of them does.
fn check_apart_from_params<'a, 'py: 'a>(
    net: &PyNetwork,
    py: Python<'py>,
    inputs: impl IntoIterator<Item = NamedInput<'a, 'py>>,
) -> PyResult<()> {
    let mut spans = ArraySpans::new();
    spans.add("params".into(), net.vector.flat(py)?.cast()?, true)?;
    for (name, value) in inputs {
        if let Some(Ok(array)) = value.map(|value| value.cast::<PyUntypedArray>()) {
            spans.add(name.into(), array, false)?;
        }
    }
    Ok(())
}

/// The weights of `n` examples.
///
/// # Errors
/// Another number of weights, or one is not finite.
fn stored_weights(
    sample_weight: Option<&Bound<'_, PyAny>>,
    n: usize,
) -> PyResult<Option<Py<PyArray1<f64>>>> {
    let stored = sample_weight.map(|weights| {
        let weights = input::<f64, Ix1>("sample_weight", weights)?;
        crate::data::targets::check_weights(n, weights.as_slice()?, true)?;
        PyResult::Ok(weights.as_any().cast::<PyArray1<f64>>()?.clone().unbind())
    });
    stored.transpose()
}

impl<T: Element> BorrowedData<'_, '_, T> {
    /// The `n` examples.
    ///
    /// # Errors
    /// Their number or width differs from when they were loaded.
    pub fn examples(
        &self,
        architecture: &Architecture,
        n: usize,
    ) -> PyResult<(Inputs<'_, T>, Targets<'_, T>)> {
        let inputs = self.x.inputs(architecture)?;
        let weights = self.sample_weight.as_ref();
        let weights = weights.map(ReadArray::as_slice).transpose()?;
        if inputs.len() != n || weights.is_some_and(|weights| weights.len() != n) {
            let expected = format!("{n} examples as before");
            return Err(Error::value("x", expected, "others").into());
        }
        let targets = self.y.targets(architecture, n)?;
        Ok((inputs, targets.with_weights(weights)))
    }
}
