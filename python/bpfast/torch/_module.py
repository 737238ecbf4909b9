"""The module of `as_function`. Importing this file imports PyTorch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import Function

from bpfast.torch._refusals import array_of, refuse_forward_mode, torch_func_refused

if TYPE_CHECKING:
    from bpfast._network import Network


class NetworkModule(torch.nn.Module):
    """A network whose parameters are a `torch.nn.Parameter` in the same memory."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net
        self.params = torch.nn.Parameter(torch.from_numpy(net.params))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """a^L of x, of shape (..., n_1)."""
        net, params = self.net, self.params
        self._check(x)
        rows = x.reshape(-1, net.sizes[0])
        outputs = (*x.shape[:-1], net.sizes[-1])
        if torch.is_grad_enabled() and (x.requires_grad or params.requires_grad):
            with torch_func_refused():
                a: torch.Tensor = _Forward.apply(rows, params, net)
        elif len(rows):
            a = torch.from_numpy(net.forward(array_of(rows)))
        else:
            a = rows.new_empty((0, net.sizes[-1]))
        return a.reshape(outputs)

    def _check(self, x: Any) -> None:
        """Raise an error if x does not fit, or if the memory is no longer shared."""
        net, params = self.net, self.params
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"x: expected a torch.Tensor, got {type(x).__name__}")
        if x.device.type != "cpu" or x.layout is not torch.strided:
            raise TypeError(f"x: expected a dense tensor on the CPU, got {x.layout} on {x.device}")
        dtype = _torch_dtype(net)
        if x.dtype != dtype:
            expected = f"{dtype}, the dtype of the network"
            raise TypeError(f"x: expected {expected}, got {x.dtype}; x.to({dtype}) converts it")
        if not x.ndim or x.shape[-1] != net.sizes[0]:
            raise ValueError(f"x: expected shape (..., {net.sizes[0]}), got {tuple(x.shape)}")
        if params.dtype != dtype or _address(params) != net.params.ctypes.data:
            hint = "convert the network with net.astype, and call as_function again"
            if not isinstance(params, torch.nn.Parameter):  # of torch.func.functional_call
                hint = (
                    "bpfast.torch.as_function does not support functional_call with other "
                    "parameters; write them into net.params, or call load_state_dict"
                )
            raise RuntimeError(f"params: no longer in the memory of net.params; {hint}")

    def extra_repr(self) -> str:
        """The network, for `repr`."""
        return repr(self.net)

    def __deepcopy__(self, memo: dict[int, Any]) -> NetworkModule:
        return self._restored(copy.deepcopy(self.net, memo), self.__dict__, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return NetworkModule, (self.net,), self._state(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        requires_grad = state.pop("requires_grad")
        self.__dict__.update(state)
        self.params.requires_grad_(requires_grad)

    def _state(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """What a copy gets besides network and parameters."""
        return {"training": attributes["training"], "requires_grad": self.params.requires_grad}

    def _restored(self, net: Network, attributes: dict[str, Any], memo: Any) -> NetworkModule:
        module = memo[id(self)] = NetworkModule(net)
        module.__setstate__(self._state(attributes))
        return module


def _torch_dtype(net: Network) -> torch.dtype:
    return torch.float32 if net.dtype.itemsize == 4 else torch.float64


def _address(params: torch.Tensor) -> int | None:
    """Where the memory of the parameters is; None for a tensor of torch.func, which has none."""
    try:
        return int(params.data_ptr())
    except RuntimeError:
        return None


class _Forward(Function):
    """a^L of the rows of x; keeps the trace for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, params: torch.Tensor, net: Network) -> torch.Tensor:
        # Saving both lets PyTorch refuse a backward pass after either was changed in place.
        ctx.save_for_backward(x, params)
        ctx.net = net
        if not len(x):
            ctx.trace = None
            return x.new_empty((0, net.sizes[-1]))
        ctx.trace = net.trace(array_of(x))
        # A copy: what follows may change a^L in place, and the trace must not change.
        return torch.from_numpy(ctx.trace.a[-1].copy())

    @staticmethod
    def backward(ctx: Any, v: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, params = ctx.saved_tensors
        wants = ctx.needs_input_grad
        if not torch.is_grad_enabled():
            return *_gradients(ctx.net, ctx.trace, v, x, params, wants), None
        return *_Backward.apply(v, x, params, ctx.net, ctx.trace, wants), None

    jvp = staticmethod(refuse_forward_mode)


class _Backward(Function):
    """The gradients, whose own derivatives are refused."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ARG004
        v: torch.Tensor,
        x: torch.Tensor,
        params: torch.Tensor,
        net: Network,
        trace: Any,
        wants: tuple[bool, ...],
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        return _gradients(net, trace, v, x, params, wants)

    @staticmethod
    def backward(ctx: Any, *_v: torch.Tensor) -> Any:  # noqa: ARG004
        hint = "net.hvp has those of a network and its cost"
        raise RuntimeError(f"bpfast.torch.as_function: expected first derivatives only; {hint}")


def _gradients(
    net: Network,
    trace: Any,
    v: torch.Tensor,
    x: torch.Tensor,
    params: torch.Tensor,
    wants: tuple[bool, ...],
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """∂C/∂x and ∂C/∂(W, b), None for what is not wanted, from v = ∂C/∂a^L."""
    wants_x, wants_params = wants[:2]
    if trace is None:  # no rows
        zeros = torch.zeros_like(params) if wants_params else None
        return torch.zeros_like(x) if wants_x else None, zeros
    rows = array_of(v)
    dx = dparams = None
    if wants_x and wants_params:
        gradient, dx = net.vjp(trace, rows)
        dparams = gradient.flat
    elif wants_x:
        dx = net.vjp(trace, rows, wrt="x")
    else:
        dparams = net.vjp(trace, rows, wrt="params").flat
    return (
        None if dx is None else torch.from_numpy(dx),
        None if dparams is None else torch.from_numpy(dparams),
    )
