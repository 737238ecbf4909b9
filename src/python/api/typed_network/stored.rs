//! x of a call that also takes a `Trace` in its place: a forward pass made before.

use numpy::ndarray::Ix2;
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::base::alloc::{try_collect, try_collect_results, try_push, try_reserve};
use crate::base::error::Error;
use crate::inside::stored::StoredForward;
use crate::model::architecture::Architecture;
use crate::python::api::gradient::Gradient;
use crate::python::api::trace::{Trace, check_origin, origin};
use crate::python::api::typed_network::TypedNetwork;
use crate::python::borrow::{Element, NamedInput, ReadArray, check_out_disjoint};
use crate::python::convert::arrays::check_shape;
use crate::python::convert::arrays::{input, is_plain};
use crate::python::convert::inputs::InputArray;

/// x, and its forward pass if it is known.
pub struct InputOrTrace<'py, T: Element> {
    pub x: InputArray<'py, T>,
    arrays: Option<LayerArrays<'py, T>>,
    trace: Option<Bound<'py, Trace>>,
}

/// z^l and a^l, l = 2 … L.
struct LayerArrays<'py, T: Element> {
    /// None where nothing reads it.
    z: Vec<Option<ReadArray<'py, T, Ix2>>>,
    a: Vec<ReadArray<'py, T, Ix2>>,
}

/// One slice (n, n_l) per layer.
pub struct LayerSlices<'a, T> {
    z: Vec<&'a [T]>,
    a: Vec<&'a [T]>,
}

impl<T> LayerSlices<'_, T> {
    pub fn stored(&self) -> StoredForward<'_, T> {
        StoredForward {
            z: &self.z,
            a: &self.a,
        }
    }
}

impl<'py, T: Element> InputOrTrace<'py, T> {
    /// # Errors
    /// x is neither, or the trace is of another network or of other parameters.
    pub fn parse(x: &Bound<'py, PyAny>, network: &TypedNetwork<'_, T>) -> PyResult<Self> {
        // The usual case first: the check for a class takes as long as borrowing an array.
        if is_plain(x) {
            return Self::input(x);
        }
        let Ok(trace) = x.cast::<Trace>() else {
            return Self::input(x);
        };
        let architecture = network.architecture();
        if let Some(of_trace) = trace.get().origin {
            let params = network.numbers()?.read("params")?;
            check_origin(of_trace, origin(architecture, &params, of_trace.4))?;
        }
        let (z, a) = (trace.get().z.bind(x.py()), trace.get().a.bind(x.py()));
        let layers = architecture.layers().len();
        if (z.len(), a.len()) != (layers, layers + 1) {
            let got = format!("{} arrays z and {} arrays a", z.len(), a.len());
            let expected = format!("a Trace with {layers} arrays z and {} arrays a", layers + 1);
            return Err(Error::value("x", expected, got).into());
        }
        let x = InputArray::<T>::parse(&a.get_item(0)?)?;
        let n = x.inputs(architecture)?.len();
        let arrays = Some(LayerArrays {
            z: needed_z(z, n, architecture)?,
            a: of_layers("x: an a of the Trace", a, 1, n, architecture)?,
        });
        let trace = Some(trace.clone());
        Ok(Self { x, arrays, trace })
    }

    /// # Errors
    /// `out` shares memory with x, with an array of the trace, or with one of `others`.
    pub fn check_out_disjoint(
        &self,
        out: &Bound<'py, PyUntypedArray>,
        others: &[NamedInput<'_, 'py>],
    ) -> PyResult<()> {
        let py = out.py();
        check_out_disjoint(out, &self.x.named())?;
        if let Some(trace) = self.trace.as_ref().map(Bound::get) {
            for array in trace.z.bind(py).iter().chain(trace.a.bind(py).iter()) {
                check_out_disjoint(out, &[("an array of the Trace", Some(&array))])?;
            }
        }
        for &(name, other) in others {
            // A Gradient is read as its numbers, and a list array by array.
            let of_gradient = match other.map(|other| other.cast::<Gradient>()) {
                Some(Ok(other)) => Some(other.get().vector.flat(py)?),
                _ => None,
            };
            if let Some(Ok(list)) = other.map(|other| other.cast::<PyList>()) {
                for array in list.iter() {
                    check_out_disjoint(out, &[(name, Some(&array))])?;
                }
            }
            check_out_disjoint(out, &[(name, of_gradient.as_ref().or(other))])?;
        }
        Ok(())
    }

