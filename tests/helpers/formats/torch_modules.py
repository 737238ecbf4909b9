"""Modules of PyTorch. To be imported where PyTorch is."""

from typing import Any

import torch


def run(model: Any, x: Any) -> Any:
    """What `model` returns in evaluation mode for an array."""
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(x)).numpy()
