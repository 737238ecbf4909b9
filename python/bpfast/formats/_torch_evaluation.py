"""A PyTorch module in evaluation mode, without a change to it. Importing this imports PyTorch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

# The attributes that are dicts of a module's parts.
PARTS = ("_parameters", "_buffers", "_modules")


@contextmanager
def evaluated(model: torch.nn.Module) -> Iterator[None]:
    """Put all modules in evaluation mode; afterwards they have the attributes that they had.

    Not by ``model.eval()``, which can be overridden. Reading a model runs its Python code, which
    may write to buffers and assign attributes: parametrizations, and forward methods, whose values
    are symbols of torch.fx. So buffers are copies meanwhile, and all attributes are restored.
    """
    # A module of torch.jit has other attributes; it is refused later.
    modules = [
        module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)
    ]
    dicts = [vars(module)[part] for module in modules for part in PARTS]
    before = [(attributes, dict(attributes)) for attributes in (*dicts, *map(vars, modules))]
    copies: dict[int, torch.Tensor | None] = {}
    try:
        for module in modules:
            vars(module)["training"] = False
            buffers = vars(module)["_buffers"]
            for name, buffer in buffers.items():
                if id(buffer) not in copies:  # a shared one stays shared
                    copies[id(buffer)] = None if buffer is None else buffer.detach().clone()
                buffers[name] = copies[id(buffer)]
        with torch.no_grad():
            yield
    finally:
        for attributes, old in before:
            attributes.clear()
            attributes.update(old)
