"""The class `Network`: what `_core` computes, and above it all that runs code of the user's.

A callback, metric, iterable or cost of the user's is called from Python alone. Below a function of
Rust it would be called while that holds arrays, and could not end with the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast import _calls, _core, _tables, _touched
from bpfast._layer import Layer
from bpfast._training import evaluate as _evaluate
from bpfast._training import fit as _fit

if TYPE_CHECKING:
    from bpfast._core import _Path as Path
    from bpfast._typing import Cost


class Network(_core.Network):
    """A fully connected network: sizes, activations, a cost, and its parameters.

    Layer 1 is the input. For l = 2 … L, z^l = a^(l-1) (W^l)ᵀ + b^l and a^l = σ_l(z^l).

    Parameters
    ----------
    sizes : sequence of int
        n_1, …, n_L: the numbers of neurons, two layers or more.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one for each. One of
        `bpfast.ACTIVATIONS` but softmax.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`.
    cost : str or callable, default "quadratic"
        One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with a of shape (n, n_L), y as
        ``numpy.asarray`` makes it, of n entries, C_x of shape (n,) and nabla_a = ∇_a C_x of shape
        (n, n_L). A callable runs on the calling thread, once a call, or once a step of `fit`, on
        the whole batch, when no call of bpfast is at work. It must not change x, the parameters or,
        in a training, the optimizer, as the forward pass runs again after it: other parameters,
        another state or rate of the optimizer, or another shape of x are errors.
    dtype : dtype, default float64
        float32 or float64. All of the network's numbers have it, and x is converted to it.
    init : str, default "nielsen"
        "nielsen": weights of variance 1/n_in, biases of variance 1. "nielsen_large": all of
        variance 1. "xavier": weights of variance 2/(n_in + n_out), biases 0. "he": weights of
        variance 2/n_in, biases 0. These draw from normal distributions of mean 0. "zeros": all 0.
    seed : None, int, SeedSequence or Generator
        What `numpy.random.default_rng` takes. The same seed gives the same parameters: they are
        drawn layer by layer, W^l row by row and then b^l, in float64; float32 networks start from
        those of float64, rounded.

    Raises
    ------
    ValueError
        Fewer than two sizes, a size below 1, unknown names, a number of hidden activations that
        does not fit, softmax in a hidden layer or of a single output, whose softmax is always 1, or
        an output that the cost is not defined on: cross_entropy takes sigmoid and softmax,
        log_likelihood softmax, poisson sigmoid, softplus and softmax, the others anything.
    TypeError
        An argument of another type, a dtype other than float32 and float64.
    MemoryError
        The parameters cannot be allocated.

    Notes
    -----
    A subclass may have an ``__init__`` with arguments of its own, which calls
    ``super().__init__(sizes, ...)``; or a ``__new__`` that returns
    ``super().__new__(cls, sizes, ...)``. Copies and pickles call neither.

    ``net(x)`` is ``net.forward(x)``. ``==`` compares identity, `same_config` sizes, activations,
    cost and dtype. Networks can be copied and pickled; a copy has the parameters, and neither the
    `optimizer` nor the `history` of the last training. A network keeps the buffers of its largest
    call: those of a large batch may take a few times the memory of its parameters.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([784, 30, 10], seed=0)
    >>> net
    <bpfast.Network 784-30-10: hidden sigmoid, output sigmoid, cost quadratic, ... 23860 parameters>
    >>> net.weights[0].shape, net.biases[0].shape
    ((30, 784), (30,))

    >>> class Autoencoder(bpfast.Network):
    ...     def __init__(self, width, code):
    ...         super().__init__([width, code, width], cost="cross_entropy", seed=0)
    ...         self.code = code
    >>> Autoencoder(8, code=3).sizes
    (8, 3, 8)
    """

    __slots__ = ()

    cost = _calls.cost
    errors = _calls.errors
    backprop = _calls.backprop
    backprop_touched = _touched.backprop_touched
    fit = _fit.fit
    partial_fit = _fit.partial_fit
    evaluate = _evaluate.evaluate

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers 2, …, L: ``layers[k]`` has ``weights[k]`` and ``biases[k]``.

        Examples
        --------
        >>> import bpfast
        >>> for layer in bpfast.Network([784, 30, 10], output="softmax").layers:
        ...     print(layer)
        Layer(784 -> 30, sigmoid, 23550 parameters)
        Layer(30 -> 10, softmax, 310 parameters)
        """
        weights, biases, config = self.weights, self.biases, self.config
        activations = [*config["hidden"], config["output"]]
        return tuple(Layer(weights, biases, k, name) for k, name in enumerate(activations))

    def summary(self) -> str:
        """A table of the layers, their sizes, activations and numbers of parameters, as text.

        Returns
        -------
        str
            ``print`` shows it.

        Examples
        --------
        >>> import bpfast
        >>> print(bpfast.Network([784, 30, 10], hidden="tanh", output="softmax").summary())
        Network: cost quadratic, float64
        layer   in  out  activation  parameters
        -----  ---  ---  ----------  ----------
        2      784   30  tanh            23,550
        3       30   10  softmax            310
        -----  ---  ---  ----------  ----------
        total                            23,860
        """
        return _tables.network_text(self)

    def _repr_html_(self) -> str:
        return _tables.network_html(self)


def load(path: Path, *, cost: Cost | None = None) -> Network:
    """The network that `Network.save` saved, or the one in a checkpoint of `Network.fit`.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file. A checkpoint gives the network that `fit` would have left if it had ended there.
    cost : str or callable, optional
        For a network whose cost is a callable, which no file can hold: that callable, or another
        cost. For others left out, or the name that is in the file.

    Returns
    -------
    Network
        With the same configuration and parameters, bit for bit; of the class `Network`, also where
        a subclass was saved.

    Raises
    ------
    OSError
        The file cannot be read; FileNotFoundError where there is none.
    ValueError
        It is no network that bpfast saved, is damaged, or is of a newer version. ``cost`` is needed
        and missing, is another than the file's, or does not go with the output.
    TypeError
        ``path`` is no path, ``cost`` neither a name nor a callable.
    MemoryError
        The parameters cannot be allocated.

    Examples
    --------
    >>> import bpfast, pathlib, tempfile
    >>> def cost(a, y):
    ...     return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.safetensors")
    ...     bpfast.Network([3, 2], cost=cost).save(path)
    ...     bpfast.load(path, cost=cost).sizes
    (3, 2)
    """
    return _core.load(Network, path, cost)


Network.__module__ = load.__module__ = "bpfast"
