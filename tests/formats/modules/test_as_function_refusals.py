"""Transforms of PyTorch that the module of `as_function` refuses. `make test-torch` runs this."""

import pytest

import bpfast
from tests.helpers.cases.models import inputs
from tests.helpers.refuses import refuses

pytest.importorskip("torch")
import torch

X = torch.from_numpy(inputs("float64"))


def batched_gradients(module, x):
    x = x.clone().requires_grad_()
    a = module(x)
    return torch.autograd.grad(a, x, torch.ones(2, *a.shape, dtype=a.dtype), is_grads_batched=True)


def without_gradients(module, x):
    with torch.no_grad():
        return torch.func.vmap(module)(x)


def frozen(module, x):
    module.params.requires_grad_(False)
    return torch.func.grad(lambda x: module(x).sum())(x)


def forward_mode(module, x):
    options = {"strategy": "forward-mode", "vectorize": True}
    return torch.autograd.functional.jacobian(module, x, **options)


TRANSFORMED = "^bpfast.torch.as_function: expected no transforms of torch.func .* net.jacobian or"
FORWARD = (
    "^bpfast.torch.as_function: expected no derivatives in forward mode, .*; net.jvp has them$"
)
OTHER = "^params: .*as_function does not support functional_call with other parameters; write them"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda module, x: torch.func.vmap(module)(x), TRANSFORMED),
        (lambda module, x: torch.func.jacrev(module)(x), TRANSFORMED),
        (
            lambda module, x: torch.autograd.functional.jacobian(module, x, vectorize=True),
            TRANSFORMED,
        ),
        (batched_gradients, TRANSFORMED),
        (without_gradients, TRANSFORMED),
        (lambda module, x: torch.func.jacfwd(module)(x), TRANSFORMED),
        (lambda module, x: torch.func.jvp(module, (x,), (x,)), TRANSFORMED),
        (lambda module, x: torch.func.grad(lambda x: module(x).sum())(x), TRANSFORMED),
        (torch.func.vjp, TRANSFORMED),
        (frozen, TRANSFORMED),
        (forward_mode, FORWARD),
        (
            lambda module, x: torch.func.functional_call(
                module, {"params": module.params.detach().clone()}, (x,)
            ),
            OTHER,
        ),
        (
            lambda module, x: torch.func.grad(
                lambda params: torch.func.functional_call(module, {"params": params}, (x,)).sum()
            )(module.params.detach()),
            OTHER,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_supported(call, message):
    """Errors of PyTorch named its own functions, and none said what to call instead."""
    net = bpfast.Network([X.shape[1], 5, 2], seed=0)
    module = bpfast.torch.as_function(net)
    with refuses(RuntimeError, message, net):
        call(module, X)
