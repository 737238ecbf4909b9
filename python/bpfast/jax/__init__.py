"""A network as a function inside a larger program of JAX.

- `as_callable` makes a function of parameters and x that ``jax.jit``, ``jax.grad`` and ``jax.vmap``
  take: the forward pass and BP1 to BP4 are those of bpfast.

Install JAX with ``pip install "bpfast[jax]"``. ``import bpfast`` does not import it; `as_callable`
does.
"""

from bpfast.jax._as_callable import as_callable

__all__ = ["as_callable"]


def __dir__() -> list[str]:
    return __all__
