"""A network as a module inside a larger model of PyTorch.

- `as_function` makes a ``torch.nn.Module`` of a network: the forward pass and BP1 to BP4 are those
  of bpfast, and ``loss.backward()`` goes through them.

Install PyTorch with ``pip install "bpfast[torch]"``. ``import bpfast`` does not import it;
`as_function` does. `bpfast.formats` has the conversions to and from modules.
"""

from bpfast.torch._as_function import as_function

__all__ = ["as_function"]


def __dir__() -> list[str]:
    return __all__
