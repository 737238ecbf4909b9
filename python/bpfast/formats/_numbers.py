"""Arrays and tensors of parameters, whose dtype is checked and not converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._validation.arrays.array_likes import as_array

if TYPE_CHECKING:
    from bpfast._typing import AnyArray

EXPECTED_DTYPE = "expected float32 or float64"
CONVERSION_HINT = (
    "convert it first, which changes no number: .float() of PyTorch, .astype('float32') of NumPy"
)


def wrong_dtype(what: str, dtype: object) -> TypeError:
    """The error of a dtype that a network cannot have."""
    name = str(dtype).removeprefix("torch.")
    hint = f"; {CONVERSION_HINT}" if name in ("float16", "bfloat16") else ""
    return TypeError(f"{what}: {EXPECTED_DTYPE}, got {name}{hint}")


def numbers(what: str, value: Any) -> AnyArray:
    """An array or a tensor of PyTorch as an array of float32 or float64, in native byte order.

    Raises
    ------
    TypeError
        It has another dtype, or is a sparse tensor.
    ValueError
        It has no numbers: a tensor on PyTorch's device "meta", or masked entries.

    Examples
    --------
    >>> numbers("0.weight", np.ones(2, ">f4"))
    array([1., 1.], dtype=float32)
    >>> numbers("0.weight", np.ones(2, "f2"))
    Traceback (most recent call last):
    TypeError: 0.weight: expected float32 or float64, got float16; convert it first, ...
    """
    if hasattr(value, "detach"):
        return _of_tensor(what, value)
    array = as_array(what, value)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise wrong_dtype(what, array.dtype)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _of_tensor(what: str, tensor: Any) -> AnyArray:
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise wrong_dtype(what, tensor.dtype)
    if str(tensor.layout) != "torch.strided":
        raise TypeError(f"{what}: expected a dense tensor, got {tensor.layout}")
    if tensor.device.type == "meta":
        raise ValueError(f"{what}: expected numbers, got a tensor on the device 'meta'")
    # A tensor may be a negative view.
    array: AnyArray = tensor.detach().cpu().resolve_neg().numpy()
    return array
