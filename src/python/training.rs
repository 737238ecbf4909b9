//! The methods of `Network` that train it, in `bpfast._fit`, and what the last training left.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::config::Dtype;
use super::network::PyNetwork;

/// History and optimizer of the last training.
#[derive(Default)]
pub struct Last(Mutex<Option<(Py<PyAny>, Py<PyAny>)>>);

impl Last {
    fn get<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (history, optimizer) = last.as_ref()?;
        Some((history.bind(py).clone(), optimizer.bind(py).clone()))
    }

    fn replace(&self, new: Option<(Py<PyAny>, Py<PyAny>)>) {
        let old = std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            new,
        );
        drop(old); // with the lock open: it may run Python code
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A lock that is held belongs to a thread that will let go: nothing is missed for long.
        if let Ok(last) = self.0.try_lock()
            && let Some((history, optimizer)) = &*last
        {
            visit.call(history)?;
            visit.call(optimizer)?;
        }
        Ok(())
    }

    pub fn clear(&self) {
        self.replace(None);
    }
}

/// Calls a function of a Python module with the network and what the method was given.
pub fn in_module<'py>(
    module: &str,
    name: &str,
    net: &Bound<'py, PyNetwork>,
    arguments: &Bound<'py, PyTuple>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = net.py();
    let arguments = std::iter::once(net.clone().into_any()).chain(arguments.iter());
    let arguments = PyTuple::new(py, arguments.collect::<Vec<_>>())?;
    let module = py.import(module).map_err(|error| unwrapped(py, error))?;
    module.getattr(name)?.call(arguments, options)
}

/// The exception itself where an import has one: Python 3.11 hides what a signal handler raises in a
/// `__set_name__` behind a RuntimeError, and the modules that a first training imports have some.
fn unwrapped(py: Python<'_>, error: PyErr) -> PyErr {
    match error.cause(py) {
        Some(cause) if error.is_instance_of::<PyRuntimeError>(py) => cause,
        _ => error,
    }
}