    fn input(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        let x = InputArray::parse(x)?;
        Ok(Self {
            x,
            arrays: None,
            trace: None,
        })
    }

    /// The forward pass, if it is known.
    ///
    /// # Errors
    /// Python code has changed an array in place in the meantime, or memory runs out.
    pub fn slices(&self) -> PyResult<Option<LayerSlices<'_, T>>> {
        let Some(LayerArrays { z, a }) = &self.arrays else {
            return Ok(None);
        };
        Ok(Some(LayerSlices {
            z: try_collect_results(
                "layers",
                z.iter().map(|z| match z {
                    Some(z) => Ok(z.as_slice()?),
                    None => Ok::<_, PyErr>(&[][..]),
                }),
            )?,
            a: layer_slices(a)?,
        }))
    }
}

impl<T: Element> TypedNetwork<'_, T> {
    /// Whether a derivative reads z^l, for each l = 2 … L.
    ///
    /// # Errors
    /// `trace` is of another network or of other parameters.
    pub fn check_trace(&self, trace: &Bound<'_, PyAny>) -> PyResult<Vec<bool>> {
        InputOrTrace::parse(trace, self)?;
        let architecture = self.architecture();
        let layers = 0..architecture.layers().len();
        try_collect("layers", layers.map(|index| architecture.needs_z(index))).map_err(PyErr::from)
    }
}

/// Each z^l that the backward pass reads.
fn needed_z<'py, T: Element>(
    list: &Bound<'py, PyList>,
    n: usize,
    architecture: &Architecture,
) -> PyResult<Vec<Option<ReadArray<'py, T, Ix2>>>> {
    let mut arrays = Vec::new();
    try_reserve("layers", &mut arrays, architecture.layers().len())?;
    for (index, layer) in architecture.layers().iter().enumerate() {
        let z = list.get_item(index)?;
        let array = if z.is_none() && !architecture.needs_z(index) {
            None
        } else {
            Some(of_shape("x: a z of the Trace", &z, [n, layer.n_out])?)
        };
        try_push("layers", &mut arrays, array)?;
    }
    Ok(arrays)
}

fn of_shape<'py, T: Element>(
    argument: &'static str,
    array: &Bound<'py, PyAny>,
    expected: [usize; 2],
) -> PyResult<ReadArray<'py, T, Ix2>> {
    let array = input::<T, Ix2>(argument, array)?;
    check_shape(argument, &expected, array.shape())?;
    Ok(array)
}

/// Each array as a slice.
///
/// # Errors
/// Python code has changed an array in place in the meantime, or memory runs out.
pub fn layer_slices<'a, T: Element>(arrays: &'a [ReadArray<'_, T, Ix2>]) -> PyResult<Vec<&'a [T]>> {
    let slices = arrays.iter().map(|array| Ok(array.as_slice()?));
    try_collect_results("layers", slices)
}

/// Arrays (n, n_l), l = 2 … L, from `first` on in the list.
pub fn of_layers<'py, T: Element>(
    argument: &'static str,
    list: &Bound<'py, PyList>,
    first: usize,
    n: usize,
    architecture: &Architecture,
) -> PyResult<Vec<ReadArray<'py, T, Ix2>>> {
    let mut arrays = Vec::new();
    try_reserve("layers", &mut arrays, architecture.layers().len())?;
    for (index, layer) in architecture.layers().iter().enumerate() {
        let array = of_shape(argument, &list.get_item(first + index)?, [n, layer.n_out])?;
        try_push("layers", &mut arrays, array)?;
    }
    Ok(arrays)
}
