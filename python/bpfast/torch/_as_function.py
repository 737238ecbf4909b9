"""`as_function`, which imports PyTorch when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast._optional import optional
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    import torch

    from bpfast._network import Network


def as_function(net: Network) -> torch.nn.Module:
    """A ``torch.nn.Module`` that computes `net` and its gradients, for a larger PyTorch model.

    The forward pass is that of `Network.trace`, the backward pass `Network.vjp` on its trace: with
    v = ∂C/∂a^L from PyTorch, ∂C/∂x and ∂C/∂(W, b) by BP1 to BP4.

    Parameters
    ----------
    net : Network
        Its cost does not matter: the loss is PyTorch's.

    Returns
    -------
    torch.nn.Module
        ``module(x)`` returns a^L for x of shape (..., n_1), as (..., n_L), in the dtype of `net`.
        ``module.net`` is `net`. ``module.params`` is a ``torch.nn.Parameter`` of shape (P,) in the
        order of ``net.params``, whose memory it shares: a PyTorch optimizer trains the network, and
        ``net.forward``, ``net.save`` and so on see the trained parameters at once.

    Raises
    ------
    TypeError
        `net` is not a Network. By the module: x is not a dense tensor on the CPU, of the dtype of
        `net`.
    ValueError
        By the module: the last axis of x is not n_1.
    RuntimeError
        By the module: ``module.params`` no longer shares the memory of ``net.params``, since
        ``module.to``, ``double`` or ``cuda`` replaced it; or a second derivative is taken. By
        PyTorch: x or the parameters were changed in place between the passes.
    ImportError
        PyTorch is not installed.

    Notes
    -----
    Second derivatives (``create_graph=True``, ``gradgradcheck``) are refused when they are used;
    `Network.hvp` has those of bpfast's costs. Refused are also the transforms of ``torch.func``,
    ``vectorize=True`` and ``is_grads_batched``, for which `Network.jacobian` and
    `Network.per_example_gradients` have the derivatives; forward mode, which `Network.jvp` has; and
    ``functional_call`` with other parameters.

    Without gradients (``torch.no_grad``, or if neither x nor the parameters require any) no trace
    is kept. If only one of both requires gradients, only that is computed. x with no rows gives an
    output with no rows.

    A deep copy and a pickle have a copy of the network, and share its memory in turn.
    ``load_state_dict`` writes into the memory of the network.

    A change of the parameters by NumPy or bpfast between the two passes is not noticed, as a change
    of ``tensor.data`` is not.

    Examples
    --------
    >>> import bpfast, torch
    >>> net = bpfast.Network([4, 8, 2], hidden="tanh", output="identity", dtype="float32", seed=0)
    >>> block = bpfast.torch.as_function(net)
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), block, torch.nn.Linear(2, 1))
    >>> optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    >>> model(torch.ones(5, 3)).square().mean().backward()
    >>> before = net.params.copy()
    >>> _ = optimizer.step()
    >>> bool((net.params != before).any())
    True
    """
    check_network(net, "net")
    optional("torch", "as_function")
    from bpfast.torch._module import NetworkModule

    return NetworkModule(net)
