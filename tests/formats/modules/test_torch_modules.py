"""Modules of PyTorch as networks, and back. `make test-torch` runs this."""

import pytest

import bpfast
from bpfast.formats import from_torch, to_torch
from tests.helpers.cases.models import DTYPES, KINDS, agree, inputs, network, same_bits
from tests.helpers.paths import ROOT
from tests.helpers.refuses import refuses

pytest.importorskip("torch")
import torch
from torch import nn
from torch.nn import functional

from tests.helpers.formats.torch_modules import run

X = inputs("float32")
GOLDEN = ROOT / "tests" / "golden" / "torch_models"


def sequential(*inside, last=True):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), *inside, *([nn.Linear(4, 4)] if last else []))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("hidden", "output"), KINDS)
def test_round_trip(hidden, output, dtype):
    net = network(hidden, output, dtype)
    state = torch.random.get_rng_state()
    model = to_torch(net)
    assert torch.equal(state, torch.random.get_rng_state())
    assert same_bits(from_torch(model), net)
    x = inputs(dtype)
    assert agree(run(model, x), net(x), dtype)
    again = from_torch(model.state_dict(), hidden=hidden, output=output)
    assert same_bits(again, net)


def test_the_module_owns_its_parameters():
    net = network(dtype="float32")
    before = net.params.copy()
    model = to_torch(net)
    with torch.no_grad():
        model[0].weight.zero_()
    assert (net.params == before).all()
    assert all(parameter.requires_grad for parameter in model.parameters())
    other = from_torch(model)
    other.params[:] = 1
    assert not model[0].weight.any()


ACTIVATIONS = {
    "LeakyReLU": ([nn.LeakyReLU()], "leaky_relu"),
    "LeakyReLU(0.2)": ([nn.LeakyReLU(0.2)], "leaky_relu(0.2)"),
    "LeakyReLU(0)": ([nn.LeakyReLU(0)], "relu"),
    "ELU(0.5)": ([nn.ELU(0.5)], "elu(0.5)"),
    "GELU": ([nn.GELU()], "gelu"),
    "GELU by tanh": ([nn.GELU(approximate="tanh")], "gelu_tanh"),
    "Softplus": ([nn.Softplus()], "softplus"),
    "Mish": ([nn.Mish()], "mish"),
    "SELU": ([nn.SELU()], "selu"),
    "Hardsigmoid": ([nn.Hardsigmoid()], "hard_sigmoid"),
    "Hardswish": ([nn.Hardswish()], "hard_swish"),
    "Dropout": ([nn.Tanh(), nn.Dropout(0.5)], "tanh"),
    "Dropout before": ([nn.AlphaDropout(0.5), nn.Identity(), nn.Tanh()], "tanh"),
    "nested": ([nn.Sequential(nn.Sequential(nn.Tanh())), nn.Sequential()], "tanh"),
    "in place": ([nn.ReLU(inplace=True)], "relu"),
    "none": ([], "identity"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    inside, ours = ACTIVATIONS[name]
    model = sequential(*inside)
    net = from_torch(model)
    assert net.config["hidden"] == [ours]
    assert agree(net(X), run(model, X), "float32")


@pytest.mark.parametrize("softmax", [nn.Softmax(dim=1), nn.Softmax(dim=-1)])
def test_softmax(softmax):
    model = sequential(softmax, last=False)
    net = from_torch(model, cost="log_likelihood")
    assert agree(net(X), run(model, X), "float32")


def test_an_activation_after_logits():
    net = from_torch(sequential(nn.ReLU()), output="softmax", cost="log_likelihood")
    assert net.config["output"] == "softmax"
    with refuses(ValueError, "^hidden: expected None, as the model has its activations, got '"):
        from_torch(sequential(nn.ReLU()), hidden="relu")
    with refuses(ValueError, r"^layers: expected None, as a module has its order, got \["):
        from_torch(sequential(nn.ReLU()), layers=["0", "2"])


class Modules(nn.Module):
    def __init__(self):
        super().__init__()
        self.second = nn.Linear(4, 4)  # not in the order of use
        self.first = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.Tanh())
        self.dropout = nn.Dropout(0.5)

    def forward(self, x, unused=None):
        x = self.dropout(self.first(x))
        return torch.softmax(self.second(x), dim=1)


class Functions(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(6)])

    def forward(self, x):
        x = torch.flatten(x, 1)
        x = functional.relu(self.layers[0](x), inplace=True)
        x = functional.elu(self.layers[1](x))
        x = functional.gelu(self.layers[2](x))
        x = self.layers[3](x).sigmoid()
        x = functional.dropout(torch.tanh(self.layers[4](x)), 0.5, self.training)
        return functional.softplus(self.layers[5](x))


