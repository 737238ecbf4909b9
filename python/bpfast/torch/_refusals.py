"""What `as_function` does not support, and what to call instead."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import NDArray

TRANSFORMED = (
    "bpfast.torch.as_function: expected no transforms of torch.func (grad, vjp, jacrev, vmap), no "
    "vectorize=True and no is_grads_batched, which are not supported; call the module with all "
    "rows at once and torch.autograd.grad, or net.jacobian or net.per_example_gradients"
)
FORWARD_MODE = (
    "bpfast.torch.as_function: expected no derivatives in forward mode, which are not supported; "
    "net.jvp has them"
)


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The memory of a tensor, or a copy of a negative view.

    Raises
    ------
    RuntimeError
        It has none, as a tensor inside a transform.
    """
    try:
        # A negative view, such as the imaginary part of a conjugate, shares memory of another sign.
        array: NDArray[Any] = tensor.detach().resolve_neg().numpy()
    except RuntimeError as error:
        raise RuntimeError(TRANSFORMED) from error
    return array


@contextmanager
def torch_func_refused() -> Iterator[None]:
    """Replace the error of PyTorch for a function that torch.func cannot transform.

    A function that it can transform, with `setup_context`, takes a quarter longer for small
    networks in every call.
    """
    try:
        yield
    except RuntimeError as error:
        if "setup_context" in str(error):
            raise RuntimeError(TRANSFORMED) from error
        raise


def refuse_forward_mode(*_: Any) -> NoReturn:
    """Raise the error of derivatives in forward mode."""
    raise RuntimeError(FORWARD_MODE)
