"""Networks and batches for hypothesis: sizes from 1 up, any activations and cost, any layout."""

import numpy as np
from hypothesis import strategies as st

import bpfast

# Names with a parameter; those above 1 are computed in another way.
WITH_PARAMETER = ["leaky_relu(0.3)", "leaky_relu(1.5)", "elu(0.5)", "elu(2.5)"]
HIDDEN = [*(name for name in bpfast.ACTIVATIONS if name != "softmax"), *WITH_PARAMETER]
ALLOWED = {
    "cross_entropy": ["sigmoid", "softmax"],
    "log_likelihood": ["softmax"],
    "poisson": ["sigmoid", "softplus", "softmax"],
}
PAIRS = [
    (o, c) for c in bpfast.COSTS for o in ALLOWED.get(c, [*bpfast.ACTIVATIONS, *WITH_PARAMETER])
]
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}


@st.composite
def cases(draw, dtype):
    """Draw a network and a batch: sizes from 1 up, any pair of output and cost, any layout."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=5))
    output, cost = draw(st.sampled_from(PAIRS))
    if output == "softmax":
        sizes[-1] += 1  # one alone is refused
    hidden = draw(
        st.lists(st.sampled_from(HIDDEN), min_size=len(sizes) - 2, max_size=len(sizes) - 2)
    )
    seed, n = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 6))
    rng = np.random.default_rng(seed)
    net = bpfast.Network(
        sizes, hidden=hidden, output=output, cost=cost, dtype=dtype, init="xavier", seed=rng
    )
    for b in net.biases:
        b[:] = 0.3 * rng.standard_normal(b.shape)
    x = LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))](
        rng.standard_normal((n, sizes[0])).astype(dtype)
    )
    if net.config["cost"] in ("cross_entropy", "log_likelihood") and draw(st.booleans()):
        y = rng.integers(0, max(2, sizes[-1]) if cost == "cross_entropy" else sizes[-1], n)
    else:
        y = rng.uniform(0.05, 0.95, (n, sizes[-1])).astype(dtype)
        y = LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))](y)
    kwargs = {"reduction": draw(st.sampled_from(["mean", "sum"]))}
    if draw(st.booleans()):
        kwargs["sample_weight"] = rng.uniform(0.1, 3.0, n)
    return net, x, y, kwargs
