"""The libraries, told without importing any of them."""

from dataclasses import dataclass

CALLS = {
    "gradient": "gradient of the mean cost",
    "per_example": "gradient of each example",
    "norms": "norm of each example's gradient",
    "clipped": "sum of gradients clipped to norm 1",
    "vjp": "vjp, forward pass known",
    "hvp": "Hessian-vector product",
    "hvp_known": "the same, forward pass and errors known",
    "ggn_vp": "Gauss-Newton product",
}


@dataclass(frozen=True)
class Entry:
    """A library: where its class is, and what its code does."""

    title: str
    place: str  # module:class
    about: str
    calls: tuple[str, ...] = tuple(CALLS)


LIBRARIES = {
    "bpfast": Entry(
        "bpfast",
        "benches.derivatives.bpfast_peer:BpfastPeer",
        "the methods of `Network`, with `out=`; per-example gradients into an array made before",
    ),
    "jax": Entry(
        "JAX",
        "benches.derivatives.jax_peer:JaxPeer",
        "under `jit`: `vmap(grad)`, forward over reverse (`jvp` of `grad`), `jvp` and `vjp` for "
        "Gauss-Newton",
        ("gradient", "per_example", "norms", "clipped", "hvp", "ggn_vp"),
    ),
    "torch": Entry(
        "PyTorch",
        "benches.derivatives.torch_peer:TorchPeer",
        "`torch.func`: `vmap(grad)`, `jvp` of `grad`",
        ("gradient", "per_example", "norms", "clipped", "hvp"),
    ),
}
