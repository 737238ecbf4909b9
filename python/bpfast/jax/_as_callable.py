"""`as_callable`, which imports JAX when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._optional import optional
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network


def as_callable(net: Network) -> Callable[[Any, Any], Any]:
    """A function ``apply(params, x)`` of JAX that computes `net` and its gradients on the CPU.

    JAX calls bpfast through ``jax.pure_callback``: the forward pass is `Network.forward`, and the
    rule of ``jax.custom_vjp`` is `Network.vjp`, with BP1 to BP4.

    Parameters
    ----------
    net : Network
        Sizes, activations and dtype. Its parameters are not used, and its cost does not matter.

    Returns
    -------
    callable
        ``apply(params, x)`` returns a^L for x of shape (..., n_1), as (..., n_L), in the dtype of
        `net`, to which params and x are converted. params, of shape (P,), is in the order of
        ``net.params``: start with ``jnp.asarray(net.params)``, and write trained ones back with
        ``net.params = params``.

    Raises
    ------
    TypeError
        `net` is not a Network. By the function: params or x is complex. By JAX: a derivative in
        forward mode is taken (``jax.jvp``, ``jax.jacfwd``, ``jax.hessian``).
    ValueError
        `net` is a float64 network and JAX has float64 disabled, as by default: set
        ``jax.config.update("jax_enable_x64", True)`` or use ``net.astype("float32")``. By the
        function: a shape does not fit.
    NotImplementedError
        By the function: a second derivative is taken.
    ImportError
        JAX is not installed.

    Notes
    -----
    Put a batch into x rather than into ``vmap``: it is one call of bpfast then. ``vmap`` over x
    alone is one call too, and the gradients by params that it asks for are those of each example;
    ``vmap`` over params is one call for each. Under ``jit``, ``scan`` and ``checkpoint`` it works
    as outside. The backward pass computes the forward pass again, so that nothing is kept between
    them. Each call copies the parameters, P numbers.

    Examples
    --------
    >>> import bpfast, jax
    >>> import jax.numpy as jnp
    >>> net = bpfast.Network([4, 8, 2], hidden="tanh", output="identity", dtype="float32", seed=0)
    >>> apply = bpfast.jax.as_callable(net)
    >>> params, x = jnp.asarray(net.params), jnp.ones((5, 4))
    >>> loss = jax.jit(lambda params, x: (apply(params, x) ** 2).mean())
    >>> jax.grad(loss)(params, x).shape
    (58,)
    """
    check_network(net, "net")
    optional("jax", "as_callable")
    from bpfast.jax._function import make

    return make(net)
