//! `forward` and `trace`.

use numpy::ndarray::Ix2;
use numpy::{PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::base::alloc::{try_collect, try_collect_results, try_to_vec};
use crate::base::cancel::{ELEMENT_WORK, cancellable};
use crate::base::error::Error;
use crate::data::Inputs;
use crate::kernels::gemm::Matrix;
use crate::model::network::Network;
use crate::python::api::threads;
use crate::python::api::trace::{COMPARE_ALL_FROM, Trace, origin};
use crate::python::api::typed_network::{TypedNetwork, list, slices};
use crate::python::borrow::{Element, NewArray};
use crate::python::call::detach::detached;
use crate::python::convert::arrays::check_shape;
use crate::python::convert::arrays::input;
use crate::python::convert::dropout::StepDropout;
use crate::python::convert::inputs::InputArray;
use crate::python::convert::output::Output;

impl<T: Element> TypedNetwork<'_, T> {
    /// a^L, (n, n_L), in `out` or a new array.
    pub fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputArray::parse(x)?;
        let shape = [x.inputs(architecture)?.len(), architecture.n_outputs()];
        let mut out = Output::parse(out, py, &shape, &x.named())?;
        let numbers = self.numbers()?;
        if let Some(out) = out.out() {
            numbers.check_out_disjoint(out)?;
        }
        let params = numbers.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, a) = (x.inputs(architecture)?, out.as_slice_mut()?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.forward(scratch, a)
        })?;
        Ok(out.into_array())
    }

    /// a^L from z^l, (n, n_l), of the layer at `index`.
    pub fn forward_from<'py>(
        &self,
        index: usize,
        z: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, architecture) = (z.py(), self.architecture());
        let layer = &architecture.layers()[index];
        let z = input::<T, Ix2>("z", z)?;
        let n = z.shape()[0];
        if n == 0 {
            return Err(Error::value("z", "one example or more", "an empty batch").into());
        }
        check_shape("z", &[n, layer.n_out], z.shape())?;
        let is_output = index + 1 == architecture.layers().len();
        let above = (!is_output)
            .then(|| architecture.above(index + 1))
            .transpose()?;
        let mut out = NewArray::<T, Ix2>::empty(py, &[n, architecture.n_outputs()])?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (z, out_slice) = (z.as_slice()?, out.as_slice_mut());
        let mut a = try_to_vec("a", z)?;
        let work = a.len().saturating_mul(ELEMENT_WORK);
        detached(py, work, |should_cancel| {
            cancellable(should_cancel, |cancel| {
                layer.activation.apply(&mut a, layer.n_out, cancel);
                Ok(())
            })
        })?;
        let Some(above) = &above else {
            out_slice.copy_from_slice(&a);
            return Ok(out.into_array());
        };
        let inputs = Inputs::new(above, Matrix::by_rows(&a, n, layer.n_out))?;
        let network = Network::new(above, &params[layer.biases.end..]);
        self.run_network(py, allowed, network, (inputs, 0), |call, scratch| {
            call.forward(scratch, out_slice)
        })?;
        Ok(out.into_array())
    }

    /// What a custom cost takes, (n, n_L): a^L, or z^L.
    pub fn outputs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        dropout: Option<&StepDropout<'py>>,
    ) -> PyResult<Bound<'py, PyArray2<T>>> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputArray::parse(x)?;
        let shape = [x.inputs(architecture)?.len(), architecture.n_outputs()];
        let mut out = NewArray::<T, Ix2>::empty(py, &shape)?;
        let params = self.numbers()?.read("params")?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let (inputs, numbers) = (x.inputs(architecture)?, out.as_slice_mut());
        let dropout = dropout.map(|dropout| dropout.of_examples(inputs.len()));
        let dropout = dropout.transpose()?;
        self.run(py, allowed, &params, inputs, |call, scratch| {
            (*call).with_dropout(dropout).outputs(scratch, numbers)
        })?;
        Ok(out.into_array())
    }

    /// A checksum of x, to notice that user code has changed it.
    pub fn checksum_of_inputs(&self, x: &Bound<'_, PyAny>) -> PyResult<u64> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputArray::<T>::parse(x)?;
        let inputs = x.inputs(architecture)?;
        let size = inputs.len().saturating_mul(architecture.n_inputs());
        detached(py, size, |_| Ok(inputs.checksum()))
    }

    /// A forward pass for a backward pass that follows: x itself, every a^l, and None for each z^l that no
    /// derivative reads.
    pub fn stored_forward(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        let (py, architecture) = (x.py(), self.architecture());
        let given = x;
        let x = InputArray::parse(x)?;
        let n = x.inputs(architecture)?.len();
        let layers = || architecture.layers().iter().enumerate();
        let params = self.numbers()?.read("params")?;
        let mut a = self.arrays(py, n)?;
        let z = layers().map(|(index, layer)| {
            let rows = if architecture.needs_z(index) { n } else { 0 };
            NewArray::empty(py, &[rows, layer.n_out])
        });
        let mut z = try_collect_results("layers", z)?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(architecture)?;
        let (mut z_slices, mut a_slices) = (slices(&mut z)?, slices(&mut a)?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.stored_forward(scratch, &mut z_slices, &mut a_slices)
        })?;
        let z_or_none = layers()
            .zip(z)
            .map(|((index, _), z)| architecture.needs_z(index).then(|| z.into_array()));
        let first = given.clone();
        let a = a.into_iter().map(|a| a.into_array().into_any());
        Ok(Trace {
            z: PyList::new(py, try_collect("layers", z_or_none)?)?.unbind(),
            a: PyList::new(py, try_collect("layers", std::iter::once(first).chain(a))?)?.unbind(),
            // It is used before any other code runs, or with a check of the parameters.
            origin: None,
        })
    }

    /// z^l and a^l.
    pub fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        let (py, architecture) = (x.py(), self.architecture());
        let x = InputArray::parse(x)?;
        let n = x.inputs(architecture)?.len();
        let params = self.numbers()?.read("params")?;
        let (mut z, mut a) = (self.arrays(py, n)?, self.arrays(py, n)?);
        let mut first = NewArray::<T, Ix2>::empty(py, &[n, architecture.n_inputs()])?;
        let allowed = threads::current(py)?;
        // No Python code runs from here on.
        let inputs = x.inputs(architecture)?;
        let (mut z_slices, mut a_slices) = (slices(&mut z)?, slices(&mut a)?);
        self.run(py, allowed, &params, inputs, |call, scratch| {
            call.trace(scratch, &mut z_slices, &mut a_slices)
        })?;
        inputs.write_dense(first.as_slice_mut());
        Ok(Trace {
            z: list(py, z)?.unbind(),
            a: PyList::new(
                py,
                std::iter::once(first).chain(a).map(NewArray::into_array),
            )?
            .unbind(),
            origin: Some(origin(architecture, &params, n >= COMPARE_ALL_FROM)),
        })
    }
}
