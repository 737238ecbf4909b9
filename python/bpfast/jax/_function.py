"""The function of `as_callable`. Importing this file imports JAX."""

from __future__ import annotations

import math
from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfast._network import Network
    from bpfast._typing import AnyArray


def make(net: Network) -> Callable[[Any, Any], Any]:
    """``apply(params, x)`` of a network."""
    dtype = net.dtype
    _check_dtype(dtype)
    calls = _Calls(net)
    width_in, width_out, size = net.sizes[0], net.sizes[-1], net.params.size

    @jax.custom_vjp
    def network(params: Any, x: Any) -> Any:
        shape = jax.ShapeDtypeStruct((*x.shape[:-1], width_out), dtype)
        host = partial(calls.forward, x.ndim)
        return jax.pure_callback(host, shape, params, x, vmap_method="expand_dims")

    @jax.custom_vjp
    def gradients(params: Any, x: Any, v: Any) -> Any:
        shapes = jax.ShapeDtypeStruct(params.shape, dtype), jax.ShapeDtypeStruct(x.shape, dtype)
        host = partial(calls.backward, x.ndim)
        return jax.pure_callback(host, shapes, params, x, v, vmap_method="expand_dims")

    def refused(*_arguments: Any) -> Any:
        hint = "net.hvp has those of a network and its cost"
        raise NotImplementedError(f"bpfast.jax.as_callable: first derivatives only; {hint}")

    gradients.defvjp(refused, refused)
    network.defvjp(
        lambda params, x: (network(params, x), (params, x)),
        lambda stored, v: gradients(*stored, v),
    )

    def apply(params: Any, x: Any) -> Any:
        """a^L of x, of shape (..., n_1), with the given parameters."""
        _check_dtype(dtype)
        params, x = _real("params", params, dtype), _real("x", x, dtype)
        if params.shape != (size,):
            raise ValueError(f"params: expected shape ({size},), got {params.shape}")
        if not x.ndim or x.shape[-1] != width_in:
            raise ValueError(f"x: expected shape (..., {width_in}), got {x.shape}")
        if not x.size:
            return jnp.zeros((*x.shape[:-1], width_out), dtype)
        return network(params, x)

    return apply


def _real(argument: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """`value` as an array of JAX, which would drop imaginary parts."""
    for entry in jax.tree_util.tree_leaves(value):  # of a list, or the array itself
        if np.iscomplexobj(entry):
            given = getattr(entry, "dtype", None)
            got = type(entry).__name__ if given is None else f"dtype {given}"
            raise TypeError(f"{argument}: expected real numbers, got {got}")
    return jnp.asarray(value, dtype)


def _check_dtype(dtype: np.dtype[Any]) -> None:
    """Raise ValueError if JAX does not have the dtype."""
    if dtype == np.float64 and not jax.config.jax_enable_x64:
        hint = 'jax.config.update("jax_enable_x64", True), or net.astype("float32")'
        raise ValueError(f"net: expected float32, as JAX has float64 disabled, got float64; {hint}")


class _Calls:
    """What JAX calls on the host. Axes in front of the arguments come from ``vmap``."""

    def __init__(self, net: Network) -> None:
        self.net = net.copy()
        self.free: deque[Network] = deque()

    @contextmanager
    def _with(self, params: AnyArray) -> Iterator[Network]:
        """A network of these parameters, for this thread alone."""
        try:
            net = self.free.pop()
        except IndexError:
            net = self.net.copy()
        net.params[:] = params
        yield net
        self.free.append(net)

    def forward(self, ndim: int, params: Any, x: Any) -> AnyArray:
        """a^L; `ndim` is the number of axes of x without those of ``vmap``."""
        params, x = np.asarray(params), np.asarray(x)
        batch = np.broadcast_shapes(params.shape[:-1], x.shape[:-ndim])
        if params.ndim == 1 or math.prod(params.shape[:-1]) == 1:
            with self._with(params.reshape(-1)) as net:
                a = net.forward(x.reshape(-1, x.shape[-1]))
            return a.reshape(*x.shape[:-1], a.shape[-1])
        params = np.broadcast_to(params, (*batch, params.shape[-1]))
        x = np.broadcast_to(x, (*batch, *x.shape[-ndim:]))
        out: AnyArray = np.empty((*x.shape[:-1], self.net.sizes[-1]), self.net.dtype)
        for index in np.ndindex(batch):
            with self._with(params[index]) as net:
                a = net.forward(x[index].reshape(-1, x.shape[-1]))
            out[index] = a.reshape(out[index].shape)
        return out

    def backward(self, ndim: int, params: Any, x: Any, v: Any) -> tuple[AnyArray, AnyArray]:
        """∂C/∂(W, b) and ∂C/∂x from v = ∂C/∂a^L."""
        params, x, v = np.asarray(params), np.asarray(x), np.asarray(v)
        axes = params.shape[:-1], x.shape[:-ndim], v.shape[:-ndim]
        batch = np.broadcast_shapes(*axes)
        dparams: AnyArray = np.empty((*batch, params.shape[-1]), params.dtype)
        dx: AnyArray = np.empty((*batch, *x.shape[-ndim:]), x.dtype)
        shared = math.prod(params.shape[:-1]) == 1
        params = np.broadcast_to(params, dparams.shape)
        x = np.broadcast_to(x, dx.shape)
        v = np.broadcast_to(v, (*batch, *v.shape[-ndim:]))
        if shared and batch and ndim == 1:  # gradients of each example, by one parameter vector
            with self._with(params.reshape(-1, params.shape[-1])[0]) as net:
                rows, deltas = x.reshape(-1, x.shape[-1]), v.reshape(-1, v.shape[-1])
                trace = net.trace(rows)
                dparams[...] = net._per_example_vjp(trace, deltas, False).reshape(dparams.shape)
                dx[...] = net.vjp(trace, deltas, wrt="x").reshape(dx.shape)
            return dparams, dx
        for index in np.ndindex(batch):
            with self._with(params[index]) as net:
                rows, deltas = x[index].reshape(-1, x.shape[-1]), v[index].reshape(-1, v.shape[-1])
                gradient, change = net.vjp(rows, deltas)
                dparams[index] = gradient.flat
                dx[index] = change.reshape(dx.shape[len(batch) :])
        return dparams, dx
