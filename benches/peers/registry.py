"""The peers by name, told without importing any of them: each runs in a process of its own."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version


def found(name: str) -> str:
    """The version of a package, or of its form for CPUs alone."""
    try:
        return version(name)
    except PackageNotFoundError:
        return version(f"{name}-cpu")


@dataclass(frozen=True)
class Entry:
    """A peer: where its class is, which packages it needs, and what its code does."""

    title: str
    place: str  # module:class
    needs: tuple[str, ...]  # distributions, the first named as its module is
    about: str
    module: str = ""  # where the module's name is not the distribution's
    counted: bool = True  # threads can be limited without limiting the CPUs
    kernels: bool = False  # it can be asked for its kernels: its own, or those of its BLAS
    limited: bool = True  # its kernels can be held to a SIMD level
    compiled: bool = False  # each case is compiled for seconds: it is left out of the curves
    # What it has no way for, a call or "sparse" input, and why.
    lacks: Mapping[str, str] = field(default_factory=dict)

    def can(self, call: str, *, sparse: bool) -> bool:
        """Whether it has a way for a call."""
        return call not in self.lacks and not (sparse and "sparse" in self.lacks)

    def versions(self) -> dict[str, str]:
        """The version of each package; raises PackageNotFoundError."""
        return {name: found(name) for name in self.needs}

    def installed(self) -> bool:
        """Tell whether the packages are there."""
        try:
            self.versions()
        except PackageNotFoundError:
            return False
        return importlib.util.find_spec(self.module or self.needs[0]) is not None


PEERS = {
    "bpfast": Entry(
        "bpfast",
        "benches.peers.bpfast_peer:BpfastPeer",
        ("bpfast",),
        "`net.backprop(x, y, out=g)`; `net.forward(x, out=a)`. A sparse x is a SciPy CSR matrix, "
        "and the gradient has every element of the first weight matrix.",
        kernels=True,
    ),
    "numpy": Entry(
        "NumPy",
        "benches.peers.numpy_peer:NumpyPeer",
        ("numpy",),
        "`np.matmul(..., out=)` and in-place operations on preallocated arrays, with weights of "
        "shape (n_in, n_out), σ' computed from a, and 1/n included in the error of the output. A "
        "sparse x is a SciPy matrix: `x @ w` and `x.T @ delta`.",
        kernels=True,
    ),
    "sklearn": Entry(
        "scikit-learn",
        "benches.peers.sklearn_peer:SklearnPeer",
        ("scikit-learn",),
        "`MLPRegressor.partial_fit(x, y)` with one mini-batch, plain SGD and no penalty. It has "
        "no call for the gradient alone, so the time includes the validation of x and y and a step "
        "with η = 1e-9. The gradient is checked by a step with η = 1024. Forward is `predict(x)`.",
        module="sklearn",
        kernels=True,
    ),
    "jax": Entry(
        "JAX",
        "benches.peers.jax_peer:JaxPeer",
        ("jax", "jaxlib"),
        "`jax.jit(jax.value_and_grad(cost))` and `jax.jit(forward)` on JAX arrays, then "
        "`block_until_ready`. A sparse x is an array of column indices and one of values, with "
        "`einsum` over the gathered rows of the first weight matrix.",
        counted=False,
    ),
    "torch": Entry(
        "PyTorch",
        "benches.peers.torch_peer:TorchPeer",
        ("torch",),
        "`nn.Sequential` of `Linear` and activations, `zero_grad(set_to_none=True)`, "
        "`mse_loss`, `backward()` on existing tensors; forward under `inference_mode`. For a "
        "sparse x the first layer is an `EmbeddingBag` with `per_sample_weights`.",
        kernels=True,
    ),
    "torch.compile": Entry(
        "torch.compile",
        "benches.peers.torch_peer:CompiledPeer",
        ("torch",),
        "the same, with model and cost compiled by `torch.compile` (static shapes).",
        kernels=True,
        compiled=True,
    ),
    "tensorflow": Entry(
        "TensorFlow",
        "benches.peers.tensorflow_peer:TensorflowPeer",
        ("tensorflow",),
        "`tf.function` with a `GradientTape` over `tf.Variable`s, on existing tensors. Fetching "
        "the cost with `numpy()` waits for the result.",
        lacks={"sparse": "this benchmark has no sparse input for it"},
    ),
    "onnxruntime": Entry(
        "ONNX Runtime",
        "benches.peers.onnx_peer:OnnxPeer",
        ("onnxruntime", "onnx"),
        "a session with `Gemm` and activations and all optimisations, by `run_with_iobinding` "
        "or `run`, whichever is faster.",
        limited=False,
        lacks={"gradient": "inference only", "sparse": "not supported"},
    ),
}


def installed() -> list[str]:
    """The names of those that can run here."""
    return [name for name, entry in PEERS.items() if entry.installed()]