#[pymethods]
impl PyNetwork {
    /// Train on mini-batches for some epochs.
    ///
    /// Each step takes `batch_size` examples and changes the parameters by the gradient of
    /// C + l2/2 Σ w² + l1 Σ \|w\|, with C = Σ s_x C_x / (n s̄) over its n examples, where s̄ is the mean
    /// weight of all examples that are trained with: an unbiased estimate of Σ s_x C_x / Σ s_x over all
    /// of these, for any `batch_size`. The steps run in Rust, one after the other, without a return to
    /// Python in between.
    ///
    /// Parameters
    /// ----------
    /// x : array_like or SciPy sparse, (n, n_1); or iterable, or callable
    ///     The examples. A memory map stays in its file. Without `y`: an iterable of batches
    ///     ``(x, y)`` or ``(x, y, sample_weight)``, each of which is a step, or a callable that gives
    ///     such an iterable for each epoch. Unless they are in a list or tuple, the next batch is
    ///     fetched, in a thread of its own, while one is at work; the numbers of a batch are copied
    ///     before. As the weights of all examples are not known, those of a batch count as they are:
    ///     s̄ is 1. Arrays must not change before `fit` returns.
    /// y : array_like, (n, n_L) or (n,), optional
    ///     As for `cost`.
    /// epochs : int, default 10
    ///     How often to go through the examples.
    /// batch_size : int, optional
    ///     The examples of a step, 32 where it is left out; the last step of an epoch has what is left.
    ///     Not with batches of an iterable, which have a size of their own.
    /// optimizer : str or Optimizer, default "adam"
    ///     "sgd", "adam", "adamw", "rmsprop", "adagrad" with their defaults, or one of
    ///     `bpfast.optimizers`, which goes on from its state. What it keeps must be of this network.
    /// shuffle : bool, optional
    ///     A new random order for each epoch, unless it is False. Not True with batches of an
    ///     iterable, which stay as they come.
    /// validation : (x, y), (x, y, sample_weight) or float, optional
    ///     Examples to measure after each epoch, or the fraction of the examples to draw and hold
    ///     out for it.
    /// metrics : str or callable, list of these or dict of str to these, default ()
    ///     What is measured after each epoch, of the examples and of `validation`: "accuracy",
    ///     "subset_accuracy", "binary_accuracy", "mean_squared_error", "mean_absolute_error", "r2", or
    ///     ``metric(a, y) -> float``. The column is the key of the dict, or the name of the function.
    ///     Either takes a forward pass; batches of an iterable are not measured. Weights do not count
    ///     here. "accuracy" is of classes, by the largest output, where all of y tells one class for
    ///     each example, by a label or a row; else, where y of several outputs is 0 and 1, it is
    ///     "subset_accuracy", the share of examples whose outputs are all on the right side of 1/2.
    ///     "binary_accuracy" is the share of such outputs.
    /// l1, l2 : float, default 0
    ///     Penalties on the weights. Nielsen's λ is l2 times the number of examples.
    /// dropout : float or list of float, default 0
    ///     The probability that a hidden neuron is left out of a step, for all hidden layers or for
    ///     each. Those that stay count 1/(1 - p) times.
    /// max_norm : float, optional
    ///     The longest vector of weights into a neuron: longer ones are shortened after each step.
    /// clip_norm : float, optional
    ///     The longest gradient of C, over all parameters: a longer one is shortened.
    /// class_weight : dict or "balanced", optional
    ///     How much the examples of each class count in the steps, 1 where nothing is said;
    ///     "balanced": n / (classes · examples of the class). It multiplies `sample_weight`. y has to
    ///     tell one class for each example.
    /// sample_weight : array_like, (n,), optional
    ///     How much each example counts, relative to the others. Not all 0.
    /// early_stopping : int or EarlyStopping, optional
    ///     Stop after so many epochs without a better validation cost, or cost without validation;
    ///     the network gets back its best parameters.
    /// callbacks : callable or list of callable, default ()
    ///     ``callback(net, history)`` after each epoch. True as its answer ends the training; what
    ///     it raises comes through. It may change parameters and learning rate.
    /// progress : bool, default False
    ///     Show a tqdm bar, or a line for each epoch where tqdm is not installed.
    /// seed : int, optional
    ///     Decides about shuffling, dropout and what is held out. Without it, one is drawn;
    ///     ``history.seed`` says which.
    /// sparse : bool, optional
    ///     Whether to take the numbers of a dense x that are not 0 alone: with True always, with
    ///     False never. Left out: where they are few enough for it to be faster. The outcome is the
    ///     same but for rounding. Not True with batches of an iterable.
    /// check_finite : bool, default True
    ///     Whether a cost of the steps, or a parameter, that is NaN or infinite ends the training.
    /// checkpoint : str, bytes or os.PathLike, optional
    ///     Where to write, after epochs and at the end, all that it takes to go on: see *Checkpoints*
    ///     in the manual. A file that is there is replaced.
    /// every : int, optional
    ///     With `checkpoint`: after every so many epochs, 1 where it is left out.
    /// resume : bool, str, bytes or os.PathLike, optional
    ///     The checkpoint to go on from, up to `epochs` in all, with the same bits as if the training
    ///     had never stopped. True: that of `checkpoint` if there is one; else the training begins.
    ///
    /// Returns
    /// -------
    /// History
    ///     Cost and metrics by epoch. ``cost`` is Σ s_x C_x / Σ s_x over the examples of the epoch, and
    ///     with batches of an iterable Σ s_x C_x / n, without penalties and each C_x as the parameters
    ///     were at its step.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     An argument out of range, shapes that do not fit, NaN or infinity in x, y or the parameters,
    ///     a y for which the cost has no minimum: below 0 or above 1 with cross_entropy, below 0 with
    ///     log_likelihood and poisson. An argument that would do nothing.
    ///     A network, optimizer or early stopping that another training is at work with. A checkpoint
    ///     that is damaged, or of a training with other arguments.
    /// TypeError
    ///     An argument of another type.
    /// DivergenceError
    ///     The numbers are no longer finite: the network keeps the last that were.
    /// OSError
    ///     A checkpoint cannot be written, and the old one is as it was; or it cannot be read.
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     A y far beyond what the outputs can be, from 0 to 1 of sigmoid and softmax and from -1 to 1
    ///     of tanh, with quadratic, huber or absolute. Not where y lies in a file or comes in batches.
    ///
    /// Notes
    /// -----
    /// The same bits for the same seed, at any number of threads. Whatever ends the training, Ctrl-C
    /// or an exception among it, the network stands where the last whole step left it,
    /// ``net.optimizer`` has counted the steps, and ``net.history`` holds the epochs so far.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([2, 8, 1], hidden="tanh", cost="cross_entropy", seed=0)
    /// >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    /// >>> history = net.fit(x, y, epochs=200, batch_size=4, optimizer=bpfast.Adam(0.05), seed=0)
    /// >>> net.forward(x).round().ravel()
    /// array([0., 1., 1., 0.])
    #[pyo3(
        signature = (*arguments, **options),
        text_signature = "($self, x, y=None, *, epochs=10, batch_size=None, optimizer='adam', shuffle=None, validation=None, metrics=(), l1=0.0, l2=0.0, dropout=0.0, max_norm=None, clip_norm=None, class_weight=None, sample_weight=None, early_stopping=None, callbacks=(), progress=False, seed=None, sparse=None, check_finite=True, checkpoint=None, every=None, resume=None)"
    )]
    fn fit<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        in_module("bpfast._fit", "fit", slf, arguments, options)
    }

    /// Go through the examples once, and do a step with all of them or, with `batch_size`, several.
    ///
    /// Parameters
    /// ----------
    /// x, y, l1, l2, dropout, max_norm, clip_norm, check_finite
    ///     As for `fit`, with arrays.
    /// class_weight : dict, optional
    ///     As for `fit`, but not "balanced", for which all examples would have to be known.
    /// sample_weight : array_like, (n,), optional
    ///     How much each example counts. The weights are taken as they are: a step follows the
    ///     gradient of Σ s_x C_x / n over its n examples. Where all are 0, penalties and momentum act
    ///     alone.
    /// batch_size : int, optional
    ///     The examples of a step, in the order in which they stand. Left out: all.
    /// optimizer : str or Optimizer, optional
    ///     As for `fit`. Left out: that of the last training of this network, or Adam. The name of its
    ///     kind goes on with it too; another name begins anew.
    /// seed : int, default 0
    ///     Decides about dropout.
    ///
    /// Returns
    /// -------
    /// float
    ///     Σ s_x C_x / n over all n examples, without penalties, each C_x as the parameters were at its
    ///     step.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError, DivergenceError
    ///     As for `fit`.
    ///
    /// Examples
    /// --------
    /// >>> import bpfast
    /// >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    /// >>> net.partial_fit([[1.0]], [[2.0]], optimizer=bpfast.SGD(0.5))  # C = (0 - 2)²/2
    /// 2.0
    /// >>> net.params
    /// array([1., 1.])
    #[pyo3(
        signature = (*arguments, **options),
        text_signature = "($self, x, y, *, batch_size=None, optimizer=None, l1=0.0, l2=0.0, dropout=0.0, max_norm=None, clip_norm=None, class_weight=None, sample_weight=None, seed=0, check_finite=True)"
    )]
    fn partial_fit<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        in_module("bpfast._fit", "partial_fit", slf, arguments, options)
    }

    /// The `History` of the last `fit`, also while it runs and after it was interrupted; None before
    /// the first. Copies and pickles of the network have none.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.training.get(py).map(|(history, _)| history)
    }

    /// The optimizer of the last training, with its state; None before the first. Copies and pickles
    /// of the network have none.
    #[getter]
    fn optimizer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.training.get(py).map(|(_, optimizer)| optimizer)
    }
}

/// A copy of a network's parameters, made while no call writes to them.
#[pyfunction]
pub fn copy_params<'py>(py: Python<'py>, net: &PyNetwork) -> PyResult<Bound<'py, PyAny>> {
    net.vector.copied(py)
}

/// Copies `values` into the parameters of a network that is trained, after the calls of other threads
/// that read them.
#[pyfunction]
pub fn assign_params(net: &PyNetwork, values: &Bound<'_, PyAny>) -> PyResult<()> {
    match net.dtype() {
        Dtype::Float32 => net.vector.train_to::<f32>(values),
        Dtype::Float64 => net.vector.train_to::<f64>(values),
    }
}

/// Notes the training that a network is in, or was last.
#[pyfunction]
pub fn set_training(net: &PyNetwork, history: Py<PyAny>, optimizer: Py<PyAny>) {
    net.training.replace(Some((history, optimizer)));
}
