"""Random arguments: some that fit, some of the right type that do not, and some of any type."""

from __future__ import annotations

import array
import contextlib
import ctypes
import decimal
import fractions
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

import bpfast
from bpfast import schedules

if TYPE_CHECKING:
    import pathlib


class UserError(Exception):
    """The exception of the objects below; any call may raise it."""


class Raises:
    """Every method that Python or NumPy calls raises UserError."""

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise UserError

    __array__ = __len__ = __iter__ = __getitem__ = __float__ = __int__ = __index__ = _raise
    __bool__ = __eq__ = __hash__ = __call__ = __fspath__ = __str__ = _raise
    __repr__ = object.__repr__


class WrongAttributes:
    """An object with wrong attributes."""

    shape, dtype, ndim, size, flat = (3, 3), "float64", 2, 9, None

    def __init__(self, gives: Any) -> None:
        self.gives = gives

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.gives

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and index > 5:
            raise IndexError
        return self.gives

    def __index__(self) -> Any:
        return self.gives

    __float__ = __int__ = __fspath__ = __index__


class Int(int):
    """A subclass of int."""


class Str(str):
    """A subclass of str."""

    __slots__ = ()


class Subclass(np.ndarray):
    """An array whose arithmetic raises UserError."""

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise UserError


NUMBERS = [
    0, 1, -1, 2, 3, 7, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64, 10**400,
    0.0, -0.0, 0.5, 1.0, -1.5, 1e-3, 5e-324, 1e308, math.nan, math.inf, -math.inf,
    True, False, 1j, np.float32(0.5), np.float16(2), np.int8(3), np.uint64(2**64 - 1),
    np.bool_(True), np.longdouble(1), np.complex64(1), np.datetime64(1, "s"), np.array(2),
    np.array(0.5), fractions.Fraction(1, 3), decimal.Decimal("0.1"), Int(2), ctypes.c_double(1),
]  # fmt: skip
DTYPES = [
    "f4", "f8", ">f4", ">f8", "f2", "g", "i1", "i4", "i8", ">i8", "u1", "u8", "?", "F", "D", "O",
    "S3", "U2", "M8[s]", "m8[s]", "V5", [("x", "f8"), ("y", "i4")],
]  # fmt: skip
WORDS = [
    "", "sigmoid", "tanh", "relu", "softmax", "identity", "quadratic", "cross_entropy", "huber",
    "log_likelihood", "mean", "sum", "float32", "float64", "zeros", "nielsen", "adam", "sgd",
    "accuracy", "cost", "validation_cost", "min", "max", "balanced", "auto", "L-BFGS-B", "stdout",
    "a word", "ä\0", "\ud800", "x" * 300, "__class__", "Adam", "mse", "lr",
]  # fmt: skip
SIDES = [0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 17, 64]


