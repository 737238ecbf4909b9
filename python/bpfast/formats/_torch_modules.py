"""The layers of a PyTorch module. Importing this file imports PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.modules.lazy import LazyModuleMixin

from bpfast.formats._activations import spelled
from bpfast.formats._torch_evaluation import evaluated
from bpfast.formats._torch_reshape import Rows, refuse_other_rows, rows_of_reshape, sizes_of
from bpfast.torch._sin import Sin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfast.formats._chain import Chain

# Modules without effect on one row per example in evaluation mode.
DROPPED = (
    *(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
    *(nn.AlphaDropout, nn.FeatureAlphaDropout),
)
PLAIN = {
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.SiLU: "silu",
    nn.SELU: "selu",
    nn.Mish: "mish",
    nn.Hardsigmoid: "hard_sigmoid",
    nn.Hardswish: "hard_swish",
    Sin: "sin",
}
# Functions of a forward method, by name, and the module that does the same.
FUNCTIONS: dict[str, Callable[..., nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "relu_": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "softmax": nn.Softmax,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "sin": Sin,
    "flatten": lambda start_dim=0, end_dim=-1: nn.Flatten(start_dim, end_dim),
    "dropout": lambda *_args, **_kwargs: nn.Identity(),
}
IGNORED = ("_stacklevel", "inplace", "training")
ONE_AFTER_THE_OTHER = "expected layers one after the other"
SUPPORTED = "expected Linear, an activation of bpfast, or Dropout"


def add_modules(chain: Chain, model: nn.Module) -> None:
    """Add the layers of `model` in evaluation mode to `chain`. The model does not change.

    Raises
    ------
    TypeError
        `model` has no Python code: it is compiled by torch.jit.
    ValueError
        A module is not supported, or is used twice.
    """
    _refuse_other_models(chain, model)
    seen: dict[int, str] = {}
    of_inputs: dict[str, Rows] = {}  # reshapes before the first layer
    with evaluated(model):
        for name, module in _leaves(chain, "", model):
            if isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward:
                for label, reshape in of_inputs.items():
                    refuse_other_rows(chain, label, reshape, module.in_features)
                of_inputs.clear()
                _add_linear(chain, name, module, seen)
            elif isinstance(module, Rows) and chain.weights:
                refuse_other_rows(chain, name, module, len(chain.weights[-1]))
            elif isinstance(module, Rows):
                of_inputs[name] = module
            else:
                chain.add_activation(name, _activation(chain, name, module))


def _refuse_other_models(chain: Chain, model: object) -> None:
    """Raise TypeError for what is no module in Python."""
    kind = type(model).__name__
    hint = "or its state_dict() with hidden= and output="
    if isinstance(model, torch.jit.ScriptModule):
        got = f"{kind} of torch.jit; pass the module that was compiled, {hint}"
    elif isinstance(model, torch.export.ExportedProgram):
        got = f"{kind}; pass the module that was exported, {hint}"
    elif not isinstance(model, nn.Module):
        got = kind
    else:
        return
    raise TypeError(f"{chain.what}: expected a torch.nn.Module, got {got}")


def _add_linear(chain: Chain, name: str, module: nn.Linear, seen: dict[int, str]) -> None:
    # A parametrized weight is a new tensor each time, so its parameters are compared.
    for own in (module, *module.parameters(), *module.buffers(recurse=False)):
        if id(own) in seen:
            got = f"those of layer {seen[id(own)]!r}"
            chain.refuse(name, "expected parameters of its own, as in bpfast", got)
        seen[id(own)] = name
    chain.add_affine(name, module.weight, module.bias)


def _leaves(chain: Chain, name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules inside `module` with their names, in the order in which x passes them."""
    module = getattr(module, "_orig_mod", module)  # the one inside that of torch.compile
    if isinstance(module, torch.jit.ScriptModule):
        chain.refuse(name, SUPPORTED, f"{type(module).__name__} of torch.jit")
    if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
        chain.refuse(name, "expected parameters", "a lazy layer; call the model once before")
    _refuse_other_calls(chain, name, module)
    kind = type(module)
    if kind.forward is nn.Sequential.forward and kind.__iter__ is nn.Sequential.__iter__:
        # Not `named_children`, which has a module that occurs twice once.
        for child_name, child in module._modules.items():  # noqa: SLF001, there is no other way
            if child is None:
                chain.refuse(name, "expected modules", f"None as {child_name!r}")
            yield from _leaves(chain, f"{name}.{child_name}" if name else child_name, child)
    elif kind.__module__.startswith(("torch.nn.", "bpfast.")) or isinstance(module, nn.Linear):
        yield name, module
    else:
        yield from _traced(chain, name, module)


