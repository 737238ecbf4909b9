//! The methods of `Network` that compute.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::config::Name;
use super::network::PyNetwork;
use super::results::{Gradient, Trace};
use super::run::with_engine;
use super::targets::Weighting;

#[pymethods]
impl PyNetwork {
    /// a^L for each row of x.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1)
    ///     Any array of real numbers, converted to the network's dtype where it has another. Of a
    ///     sparse matrix or array in CSR format only the stored numbers are computed with; another
    ///     format is converted by its ``tocsr()``, once a call. What is stored more than once at a
    ///     place adds up as in its ``toarray()``.
    /// out : ndarray, (n, n_L), optional
    ///     Where to write: of the network's dtype, C-contiguous, writeable, apart from x.
    ///
    /// Returns
    /// -------
    /// ndarray, (n, n_L)
    ///     ``out``, or a fresh array.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     x of another shape or with no rows, with masked values, or sparse with damaged
    ///     ``indices`` or ``indptr``; ``out`` not as it must be.
    /// TypeError
    ///     x is not of real numbers; ``out`` is no array of the dtype.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 1], init="zeros")
    /// >>> net.forward([[1, 2], [3, 4]])
    /// array([[0.5],
    ///        [0.5]])
    #[pyo3(signature = (x, *, out=None))]
    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_engine!(self, engine => Ok(engine.forward(x, out)?.into_any()))
    }

    /// ``net(x)`` is ``net.forward(x)``.
    #[pyo3(signature = (x, *, out=None))]
    fn __call__<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.forward(x, out)
    }

    /// All of the forward pass: z^l and a^l of every layer.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1)
    ///     As for `forward`.
    ///
    /// Returns
    /// -------
    /// Trace
    ///     ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1), ``a[0]`` a copy of x, with every number where
    ///     x is sparse.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for `forward`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 3, 1], init="zeros")
    /// >>> [a.shape for a in net.trace([[1, 2]]).a]
    /// [(1, 2), (1, 3), (1, 1)]
    fn trace(&self, x: &Bound<'_, PyAny>) -> PyResult<Trace> {
        with_engine!(self, engine => engine.trace(x))
    }

    /// C, the cost of a batch: Σ s_x C_x / Σ s_x, or Σ s_x C_x.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1)
    ///     As for `forward`.
    /// y : array_like, (n, n_L) or (n,)
    ///     The outputs wanted. With cross_entropy and log_likelihood also integer class labels of
    ///     shape (n,), from 0 to n_L - 1 (0 or 1 where n_L = 1). A cost that is a callable gets
    ///     ``numpy.asarray(y)``, of any shape with n entries.
    /// sample_weight : array_like, (n,), optional
    ///     s_x: finite, not negative. Left out: 1 for each example.
    /// reduction : {"mean", "sum"}, default "mean"
    ///     Whether to divide by Σ s_x.
    ///
    /// Returns
    /// -------
    /// float
    ///     Added up in float64.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     Shapes that do not fit, no rows, labels out of range or with a cost that takes none,
    ///     weights that are negative, not finite or, for the mean, all zero.
    /// TypeError
    ///     An argument is not of real numbers.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> net.cost([[1], [2]], [[1], [3]])  # (1/2 + 9/2) / 2
    /// 2.5
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction=Name::Default("mean")), text_signature = "($self, x, y, *, sample_weight=None, reduction='mean')")]
    fn cost<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<f64> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => engine.cost(x, y, &weighting))
    }

    /// The errors δ^l = ∂C/∂z^l of every layer (BP1, BP2).
    ///
    /// C is the cost of the batch, so a row of δ^l has the factor 1/n, or s_x / Σ s_x, in it.
    ///
    /// Parameters
    /// ----------
    /// x, y, sample_weight, reduction
    ///     As for `cost`.
    ///
    /// Returns
    /// -------
    /// list of ndarray
    ///     δ^2, …, δ^L, each (n, n_l).
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for `cost`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> net.errors([[1], [2]], [[1], [3]])
    /// [array([[-0.5],
    ///        [-1.5]])]
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction=Name::Default("mean")), text_signature = "($self, x, y, *, sample_weight=None, reduction='mean')")]
    fn errors<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => engine.errors(x, y, &weighting))
    }

    /// C and its gradient by backpropagation (BP1 to BP4) over the batch, on all cores.
    ///
    /// Parameters
    /// ----------
    /// x, y, sample_weight, reduction
    ///     As for `cost`.
    /// out : Gradient, optional
    ///     Where to write: a gradient of this network, or of one with its sizes and dtype. Its
    ///     numbers are not whole if the call is interrupted.
    ///
    /// Returns
    /// -------
    /// Gradient
    ///     ``out``, or a fresh one.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     As for `cost`; ``out`` is of other sizes, read-only, or overlaps an input.
    /// TypeError
    ///     As for `cost`; ``out`` is no Gradient of the dtype.
    ///
    /// Notes
    /// -----
    /// The same bits at any number of threads and on any run. The gradient of a sparse x has every
    /// number, those that are 0 among them.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> g = net.backprop([[1], [2]], [[1], [3]])
    /// >>> g.cost, g.flat  # ∂C/∂w = Σ δ x, ∂C/∂b = Σ δ
    /// (2.5, array([-3.5, -2. ]))
    #[pyo3(signature = (x, y, *, sample_weight=None, reduction=Name::Default("mean"), out=None), text_signature = "($self, x, y, *, sample_weight=None, reduction='mean', out=None)")]
    fn backprop<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        reduction: Name<'py>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Gradient>> {
        let weighting = Weighting::parse(sample_weight, reduction)?;
        with_engine!(self, engine => {
            let gradient = engine.gradient(x.py(), out)?;
            engine.backprop(x, y, sample_weight, &weighting, gradient.get())?;
            Ok(gradient)
        })
    }
}
