"""Modules of PyTorch are read as they are called in evaluation mode, and do not change.

`make test-torch` runs this.
"""

import pytest

from bpfast.formats import from_torch
from tests.helpers.cases.models import agree, inputs
from tests.helpers.refuses import refuses

pytest.importorskip("torch")
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from tests.helpers.formats.torch_modules import run

X = inputs("float32")


def linear(n_out=4):
    return nn.Linear(4, n_out)


def test_a_module_that_occurs_twice():
    torch.manual_seed(0)
    act = nn.Tanh()
    model = nn.Sequential(linear(), act, linear(), act, nn.Sequential(linear(2), act))
    net = from_torch(model)
    assert net.config["hidden"] == ["tanh", "tanh"]
    assert net.config["output"] == "tanh"
    assert agree(net(X), run(model, X), "float32")


def twice(module):
    return nn.Sequential(module, module)


@pytest.mark.parametrize(
    ("make", "name", "first"),
    [
        (lambda: twice(linear()), "1", "0"),
        (lambda: twice(nn.Sequential(linear(), nn.Tanh())), "1.0", "0.0"),
        (lambda: twice(parametrizations.weight_norm(linear())), "1", "0"),
    ],
)
def test_parameters_that_are_used_twice(make, name, first):
    message = f"^model: layer '{name}': expected parameters of its own, .*, got those of "
    with refuses(ValueError, f"{message}layer '{first}'$"):
        from_torch(make())


def test_a_weight_that_is_a_shared_buffer():
    model = nn.Sequential(linear(), linear())
    weight = torch.ones(4, 4)
    for layer in model:
        del layer.weight
        layer.register_buffer("weight", weight)
    with refuses(ValueError, "^model: layer '1': expected parameters of its own"):
        from_torch(model)


@pytest.mark.parametrize("parametrized", ["weight_norm", "spectral_norm"])
def test_many_parametrized_layers(parametrized):
    torch.manual_seed(0)
    wrap = getattr(parametrizations, parametrized)
    model = nn.Sequential(*(wrap(linear()) for _ in range(8)))
    assert agree(from_torch(model)(X), run(model, X), "float32")


def test_spectral_norm_does_not_change():
    model = nn.Sequential(parametrizations.spectral_norm(linear()), nn.Tanh())
    model[0].parametrizations.weight[0]._u.copy_(torch.eye(4)[0])  # far from its limit
    before = {name: value.clone() for name, value in model.state_dict().items()}
    from_torch(model)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


class Branch(nn.Module):
    """Logits in training, probabilities in evaluation."""

    def __init__(self):
        super().__init__()
        self.linear = linear()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        self.stored = self.linear(functional.dropout(x, 0.5, self.training))
        return self.stored if self.training else torch.softmax(self.stored, 1)


def test_training_mode_is_not_read():
    model = nn.Sequential(linear(), Branch())
    model[0].eval()
    modes = [module.training for module in model.modules()]
    net = from_torch(model)
    assert [module.training for module in model.modules()] == modes
    assert not hasattr(model[1], "stored")
    assert model[1].calls == 0
    assert net.config["output"] == "softmax"
    assert agree(net(X), run(model, X), "float32")
    assert model[1].calls == 1


class Always(Branch):
    def forward(self, x):
        return self.linear(functional.dropout(x, 0.5))


class All(Branch):
    def forward(self, x):
        return torch.flatten(self.linear(x))


@torch.fx.wrap
def relu(x):
    return -x


class Wrapped(Branch):
    def forward(self, x):
        return relu(self.linear(x))


class Called(nn.Linear):
    def __call__(self, x):
        return 2 * super().__call__(x)


def own_forward():
    layer = linear()
    layer.forward = lambda x: x
    return nn.Sequential(layer)


def empty():
    model = nn.Sequential(linear(), nn.Tanh())
    model.register_module("1", None)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Always, "'dropout': .*, got .*; pass training=self.training, as it drops in evaluation"),
        (All, "'flatten': .*start_dim=0"),
        (Wrapped, r"'relu': .*, got relu\(\), which is not that of PyTorch$"),
        (lambda: nn.Sequential(Called(4, 4)), "'0': .*, got Called with a __call__ of its own$"),
        (
            own_forward,
            "'0': expected a module that calls .*, got Linear with a forward of its own$",
        ),
        (empty, "'': expected modules, got None as '1'$"),
    ],
)
def test_what_is_not_the_layer_of_that_name(make, message):
    with refuses(ValueError, f"^model: layer {message}"):
        from_torch(make())


def compiled(model):
    return torch.compile(model, backend="eager")


def test_compiled_modules_and_graphs():
    torch.manual_seed(0)
    model = nn.Sequential(linear(), nn.Tanh(), linear())
    expected = run(model, X)
    for other in (compiled(model), nn.Sequential(compiled(model)), torch.fx.symbolic_trace(model)):
        assert agree(from_torch(other)(X), expected, "float32")


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_models_without_python_code():
    model, x = nn.Sequential(linear(), nn.Tanh()), torch.from_numpy(X)
    script = torch.jit.script(model)
    hint = r"or its state_dict\(\) with hidden= and output=$"
    for other in (script, torch.jit.trace(model, x)):
        got = f"{type(other).__name__} of torch.jit; pass the module that was compiled, {hint}"
        with refuses(TypeError, f"^model: expected a torch.nn.Module, got {got}"):
            from_torch(other)
    with refuses(ValueError, "^model: layer '0': .*, got RecursiveScriptModule of torch.jit$"):
        from_torch(nn.Sequential(script))
    with refuses(TypeError, f"got ExportedProgram; pass the module that was exported, {hint}"):
        from_torch(torch.export.export(model, (x,)))


@pytest.mark.parametrize("kind", [nn.Linear, dict])
def test_a_class(kind):
    expected = "expected a torch.nn.Module, a state_dict or the path of one"
    with refuses(TypeError, f"^model: {expected}, got the class {kind.__name__} itself$"):
        from_torch(kind)