@pytest.mark.parametrize("make", [Modules, Functions])
def test_a_module_with_a_forward_method(make):
    torch.manual_seed(0)
    model = make()
    net = from_torch(model)
    assert agree(net(X), run(model, X), "float32")
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), model)
    assert agree(from_torch(model)(X), run(model, X), "float32")


def test_parametrized_weights():
    model = sequential(nn.Tanh())
    nn.utils.parametrizations.weight_norm(model[0])
    assert agree(from_torch(model)(X), run(model, X), "float32")


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return x + self.linear(x)


class Twice(Skip):
    def forward(self, x):
        return self.linear(torch.tanh(self.linear(x)))


class Loop(Skip):
    def forward(self, x):
        while x.sum() > 0:
            x = self.linear(x)
        return x


class Scaled(Skip):
    def forward(self, x):
        return self.linear(x) * 2


class Clamped(Skip):
    def forward(self, x):
        return torch.clamp(self.linear(x), 0, 6)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked():
    model = sequential(nn.Tanh())
    model[0].register_forward_hook(lambda module, given, made: 2 * made)
    return model


def tied():
    model = sequential(nn.Tanh())
    model[2].weight = model[0].weight
    return model


REFUSED = {
    "BatchNorm1d": (
        lambda: sequential(nn.BatchNorm1d(4)),
        "^model: layer '1': expected Linear, an activation of bpfast, or Dropout, got BatchNorm1d",
    ),
    "LayerNorm": (lambda: sequential(nn.LayerNorm(4)), r"layer '1': .*, got LayerNorm\(\(4,\)"),
    "Conv1d": (lambda: nn.Sequential(nn.Conv1d(1, 1, 1)), "layer '0': .*, got Conv1d"),
    "PReLU": (lambda: sequential(nn.PReLU()), "PReLU.*, whose slope is a parameter"),
    "ReLU6": (lambda: sequential(nn.ReLU6()), r"got ReLU6\(\)"),
    "softmax axis": (lambda: sequential(nn.Softmax(dim=0), last=False), r"got Softmax\(dim=0\)$"),
    "hidden softmax": (lambda: sequential(nn.Softmax(dim=1)), "layer '0': expected softmax after "),
    "LogSoftmax": (lambda: sequential(nn.LogSoftmax(1), last=False), "leave it out, and pass outp"),
    "Softplus with β": (lambda: sequential(nn.Softplus(2)), r"got Softplus\(beta=2"),
    "Softplus with a threshold": (lambda: sequential(nn.Softplus(1, 5)), "threshold=5"),
    "two": (lambda: sequential(nn.Tanh(), nn.ReLU()), "layer '2': .*, got relu after tanh$"),
    "first": (lambda: nn.Sequential(nn.Tanh(), nn.Linear(4, 4)), "expected an affine layer first"),
    "skip": (Skip, "expected layers one after the other, got"),
    "twice": (Twice, "layer 'linear': expected parameters of its own.*, got those of layer 'lin"),
    "tied": (
        tied,
        "layer '2': expected parameters of its own, as in bpfast, got those of layer '0",
    ),
    "loop": (
        Loop,
        r"whose forward torch.fx cannot trace .*; pass model.state_dict\(\) with hidden",
    ),
    "scaled": (Scaled, r"layer 'mul': .*, got mul\(2\)$"),
    "clamped": (Clamped, r"layer 'clamp': .*, got clamp\(0, 6\)$"),
    "subclass": (lambda: nn.Sequential(Doubled(4, 4)), "layer '0.*"),
    "hook": (hooked, "layer '0': expected a module without forward hooks, got Linear$"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), "a lazy layer; call the model once before"),
    "meta": (
        lambda: nn.Sequential(nn.Linear(2, 2, device="meta")),
        "layer '0': expected numbers, got a tensor on the device 'meta'$",
    ),
    "nothing": (nn.Sequential, "^model: expected an affine layer, got none$"),
    "Embedding": (lambda: nn.Sequential(nn.Embedding(3, 4)), r"got Embedding\(3, 4\)"),
    "Flatten of all": (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(4, 4)), "start_dim=0"),
}


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_no_network_is(name):
    make, message = REFUSED[name]
    model = make()
    with refuses(ValueError, message):
        from_torch(model)


