"""A network as a module of PyTorch: values, gradients, memory. `make test-torch` runs this."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

torch = pytest.importorskip("torch")
from bpfast.torch import as_function  # noqa: E402
from bpfast.torch._module import _Forward  # noqa: E402

X = np.random.default_rng(0).standard_normal((6, 3))


def make(output="sigmoid", dtype="float64"):
    return bpfast.Network([3, 4, 2], hidden="tanh", output=output, dtype=dtype, seed=0)


def tensor(dtype="float64", requires_grad=False):
    return torch.from_numpy(X.astype(dtype)).requires_grad_(requires_grad)


def shares_memory(module):
    return module.params.data_ptr() == module.net.params.ctypes.data


@pytest.mark.parametrize("output", ["identity", "sigmoid", "softmax", "gelu"])
def test_gradients(output):
    net = make(output)
    module = as_function(net)
    x = tensor(requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, p: _Forward.apply(x, p, net), (x, module.params))
    module.requires_grad_(False)
    assert torch.autograd.gradcheck(module, (x,))


def test_gradients_have_the_bits_of_vjp():
    net = make()
    module, x = as_function(net), tensor(requires_grad=True)
    a = module(x)
    assert (a.detach().numpy() == net(X)).all()
    v = np.random.default_rng(1).standard_normal((6, 2))
    a.backward(torch.from_numpy(v))
    gradient, dx = net.vjp(X, v)
    assert (module.params.grad.numpy() == gradient.flat).all()
    assert (x.grad.numpy() == dx).all()
    module(x).backward(torch.from_numpy(v))  # gradients accumulate
    assert (module.params.grad.numpy() == 2 * gradient.flat).all()


@pytest.mark.parametrize("x_wants", [False, True])
@pytest.mark.parametrize("params_want", [False, True])
def test_only_what_is_wanted(x_wants, params_want):
    module, x = as_function(make()), tensor(requires_grad=x_wants)
    module.requires_grad_(params_want)
    a = module(x)
    assert a.requires_grad == (x_wants or params_want)
    if a.requires_grad:
        a.sum().backward()
    assert (x.grad is not None) == x_wants
    assert (module.params.grad is not None) == params_want


def test_layers_without_biases():
    net = bpfast.Network([3, 4, 2], biases=[False, True], seed=0)
    module, x = as_function(net), tensor(requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, p: _Forward.apply(x, p, net), (x, module.params))


def test_an_optimizer_trains_the_network():
    net = make()
    block = as_function(net)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 3).double(), block, torch.nn.Linear(2, 1).double()
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = tensor(), tensor()[:, :1]
    start, before = net.params.copy(), None
    for _ in range(50):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        before = loss.item() if before is None else before
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.7 * before
    assert (net.params != start).all()
    assert shares_memory(block)
    assert (block(x).detach().numpy() == net(X)).all()


def test_the_memory_is_shared_in_both_directions():
    net = make()
    module = as_function(net)
    assert shares_memory(module)
    net.params[:] = 0.5
    assert (module.params == 0.5).all()
    net.fit(X, np.zeros((6, 2)), epochs=1, seed=0)
    assert (module.params.detach().numpy() == net.params).all()
    state = {name: 2 * value for name, value in module.state_dict().items()}
    module.load_state_dict(state)
    assert (net.params == state["params"].numpy()).all()
    assert shares_memory(module)
    net.params = np.ones(26)
    assert (module.params == 1).all()


def test_the_parameters_outlive_the_network():
    params = as_function(make()).params
    assert (params.detach().numpy() == make().params).all()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(duplicate):
    module = as_function(make()).eval()
    module.requires_grad_(False)
    other = duplicate(module)
    assert shares_memory(other)
    assert not other.params.requires_grad
    assert not other.training
    assert (other.net.params == module.net.params).all()
    other.net.params[:] = 0
    assert module.net.params.all()
    pair = duplicate(torch.nn.Sequential(module, module))
    assert pair[0] is pair[1]


def test_shapes():
    net = make()
    module, x = as_function(net), tensor()
    expected = net(X)
    assert (module(x[0]).detach().numpy() == expected[0]).all()
    assert (module(x.reshape(2, 3, 3)).detach().numpy() == expected.reshape(2, 3, 2)).all()
    backwards = torch.from_numpy(np.asfortranarray(X))
    assert (module(backwards).detach().numpy() == expected).all()
    wide = torch.zeros(6, 6, dtype=torch.float64)
    wide[:, ::2] = x
    wide.requires_grad_()
    a = module(wide[:, ::2])
    assert (a.detach().numpy() == expected).all()
    a.sum().backward()  # v is one number, expanded
    gradient, dx = net.vjp(X, np.ones((6, 2)))
    assert (wide.grad[:, ::2].numpy() == dx).all()
    assert (module.params.grad.numpy() == gradient.flat).all()


def test_no_examples():
    module = as_function(make())
    x = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    a = module(x)
    assert a.shape == (0, 2)
    a.sum().backward()
    assert x.grad.shape == (0, 3)
    assert not module.params.grad.any()
    with torch.no_grad():
        assert module(x.reshape(2, 0, 3)).shape == (2, 0, 2)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_without_gradients(context):
    module = as_function(make())
    with context():
        a = module(tensor())
    assert not a.requires_grad
    assert (a.numpy() == module.net(X)).all()


def test_changes_between_the_passes():
    module, x = as_function(make("sigmoid")), tensor(requires_grad=True)
    a = module(x)
    a.mul_(2)  # the trace has its own a^L
    a.sum().backward()
    expected = module.net.vjp(X, np.full((6, 2), 2.0), wrt="x")
    assert (x.grad.numpy() == expected).all()
    message = "modified by an inplace operation"
    a = module(x).sum()
    with torch.no_grad():
        module.params.add_(1)
    with refuses(RuntimeError, message):
        a.backward()
    y = x.detach().clone()
    a = module(y).sum()
    y.add_(1)
    with refuses(RuntimeError, message):
        a.backward()


def test_twice_through_one_graph():
    module, x = as_function(make()), tensor(requires_grad=True)
    a = module(x).sum()
    a.backward(retain_graph=True)
    first = x.grad.clone()
    a.backward()
    assert (x.grad == 2 * first).all()


def test_second_derivatives_are_refused():
    module, x = as_function(make()), tensor(requires_grad=True)
    (dx,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    assert (dx.detach().numpy() == module.net.vjp(X, np.ones((6, 2)), wrt="x")).all()
    message = "^bpfast.torch.as_function: expected first derivatives only; net.hvp"
    with refuses(RuntimeError, message):
        dx.sum().backward()
    with refuses(RuntimeError, message):
        torch.autograd.gradgradcheck(module, (x,))


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        (
            tensor("float32"),
            TypeError,
            "^x: expected torch.float64, the dtype of the network, got t",
        ),
        (
            torch.ones(2, 3, dtype=int),
            TypeError,
            r"got torch.int64; x.to\(torch.float64\) converts",
        ),
        (tensor().half(), TypeError, "got torch.float16"),
        (X, TypeError, "^x: expected a torch.Tensor, got ndarray$"),
        (
            tensor().to_sparse(),
            TypeError,
            "^x: expected a dense tensor on the CPU, got torch.sparse",
        ),
        (tensor().to("meta"), TypeError, "on the CPU, got torch.strided on meta$"),
        (tensor()[:, :2], ValueError, r"^x: expected shape \(..., 3\), got \(6, 2\)$"),
        (torch.tensor(1.0).double(), ValueError, r"got \(\)$"),
    ],
)
def test_wrong_x(x, kind, message):
    module = as_function(make())
    with refuses(kind, message, module.net):
        module(x)


def test_modules_that_left_the_memory():
    message = "^params: no longer in the memory of net.params; convert the network with net.astype"
    for change in (lambda m: m.float(), lambda m: m.to("meta"), lambda m: m.half()):
        module = as_function(make())
        change(module)
        with refuses(RuntimeError, message):
            module(tensor())
    module = as_function(make())
    module.params.data = module.params.data.clone()
    with refuses(RuntimeError, message):
        module(tensor())
    module = as_function(make()).double().cpu()  # changes nothing
    module(tensor())


def test_float32():
    net = make(dtype="float32")
    module, x = as_function(net), tensor("float32", requires_grad=True)
    module(x).sum().backward()
    assert module.params.grad.dtype == x.grad.dtype == torch.float32
    assert repr(module) == f"NetworkModule({net!r})"
    with refuses(TypeError, "^net: expected a Network, got int$"):
        as_function(3)


def test_negative_views():
    """The imaginary part of a conjugate has the memory of other numbers."""
    module = as_function(make())
    view = torch.complex(tensor(), -tensor()).conj().imag
    assert view.is_neg()
    for x in (view, view.clone().requires_grad_(True)):
        assert (module(x) == module(tensor())).all()


def test_non_finite_numbers_flow_through():
    module = as_function(make("identity"))
    x = tensor().clone()
    x[0, 0] = np.nan
    a = module(x)
    assert a[0].isnan().all()
    assert not a[1:].isnan().any()
