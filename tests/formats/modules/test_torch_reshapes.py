"""Reshapes in the forward method of a module of PyTorch. `make test-torch` runs this."""

import pytest

from bpfast.formats import from_torch
from tests.helpers.cases.models import agree, inputs
from tests.helpers.refuses import refuses

pytest.importorskip("torch")
import torch
from torch import nn
from torch.nn import functional

from tests.helpers.formats.torch_modules import run

X = inputs("float32")


class Reshaped(nn.Module):
    """Two layers, with a reshape before the first, between them and at the end."""

    def __init__(self, *reshapes):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)
        self.before, self.between, self.after = reshapes

    def forward(self, x):
        x = torch.relu(self.first(self.before(x)))
        return self.after(self.last(self.between(x)))


KEEP_ROWS = {
    "view, columns": lambda x, n: x.view(-1, n),
    "view, size": lambda x, n: x.view(x.size(0), -1),
    "view, size and columns": lambda x, n: x.view(x.size(dim=0), n),
    "view, shape": lambda x, n: x.view(x.shape[0], -1),
    "view, size()": lambda x, n: x.view((x.size()[0], -1)),
    "reshape, columns": lambda x, n: x.reshape(-1, n),
    "reshape, shape": lambda x, n: x.reshape(x.shape[0], -1),
    "reshape, tuple": lambda x, n: x.reshape((-1, n)),
    "torch.reshape": lambda x, n: torch.reshape(x, (x.size(0), -1)),
    "twice": lambda x, n: x.view(x.size(0), -1).reshape(-1, n),
}


@pytest.mark.parametrize("name", KEEP_ROWS)
def test_reshapes_that_keep_the_rows(name):
    keep = KEEP_ROWS[name]
    model = Reshaped(*(lambda x, n=n: keep(x, n) for n in (4, 5, 3)))
    assert agree(run(model, X), from_torch(model)(X), "float32")
    images = torch.from_numpy(X).reshape(len(X), 2, 2)  # as rows for the network
    start = Reshaped(lambda x: keep(x, 4), nn.Identity(), nn.Identity())
    assert agree(run(start, images.numpy()), from_torch(start)(X), "float32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x: x.view(-1, 2),
            r"expected one row per example, with \d columns .* view\(-1, 2\)$",
        ),
        (lambda x: x.reshape(x.size(0), 2), r"expected one row per example, .*, 2\)$"),
        (lambda x: x.view(-1), "expected Linear, an activation"),
        (lambda x: x.view(8, -1), "expected Linear, an activation"),
        (lambda x: x.view(-1, x.size(0)), "expected layers one after the other"),
        (lambda x: x.view(x.size(1), -1), "expected layers one after the other"),
        (lambda x: x.reshape(x.shape[1], -1), "expected layers one after the other"),
        (lambda x: x.view(x.size(0), 2, -1), "expected layers one after the other"),
        (lambda x: x.view(torch.float32), "expected Linear, an activation"),
        (lambda x: functional.leaky_relu(x, x.size(0)), "expected layers one after the other"),
        (lambda x: x / x.size(0), "expected layers one after the other"),
    ],
)
@pytest.mark.parametrize("place", range(3))
def test_reshapes_that_may_change_the_rows(place, change, message):
    changes = [nn.Identity()] * 3
    changes[place] = change
    with refuses(ValueError, f"^model: layer '.*': {message}"):
        from_torch(Reshaped(*changes))
