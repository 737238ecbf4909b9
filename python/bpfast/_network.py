"""The class `Network`: the compiled class, and the methods that run user code.

Callbacks, metrics, iterables and custom costs are called from Python only. No Rust function is
on the stack then, so no array is borrowed and the interpreter can exit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast import _core, _tables
from bpfast._calls import methods
from bpfast._derivatives import by_inputs, clipped, directions, per_example, statistics
from bpfast._derivatives import forward_from as _forward_from
from bpfast._derivatives import taylor as _taylor
from bpfast._derivatives.curvature import method as _curvature
from bpfast._derivatives.curvature import products
from bpfast._derivatives.touched import backprop_touched
from bpfast._layer import Layer
from bpfast._training import evaluate as _evaluate
from bpfast._training import fit as _fit
from bpfast._training import partial_fit as _partial_fit

if TYPE_CHECKING:
    from bpfast._core import _Path as Path
    from bpfast._typing import Cost


class Network(_core.Network):
    """A fully connected network: sizes, activations, a cost, and its parameters.

    Layer 1 is the input. For l = 2 … L, z^l = a^(l-1) (W^l)ᵀ + b^l and a^l = σ_l(z^l).

    Parameters
    ----------
    sizes : sequence of int
        n_1, …, n_L: the number of neurons of each layer, at least two layers.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one name for each. Any of
        `bpfast.ACTIVATIONS` except softmax. leaky_relu and elu may have a parameter, the slope or
        alpha: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`, with or without parameter.
    cost : str or callable, default "quadratic"
        One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)``. Its arguments are a^L of shape
        (n, n_L) and ``numpy.asarray(y)``, of n entries; it returns C_x of shape (n,) and nabla_a =
        ∇_a C_x of shape (n, n_L). With an attribute ``takes_z = True`` it takes z^L in place of a^L
        and returns ∂C_x/∂z^L, for a loss on logits. It is called on the calling thread with the
        whole batch, once per call, or once per step of `fit`. It must not change x or the
        parameters, or the optimizer during a training; an error is raised if it does.
    dtype : dtype, default float64
        float32 or float64: the dtype of parameters and results. x is converted to it.
    init : str, default "nielsen"
        "nielsen": weights of variance 1/n_in, biases of variance 1. "nielsen_large": both of
        variance 1. "xavier": weights of variance 2/(n_in + n_out), biases 0. "he": weights of
        variance 2/n_in, biases 0. "lecun": weights of variance 1/n_in, biases 0. "zeros": all 0.
        Normal distributions of mean 0. Common choices are "he" for relu and similar, "lecun" for
        selu, and "xavier" for others.
    seed : None, int, list of int, Generator, BitGenerator or SeedSequence
        Anything that `numpy.random.default_rng` accepts. The same seed gives the same parameters.
        They are drawn layer by layer, W^l row by row and then b^l, in float64; a float32 network
        has the rounded numbers of a float64 network. None: different parameters each time.
    biases : bool or sequence of bool, default True
        Whether the layers 2, …, L have biases: for all, or one bool for each. A layer without
        biases computes z^l = a^(l-1) (W^l)ᵀ; it has no b^l in `params`, and None in `biases`.

    Raises
    ------
    ValueError
        There are fewer than two sizes or a size is below 1; a name is unknown; the number of hidden
        activations is wrong; softmax is used in a hidden layer, or for a single output, where it is
        always 1; or the output does not go with the cost: cross_entropy needs sigmoid or softmax,
        log_likelihood softmax, poisson sigmoid, softplus or softmax.
    TypeError
        An argument has the wrong type, or the dtype is neither float32 nor float64.
    MemoryError
        The parameters cannot be allocated.

    Notes
    -----
    ``net(x)`` is ``net.forward(x)``. ``==`` compares identity; `same_config` compares sizes,
    activations, cost and dtype. Networks can be copied and pickled. A copy has the parameters, but
    not the `optimizer` and `history` of the last training. A network keeps the buffers of its
    largest call, which for a large batch may take a few times the memory of its parameters.

    A subclass may have its own ``__init__``, which calls ``super().__init__(sizes, ...)``, or its
    own ``__new__``, which returns ``super().__new__(cls, sizes, ...)``. Copying and unpickling call
    neither.

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

    cost = methods.cost
    errors = methods.errors
    backprop = methods.backprop
    backprop_touched = backprop_touched
    vjp = directions.vjp
    jvp = directions.jvp
    input_gradient = by_inputs.input_gradient
    jacobian = by_inputs.jacobian
    forward_from = _forward_from.forward_from
    per_example_gradients = per_example.per_example_gradients
    per_example_norms = per_example.per_example_norms
    clipped_backprop = clipped.clipped_backprop
    gradient_statistics = statistics.gradient_statistics
    hvp = products.hvp
    ggn_vp = products.ggn_vp
    empirical_fisher_vp = products.empirical_fisher_vp
    curvature = _curvature.curvature
    taylor = _taylor.taylor
    backprop_taylor = _taylor.backprop_taylor
    fit = _fit.fit
    partial_fit = _partial_fit.partial_fit
    evaluate = _evaluate.evaluate

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers 2, …, L: ``layers[k]`` has ``weights[k]`` and ``biases[k]``.

        Returns
        -------
        tuple of Layer
            Weights and biases are views of the parameters.

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
        """A text table of the layers: sizes, activations and numbers of parameters.

        Returns
        -------
        str
            The table, to be printed.

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
    """Load a network that `Network.save` saved, or the network of a checkpoint of `Network.fit`.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file. A checkpoint gives the network that `fit` would have returned at that epoch: with
        the best parameters if early stopping restores them.
    cost : str or callable, optional
        Needed if the cost of the network was a callable, because files do not store callables: the
        callable, or another cost. Otherwise omit it, or pass the name that is in the file.

    Returns
    -------
    Network
        It has the same configuration, and parameters with the same bits. A saved subclass is loaded
        as `Network`.

    Raises
    ------
    OSError
        The file cannot be read. FileNotFoundError if it does not exist.
    ValueError
        The file is not a network of bpfast, is damaged, or was written by a newer version; or
        ``cost`` is missing, differs from the cost of the file, or does not go with the output.
        A checksum detects damage; a file without one, of an older version, is read.
    TypeError
        ``path`` is not a path, or ``cost`` is neither a name nor a callable.
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