def _refuse_other_calls(chain: Chain, name: str, module: nn.Module) -> None:
    """Raise ValueError if a call of a module is more than the forward method of its class."""
    kind = type(module)
    of_all = nn.modules.module
    global_hooks = of_all._global_forward_hooks or of_all._global_forward_pre_hooks  # noqa: SLF001
    if global_hooks or module._forward_hooks or module._forward_pre_hooks:  # noqa: SLF001, likewise
        # As those of spectral_norm.
        chain.refuse(name, "expected a module without forward hooks", kind.__name__)
    changed = "forward" if "forward" in vars(module) else ""
    # That of a GraphModule only adds to the text of errors.
    if kind.__call__ is not nn.Module.__call__ and not isinstance(module, fx.GraphModule):
        changed = "__call__"
    if changed:
        got = f"{kind.__name__} with a {changed} of its own"
        chain.refuse(name, "expected a module that calls the forward of its class", got)


def _activation(chain: Chain, name: str, module: nn.Module) -> str:
    """The name of what `module` computes.

    Raises
    ------
    ValueError
        bpfast does not have it.
    """
    kind: type = type(module)
    if kind in DROPPED:
        return "identity"
    if kind in PLAIN:
        return PLAIN[kind]
    match module:
        case nn.LeakyReLU():
            return spelled("leaky_relu", module.negative_slope)
        case nn.ELU():
            return spelled("elu", module.alpha)
        case nn.GELU():
            return "gelu" if module.approximate == "none" else "gelu_tanh"
        case nn.Softplus() if module.beta == 1 and module.threshold >= 20:
            return "softplus"
        case nn.Softmax() if module.dim in (None, 1, -1):
            return "softmax"
        case nn.Flatten() if (module.start_dim, module.end_dim) in ((1, -1), (1, 1)):
            return "identity"
    advice = {
        "LogSoftmax": "; leave it out, and pass output='softmax', cost='log_likelihood'",
        "PReLU": ", whose slope is a parameter; LeakyReLU has a fixed one",
    }
    return chain.refuse(name, SUPPORTED, f"{module!r}{advice.get(kind.__name__, '')}")


def _traced(chain: Chain, name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that the forward method of `module` calls, one after the other."""
    hint = "pass model.state_dict() with hidden= and output="
    try:
        graph = fx.Tracer().trace(module)
    except Exception as error:
        expected = "expected a sequence of layers"
        reason = f"{type(module).__name__}, whose forward torch.fx cannot trace ({error}); {hint}"
        raise ValueError(f"{chain.what}: layer {name!r}: {expected}, got {reason}") from error
    before: fx.Node | None = None
    sizes, counts = sizes_of(graph)
    for node in graph.nodes:
        if node in sizes:
            continue
        label = f"{name}.{node.name}" if name else node.name
        if node.op == "placeholder" and before is None:
            before = node
            continue
        if node.op == "placeholder" and not node.users:  # an argument with a default
            continue
        reshape = rows_of_reshape(node, counts)
        inputs = [n for n in node.all_input_nodes if reshape is None or n not in counts]
        if inputs != [before] or (before is not None and len(before.users.keys() - sizes) > 1):
            got = f"{node.op} {node.target} with another input, or a branch"
            chain.refuse(label, ONE_AFTER_THE_OTHER, got)
        if node.op == "output":
            if node.args[0] is not before:
                chain.refuse(label, "expected one tensor as the output", str(node.args[0]))
            continue
        before = node
        if node.op == "call_module":
            target = str(node.target)
            child = module.get_submodule(target)
            yield from _leaves(chain, f"{name}.{target}" if name else target, child)
        elif reshape is not None:
            yield label, reshape
        else:
            yield label, _of_call(chain, label, node)


def _of_call(chain: Chain, label: str, node: fx.Node) -> nn.Module:
    """The module that does what a call of a function or method does."""
    target = node.target
    called = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    if node.op not in ("call_function", "call_method"):
        chain.refuse(label, SUPPORTED, f"{node.op} {called}")
    arguments = [argument for argument in node.args if not isinstance(argument, fx.Node)]
    given = {k: v for k, v in node.kwargs.items() if not isinstance(v, fx.Node)}
    options = {k: v for k, v in given.items() if k not in IGNORED and v is not None}
    text = ", ".join([*map(repr, arguments), *(f"{k}={v!r}" for k, v in options.items())])
    if called not in FUNCTIONS:
        chain.refuse(label, SUPPORTED, f"{called}({text})")
    # A function that torch.fx.wrap keeps from being traced may have one of these names.
    places = [getattr(place, called, None) for place in (torch, functional)]
    if node.op == "call_function" and target not in places:
        chain.refuse(label, SUPPORTED, f"{called}({text}), which is not that of PyTorch")
    if called == "dropout":
        given = dict(zip(("p", "training"), arguments, strict=False)) | given
        if given.get("training", given.get("train", True)) and given.get("p", 0.5):
            hint = "pass training=self.training, as it drops in evaluation mode too"
            chain.refuse(label, SUPPORTED, f"dropout({text}, training=True); {hint}")
    try:
        return FUNCTIONS[called](*arguments, **options)
    except TypeError:
        return chain.refuse(label, SUPPORTED, f"{called}({text})")