@pytest.mark.filterwarnings("ignore:Complex modules:UserWarning")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64])
def test_other_dtypes(dtype):
    name = str(dtype).removeprefix("torch.")
    model = nn.Sequential(nn.Linear(2, 2).to(dtype))
    with refuses(TypeError, f"^model: weights of layer '0': expected float32 or .*, got {name}"):
        from_torch(model)
    with refuses(TypeError, f"^state_dict: weights of layer '0': expected .*, got {name}"):
        from_torch(model.state_dict(), output="identity")
    mixed = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    with refuses(TypeError, "expected one dtype, got float32 in layer '0', float64 in '1'$"):
        from_torch(mixed)


def test_layers_without_biases():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Tanh(), nn.Linear(4, 4))
    net = from_torch(model)
    assert net.biases[0] is None
    assert agree(net(X), run(model, X), "float32")
    assert to_torch(net)[0].bias is None
    assert same_bits(from_torch(to_torch(net)), net)


@pytest.mark.parametrize("old", [False, True])
def test_files(tmp_path, old):
    net = network("tanh", "softmax", "float32")
    path = tmp_path / "model.pt"
    torch.save(to_torch(net).state_dict(), path, _use_new_zipfile_serialization=not old)
    assert same_bits(from_torch(path, hidden="tanh", output="softmax"), net)
    with refuses(ValueError, "a PyTorch file: read it with bpfast.formats.from_torch$"):
        bpfast.load(path)


@pytest.mark.parametrize("name", ["square", "deep"])
def test_recorded_files(name):
    names = {"hidden": {"square": "tanh", "deep": "silu"}[name], "output": "identity"}
    net = from_torch(GOLDEN / f"{name}.pt", **names)
    assert same_bits(net, from_torch(GOLDEN / f"{name}.safetensors", **names))


class Evil:
    def __reduce__(self):
        return (print, ("code of the file ran",))


def test_files_of_something_else(tmp_path, capsys):
    path = tmp_path / "model.pt"
    model = sequential(nn.Tanh())
    torch.save(model, path)
    message = "model.pt: expected a state_dict, whole and without other objects, got: "
    reason = "[A-Z][a-z ]+"  # a sentence without escapes of a terminal
    with refuses(ValueError, f"{message}{reason}; if it holds a module, save model.state_dict"):
        from_torch(path, output="identity")
    torch.save({"0.weight": Evil()}, path)
    with refuses(ValueError, message):
        from_torch(path, output="identity")
    assert "ran" not in capsys.readouterr().out
    torch.save([torch.ones(2, 2)], path)
    with refuses(TypeError, "model.pt: expected a state_dict, got list; save model.state_dict"):
        from_torch(path, output="identity")
    torch.save({"model": model.state_dict(), "epoch": 3}, path)
    with refuses(TypeError, r"'model': expected a tensor .*, got OrderedDict; .*\['model'\]$"):
        from_torch(path, output="identity")
    torch.save(model.state_dict(), path)
    whole = path.read_bytes()
    for length in (3, 100, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        with refuses(ValueError, message):
            from_torch(path, output="identity")


def test_sparse_tensors():
    with refuses(TypeError, "expected a dense tensor, got torch.sparse_coo$"):
        from_torch({"0.weight": torch.eye(2).to_sparse()}, output="identity")


def test_a_negative_view():
    """Such as the imaginary part of a conjugate. NumPy gets none of them from PyTorch."""
    weight = torch.conj(torch.randn(2, 3, dtype=torch.complex64)).imag
    assert weight.is_neg()
    net = from_torch({"weight": weight}, output="identity")
    assert (net.weights[0] == weight.resolve_neg().numpy()).all()


def test_tensors_with_strides():
    transposed = torch.arange(6.0).reshape(3, 2).T
    tensors = {"0.weight": transposed, "0.bias": torch.ones(2)}
    assert (from_torch(tensors, output="identity").weights[0] == transposed.numpy()).all()
