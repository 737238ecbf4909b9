"""Print the worst errors found of each σ: the table of docs/numerics.md.

`python tools/worst_errors.py`; `--step 1000` takes every thousandth float32 only.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

import bpfast

# Of SELU, rounded to a long double.
LAMBDA = np.longdouble("1.0507009873554804934193349852946")
ALPHA = np.longdouble("1.6732632423543772848170429916717")

Truth = Callable[[NDArray[np.floating]], NDArray[np.floating]]
TRUTHS: dict[str, Truth] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: np.where(z > 0, LAMBDA * z, LAMBDA * ALPHA * np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * erfc(-z / np.sqrt(2)) / 2,
    "gelu_tanh": lambda z: z / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "sin": np.sin,
    "softplus": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
}
SMALLEST, LARGEST = 2.0**-30, 256.0
PIECE = 1 << 22
NUMBERS = 4_000_000
GELU_NUMBERS = 400_000


def gelu(z: NDArray[np.floating]) -> NDArray[np.longdouble]:
    """z Φ(z) in 160 bits, of which a long double keeps 64."""
    with mp.workprec(160):
        exact = [mp.mpf(v) * mp.erfc(-mp.mpf(v) / mp.sqrt(2)) / 2 for v in z]
        high = np.array([float(v) for v in exact], np.longdouble)
        return high + np.array([float(v - mp.mpf(float(v))) for v in exact], np.longdouble)


def gelu_tanh(z: NDArray[np.floating]) -> NDArray[np.longdouble]:
    """z s(2 √(2/π) (z + 0.044715 z³)) in the same way."""
    with mp.workprec(160):
        factor = 2 * mp.sqrt(2 / mp.pi)
        numbers = map(mp.mpf, z)
        exact = [v / (1 + mp.exp(-factor * (v + v**3 * 44715 / 10**6))) for v in numbers]
        high = np.array([float(v) for v in exact], np.longdouble)
        return high + np.array([float(v - mp.mpf(float(v))) for v in exact], np.longdouble)


# In float64 a long double does not have enough digits for the exponents of these.
IN_160_BITS = {"gelu": gelu, "gelu_tanh": gelu_tanh}


def float32_numbers(step: int) -> Iterator[NDArray[np.float32]]:
    """Every number of that size, of both signs."""
    first, last = np.array([SMALLEST, LARGEST], np.float32).view(np.uint32).tolist()
    for begin in range(first, last, PIECE * step):
        z = np.arange(begin, min(last, begin + PIECE * step), step, dtype=np.uint32).view(
            np.float32
        )
        yield from (z, -z)


def float64_numbers(count: int) -> Iterator[NDArray[np.float64]]:
    """A sample by size, then one of where the functions bend."""
    rng = np.random.default_rng(0)
    size = np.exp2(rng.uniform(np.log2(SMALLEST), np.log2(LARGEST), count // 4))
    yield size * rng.choice([-1, 1], size.size)
    for edge in (1, 4, 40):
        yield rng.uniform(-edge, edge, count // 4)


def worst(name: Any, dtype: str, pieces: Iterator[NDArray[np.floating]]) -> float:
    """|σ(z) − what it should be| at most, in units of the last place of that."""
    net = bpfast.Network([1, 1], output=name, dtype=dtype, init="zeros")
    net.weights[0][:] = 1
    largest = 0.0
    for z in pieces:
        got = net.forward(z[:, None])[:, 0]
        if dtype == "float32":
            exact = TRUTHS[name](z.astype(np.float64))
        else:
            function = IN_160_BITS.get(name)
            exact = function(z) if function else TRUTHS[name](z.astype(np.longdouble))
        normal = np.abs(exact) >= np.finfo(dtype).tiny
        unit = np.spacing(np.abs(exact[normal]).astype(dtype)).astype(exact.dtype)
        errors = np.abs(got.astype(exact.dtype)[normal] - exact[normal]) / unit
        largest = max(largest, float(errors.max(initial=0)))
    return largest


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1, help="of float32, one number of so many")
    step = parser.parse_args().step
    if np.finfo(np.longdouble).nmant < 63:
        raise SystemExit("needs a long double of 64 bits")
    print("| |", " | ".join(TRUTHS), "|")
    for dtype in ("float32", "float64"):
        row = []
        for name in TRUTHS:
            count = GELU_NUMBERS if name in IN_160_BITS else NUMBERS
            pieces = float32_numbers(step) if dtype == "float32" else float64_numbers(count)
            row.append(f"{worst(name, dtype, pieces):.2f}")
        print(f"| {dtype} |", " | ".join(row), "|")


if __name__ == "__main__":
    main()
