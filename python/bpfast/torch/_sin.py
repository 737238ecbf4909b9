"""The sine as a module, which torch.nn does not have."""

from __future__ import annotations

import torch


class Sin(torch.nn.Module):
    """sin(z) of each element."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """sin(z)."""
        return torch.sin(z)
