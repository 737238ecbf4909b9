"""The outputs for other weighted inputs of a layer."""

from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._arithmetic import dot
from bpfast.reference._arrays import Array, Matrix, matrix
from bpfast.reference._formulas import activate


def forward_from(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    layer: int,
    z: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> Matrix:
    """The outputs a^L from the weighted inputs z^l of a layer.

    Source: Nielsen, ch. 2: the demon in neuron j of layer l.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    layer : int
        l, from 2 (the first layer with weights) to L.
    z : array, shape (n, n_l)
        z^l.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    list of list of float, shape (n, n_L)
        a^L.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> forward_from([[[2]], [[-1]]], [[0], [1]], 2, [[6]], hidden="relu", output="identity")
    [[-5.0]]
    """
    network = check.network(weights, biases, hidden, output)
    if isinstance(layer, bool) or not isinstance(layer, int):
        raise TypeError(f"layer: expected an integer, got {type(layer).__name__}")
    last = len(network.weights) + 1
    if not 2 <= layer <= last:
        raise ValueError(f"layer: expected a layer from 2 to {last}, got {layer}")
    rows = matrix("z", z, "n", len(network.weights[layer - 2]))
    a = [activate(z_x, network.activations[layer - 2]) for z_x in rows]
    for w, b, activation in list(zip(*network, strict=True))[layer - 1 :]:
        z_l = [
            [dot(w_j, a_x, b_j) for w_j, b_j in zip(w, b or [0.0] * len(w), strict=True)]
            for a_x in a
        ]
        a = [activate(z_x, activation) for z_x in z_l]
    return a
