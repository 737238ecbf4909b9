"""state_dicts of PyTorch: parameters by name, from memory or from a file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NoReturn

from bpfast._core import read_tensors
from bpfast._optional import optional
from bpfast._validation.paths import as_path, refuse_pipe
from bpfast.formats._numbers import wrong_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpfast.formats._chain import Chain

DIGITS = re.compile(r"(\d+)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Before this version a crafted file could run code despite weights_only=True (CVE-2025-32434).
MIN_VERSION = (2, 6)
TORCH_SUFFIXES = (".pt", ".pth")
# Dtypes of safetensors files that `read_tensors` does not read, in the words of PyTorch.
DTYPES = {
    "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
    "I8": "int8", "I16": "int16", "I32": "int32", "U16": "uint16", "U32": "uint32",
    "C64": "complex64",
}  # fmt: skip
SAVE = "save model.state_dict() instead"


def add_layers(chain: Chain, tensors: Mapping[str, Any], layers: Sequence[str] | None) -> None:
    """Add the layers of a state_dict to `chain`, in the order of `layers` or of their numbers.

    Raises
    ------
    ValueError
        A name is not ``layer.weight`` or ``layer.bias``, or has no partner; or the names do not
        tell the order.
    TypeError
        A name is not a str, or a value is not an array or tensor of float32 or float64.
    """
    what = chain.what
    names: list[str] = []
    for key, value in tensors.items():
        if not isinstance(key, str):
            raise TypeError(f"{what}: expected names as keys, got {type(key).__name__}")
        if not hasattr(value, "dtype") and not isinstance(value, list | tuple):
            _refuse_nested(what, key, tensors)
        layer, _, kind = key.rpartition(".")
        if kind not in ("weight", "bias") or getattr(value, "ndim", 2) > 2:
            expected = "expected the weight and bias of Linear layers only"
            got = f"shape {tuple(value.shape)}" if kind in ("weight", "bias") else "something else"
            raise ValueError(f"{what}: {key!r}: {expected}, got {got}")
        if layer not in names:
            names.append(layer)
    ordered = _ordered(what, names, layers)
    for layer in ordered:
        prefix = f"{layer}." if layer else ""
        if f"{prefix}weight" not in tensors:
            raise ValueError(f"{what}: layer {layer!r}: expected a weight, got a bias alone")
        weight = tensors[f"{prefix}weight"]
        if getattr(weight, "ndim", 2) != 2:
            got = f"shape {tuple(weight.shape)}, as of a normalisation"
            chain.refuse(layer, "expected the weight of a Linear layer, (out, in)", got)
        chain.add_affine(layer, weight, tensors.get(f"{prefix}bias"))


def _ordered(what: str, names: list[str], layers: Sequence[str] | None) -> list[str]:
    """The names of the layers in the order in which x passes them.

    Raises
    ------
    ValueError
        `layers` does not list them all, once each, or is missing.
    """
    if layers is not None:
        given = list(layers)
        if sorted(given) != sorted(names):
            expected = f"each of {names} once"
            raise ValueError(f"layers: expected {expected}, as the {what} has, got {given}")
        return given
    if len({DIGITS.sub("#", name) for name in names}) > 1:
        expected = f"a list of {names} in the order in which x passes them"
        raise ValueError(
            f"layers: expected {expected}, which the {what} does not contain, got None"
        )

    def numbers(name: str) -> list[int]:
        return [int(number) for number in DIGITS.findall(name)]

    return sorted(names, key=numbers)


def _refuse_nested(what: str, key: str, tensors: Mapping[str, Any]) -> NoReturn:
    """Raise TypeError for a value that is not an array."""
    kind = type(tensors[key]).__name__
    hint = ""
    if hasattr(tensors[key], "keys"):
        hint = f"; pass the entry that is the state_dict, such as checkpoint[{key!r}]"
    raise TypeError(f"{what}: {key!r}: expected a tensor or an array, got {kind}{hint}")


def read_state_dict(path: str | bytes | os.PathLike[Any]) -> Mapping[str, Any]:
    """The tensors in a file of PyTorch or safetensors.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is damaged or of another kind.
    TypeError
        It holds something else than tensors by name, or one of a dtype that is not read.
    ImportError
        PyTorch is needed and not installed.
    """
    name = as_path("model", path)
    refuse_pipe(name, "a file of PyTorch or safetensors")
    with open(name, "rb") as file:  # noqa: PTH123, whose errors are those of open
        start = file.read(2)
    # A ZIP archive since PyTorch 1.6, a pickle before.
    if start in (b"PK", b"\x80\x02"):
        return _load_pt(name)
    try:
        tensors, metadata = read_tensors(name)
    except ValueError as error:
        _refuse_dtypes(name)
        if name.endswith(TORCH_SUFFIXES):
            expected = "a file of torch.save, or a safetensors file"
            raise ValueError(f"{name}: expected {expected}, got neither") from error
        raise
    if metadata.get("format", "").startswith("bpfast."):
        raise ValueError(f"{name}: expected a file of PyTorch, got one of bpfast.load")
    return tensors


def _refuse_dtypes(name: str) -> None:
    """Raise TypeError if the header of a safetensors file names a dtype that is not read."""
    from json import loads

    size = os.stat(name).st_size  # noqa: PTH116, the path stays as given
    with open(name, "rb") as file:  # noqa: PTH123, likewise
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length < size else b""
    try:
        entries = loads(header)
    except (ValueError, RecursionError):  # a damaged file
        return
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        if isinstance(dtype, str) and dtype in DTYPES:
            raise wrong_dtype(f"{name}: {key!r}", DTYPES[dtype])


def _load_pt(name: str) -> Mapping[str, Any]:
    torch = optional("torch", f"from_torch({name!r})")
    version = tuple(int(part) for part in DIGITS.findall(torch.__version__)[:2])
    if version < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        raise ImportError(f"{name}: expected PyTorch {needed} or later, got {torch.__version__}")
    try:
        found = torch.load(name, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        text = ANSI.sub("", str(error)).strip()
        reason = next(iter(text.splitlines()), "").partition(". ")[0] or type(error).__name__
        expected = "a state_dict, whole and without other objects"
        hint = f"; if it holds a module, {SAVE}"
        raise ValueError(f"{name}: expected {expected}, got: {reason}{hint}") from error
    if not hasattr(found, "keys"):
        raise TypeError(f"{name}: expected a state_dict, got {type(found).__name__}; {SAVE}")
    tensors: Mapping[str, Any] = found
    return tensors