class Values:
    """Values drawn by one generator. `pool` has objects that previous calls returned."""

    def __init__(self, rng: Any, folder: pathlib.Path) -> None:
        self.rng, self.folder = rng, folder
        self.pool: list[Any] = []

    def choice(self, values: Any) -> Any:
        return values[self.rng.randrange(len(values))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def any(self, depth: int = 0) -> Any:
        """Anything at all."""
        kinds = [
            lambda: None,
            lambda: self.choice(NUMBERS),
            lambda: self.choice(WORDS),
            self.array,
            self.array,
            lambda: self.list(depth),
            self.sparse,
            self.buffer,
            self.object,
            self.path,
            lambda: self.choice(self.pool) if self.pool else None,
        ]
        return self.choice(kinds)()

    def number(self) -> Any:
        return self.choice(NUMBERS)

    def shape(self) -> tuple[int, ...]:
        return tuple(self.choice(SIDES) for _ in range(self.choice([0, 1, 1, 2, 2, 2, 2, 3])))

    def array(self, shape: tuple[int, ...] | None = None, dtype: Any = None) -> Any:
        """An array of any dtype and layout."""
        shape = self.shape() if shape is None else shape
        dtype = self.choice(DTYPES) if dtype is None else dtype
        count = math.prod(shape) * np.dtype(dtype).itemsize
        if np.dtype(dtype).hasobject:
            made = np.empty(shape, dtype)
            made[...] = self.choice([1, 0.5, "x", None])
        else:
            noise = np.frombuffer(self.rng.randbytes(count), np.uint8)
            kind = np.dtype(dtype).kind
            if kind == "U":  # NumPy makes damaged text of characters that there are not
                made = np.full(shape, self.choice(["a", "ä", "\U0001f600"]), dtype)
            elif kind in "fc" and self.chance(0.8):
                made = (noise[: math.prod(shape)] / 64.0 - 2).astype(dtype).reshape(shape)
            elif kind in "iub" and self.chance(0.8):
                made = (noise[: math.prod(shape)] % 3).astype(dtype).reshape(shape)
            else:
                made = noise.view(dtype).reshape(shape) if count else np.zeros(shape, dtype)
        return self.layout(made)

    def layout(self, made: Any) -> Any:
        """The same numbers, in another layout, or in an array of another class."""
        way = self.rng.randrange(14)
        if way == 0:
            return np.asfortranarray(made)
        if way == 1:
            return made[tuple(slice(None, None, -1) for _ in made.shape)]
        if way == 2 and made.ndim:
            return np.repeat(made, 2, axis=-1)[..., ::2]
        if way == 3:
            made = made.copy()
            made.flags.writeable = False
            return made
        if way == 4 and made.ndim:
            return np.broadcast_to(made[:1], made.shape)
        if way == 5 and not made.dtype.hasobject:
            odd = np.frombuffer(b"x" + made.tobytes(), np.uint8)[1:]
            return odd.view(made.dtype).reshape(made.shape) if made.size else made
        if way == 6:
            return made.copy().view(Subclass)
        if way == 7 and made.dtype.names is None:
            return np.ma.masked_array(made, mask=self.chance(0.5))
        if way == 8:
            return made.tolist()
        return made.copy()

    def list(self, depth: int) -> Any:
        if depth > 2:
            return []
        made = [self.any(depth + 1) for _ in range(self.rng.randrange(4))]
        way = self.rng.randrange(8)
        if way == 0:
            return tuple(made)
        if way == 1:
            return iter(made)
        if way == 2:
            return {self.choice([*WORDS, 0, 1, None]): value for value in made}
        if way == 3:
            return range(self.rng.randrange(9))
        if way == 4:
            made.append(made)
        return made

    def sparse(self) -> Any:
        """A sparse matrix."""
        shape = self.choice(SIDES), self.choice(SIDES)
        kind = self.choice(["csr", "csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
        make = getattr(scipy.sparse, kind + self.choice(["_array", "_matrix"]))
        noise = np.frombuffer(self.rng.randbytes(math.prod(shape)), np.uint8).reshape(shape)
        return make((noise % 3).astype(self.choice(["f4", "f8", "i8", "?", "D"])))

    def inconsistent_sparse(self) -> Any:
        """A sparse matrix whose arrays do not match.

        SciPy itself may write out of bounds with it, so only calls of this package get it.
        """
        made = self.sparse()
        if made.format not in ("csr", "csc", "bsr", "coo", "dia"):
            return made
        names = [
            n for n in ("indptr", "indices", "data", "row", "col", "offsets") if hasattr(made, n)
        ]
        name, change = self.choice(names), self.rng.randrange(4)
        array = getattr(made, name)
        if change == 0 and array.size and array.dtype.kind != "b":
            array.reshape(-1)[self.rng.randrange(array.size)] = self.choice([-1, 0, 7, 99, 2**30])
        elif change == 1:
            setattr(made, name, array[: len(array) // 2])
        elif change == 2:
            setattr(made, name, array.astype(self.choice(["f8", "i1", "u8", ">i4"])))
        else:
            with contextlib.suppress(
                TypeError, ValueError, OverflowError
            ):  # SciPy does not take any array
                setattr(made, name, self.array((self.choice(SIDES),)))
        return made

    def buffer(self) -> Any:
        size = self.choice(SIDES)
        return self.choice(
            [
                lambda: memoryview(self.rng.randbytes(size)),
                lambda: bytearray(size),
                lambda: array.array("d", [0.5] * size),
                ctypes.c_double * size,
                lambda: np.ones((size, 2)).data,
            ]
        )()

    def path(self) -> Any:
        name = self.choice(["a", "b", "c.safetensors", "", "no/folder", "\0", "ü"])
        path = self.folder / name
        return self.choice([path, str(path), str(path).encode(), str(self.folder)])

    def object(self) -> Any:
        """Objects of Python's, of the package's, and some that misbehave."""
        return self.choice(
            [
                Raises,
                object,
                lambda: WrongAttributes(self.choice([3, "x", None, np.ones((2, 2)), -1])),
                lambda: Str("sigmoid"),
                self.network,
                lambda: bpfast.Gradient(self.network()),
                lambda: self.network().weights,
                lambda: self.network().trace(np.ones((2, 3))),
                self.optimizer,
                self.schedule,
                bpfast.History,
                lambda: self.choice([bpfast.Network, UserError, math]),
                self.cost,
                lambda: slice(self.choice([None, 0, -1, 2**70]), self.choice([None, 3]), None),
                lambda: Ellipsis,
                lambda: np.random.default_rng(0),
                lambda: bpfast.EarlyStopping(2),
            ]
        )()

    def sizes(self) -> Any:
        return [self.choice([1, 2, 3, 4, 17, 33]) for _ in range(self.choice([2, 2, 3, 3, 4]))]

    def network(self) -> bpfast.Network:
        output = self.choice(["sigmoid", "tanh", "identity", "softmax"])
        sizes = self.choice([[3, 4, 2], [3, 2], [3, 5, 4, 2], [3, 33, 2]])
        cost: Any = "log_likelihood" if output == "softmax" else self.choice(["quadratic", "huber"])
        hidden, dtype = self.choice(["sigmoid", "relu", "gelu"]), self.choice(["f4", "f8"])
        net = bpfast.Network(sizes, hidden=hidden, output=output, cost=cost, dtype=dtype, seed=0)
        self.pool += [net, net.params]
        return net

    def cost(self) -> Any:
        """A callable cost, right or wrong."""
        wrong, way = self.any(2), self.rng.randrange(6)

        def cost(a: Any, y: Any) -> Any:
            a, y = np.asarray(a), np.asarray(y)
            if way == 0:
                raise UserError
            c, gradient = ((a - np.resize(y, a.shape)) ** 2).sum(axis=1) / 2, a * 1.0
            return [None, wrong, (wrong, gradient), (c, wrong), (c, gradient), (c, gradient)][way]

        return cost

    def rate(self) -> Any:
        return self.choice([0.1, 1e-3, 0.5, self.schedule, self.number])

    def schedule(self) -> Any:
        kind = self.choice(["Constant", "Step", "Cosine", "OneCycle", "Plateau", "WarmUp"])
        more = {"Constant": (), "Plateau": ()}.get(kind, (self.choice([1, 2, 9]),))
        return getattr(schedules, kind)(0.1, *more)

    def optimizer(self) -> Any:
        kind = self.choice(["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
        made = getattr(bpfast, kind)(self.choice([0.1, 0.01, self.schedule()]))
        if self.chance(0.3):
            made.step(np.ones(3), np.ones(3))
        return made
