//! The method of `Network` that gives a gradient by some inputs alone, from `bpfast._touched`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::network::PyNetwork;
use super::training::in_module;

#[pymethods]
impl PyNetwork {
    /// C and its gradient by backpropagation, for a sparse batch that touches few of many inputs.
    ///
    /// Time and memory depend on the inputs that are touched, and not on n_1.
    ///
    /// Parameters
    /// ----------
    /// x : SciPy sparse, (n, n_1)
    ///     In any format.
    /// y, sample_weight, reduction
    ///     As for `backprop`.
    ///
    /// Returns
    /// -------
    /// Touched
    ///     ``inputs``: the columns of x in which something is stored, ascending; ``gradient``: a
    ///     `Gradient` whose ``weights[0]`` has these columns of ∂C/∂W^2 alone. The others are 0.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for `backprop`; x is not sparse.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast, scipy.sparse
    /// >>> net = bpfast.Network([1000, 1], output="identity", init="zeros")
    /// >>> x = scipy.sparse.csr_array(([2.0], ([0], [700])), shape=(1, 1000))
    /// >>> inputs, g = net.backprop_touched(x, [[1.0]])
    /// >>> inputs, g.weights[0]
    /// (array([700]), array([[-2.]]))
    /// >>> net.weights[0][:, inputs] -= 0.1 * g.weights[0]
    #[pyo3(
        signature = (*arguments, **options),
        text_signature = "($self, x, y, *, sample_weight=None, reduction='mean')"
    )]
    fn backprop_touched<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        in_module("bpfast._touched", "backprop", slf, arguments, options)
    }
}
