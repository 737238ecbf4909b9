"""Write models of PyTorch into tests/golden/torch_models/, for tests that run without it.

`make golden` runs it. Each model is a state_dict as .pt and as .safetensors, and its outputs in a
NumPy file: x and a^L.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parents[1] / "tests" / "golden" / "torch_models"
# Square matrices, whose transpose would fit too; more than ten layers, whose names sort otherwise.
MODELS: dict[str, Callable[[], Any]] = {
    "square": lambda: nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Softmax(dim=1)),
    "deep": lambda: nn.Sequential(
        *[module for _ in range(6) for module in (nn.Linear(3, 3), nn.SiLU())], nn.Linear(3, 3)
    ),
}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    for name, make in MODELS.items():
        model: Any = make()
        model = model.double() if name == "deep" else model
        parameter = next(model.parameters())
        x = torch.randn(6, parameter.shape[1], dtype=parameter.dtype)
        torch.save(model.state_dict(), FOLDER / f"{name}.pt")
        save_file(model.state_dict(), FOLDER / f"{name}.safetensors", metadata={"format": "pt"})
        with torch.no_grad():
            np.savez(FOLDER / f"{name}.npz", x=x.numpy(), a=model(x).numpy())


if __name__ == "__main__":
    main()
