"""Names of activations, costs and reductions."""

from collections.abc import Sequence

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softplus",
    "hard_sigmoid",
    "hard_swish",
    "sin",
    "softmax",
)
# The parameters of activations, and their defaults; they must be numbers that float32 holds.
PARAMETERS = {"leaky_relu": ("slope", 0.01), "elu": ("alpha", 1.0)}
MIN_FLOAT32, MAX_FLOAT32 = 2.0**-126, 2.0**128 - 2.0**104
COSTS = ("quadratic", "cross_entropy", "log_likelihood", "huber", "absolute", "poisson")
REDUCTIONS = ("mean", "sum")
REDUCTIONS_OF_COST = (*REDUCTIONS, "none")

# The outputs whose whole range the cost is defined on.
OUTPUTS = {
    "cross_entropy": ("sigmoid", "softmax"),
    "log_likelihood": ("softmax",),
    "poisson": ("sigmoid", "softplus", "softmax"),
}


def name(argument: str, value: object, valid: Sequence[str]) -> str:
    """One of the valid names."""
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected a name, got {type(value).__name__}")
    if value not in valid:
        import difflib  # its import takes 3 ms

        near = difflib.get_close_matches(value.lower(), valid, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        names = ", ".join(f"'{known}'" for known in valid)
        raise ValueError(f"{argument}: unknown name '{value}'; {hint}valid: {names}")
    return value


def activation_name(argument: str, value: object, valid: Sequence[str] = ACTIVATIONS) -> str:
    """The name of an activation, with its parameter in parentheses unless that is the default."""
    if not isinstance(value, str) or "(" not in value:
        return name(argument, value, valid)
    before, _, inside = value.partition("(")
    known = name(argument, before.rstrip(), valid)
    if known not in PARAMETERS:
        raise ValueError(f"{argument}: expected '{known}', which has no parameter, got '{value}'")
    key, default = PARAMETERS[known]
    inside = inside.rstrip()
    given, equals, number = (inside[:-1] if inside.endswith(")") else "").partition("=")
    if not equals:
        given, number = key, given
    try:
        parameter = float(number if "_" not in number else "")
    except ValueError:
        expected = f"a number in parentheses, as in '{known}({key}=0.2)'"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'") from None
    if given.strip() != key:
        expected = f"'{known}({key}={number.strip()})'"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'")
    if not MIN_FLOAT32 <= parameter <= MAX_FLOAT32:
        expected = f"a positive {key} in the range of float32 ('relu' is the one with 0)"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'")
    return known if parameter == default else f"{known}({parameter!r})"


def elementwise_name(argument: str, value: object) -> str:
    """The name of an activation for a hidden layer: any except softmax."""
    if isinstance(value, str) and value == "softmax":
        raise ValueError(
            f"{argument}: expected an activation that acts on each neuron by itself, "
            "got 'softmax', which goes with the output alone"
        )
    return activation_name(argument, value, [known for known in ACTIVATIONS if known != "softmax"])


def output_and_cost(output: object, cost: object) -> None:
    """Check the output activation, and that the cost is defined for its values."""
    output = activation_name("output", output)
    if callable(cost):
        return
    outputs = OUTPUTS.get(name("cost", cost, COSTS))
    if outputs and output not in outputs:
        allowed = " or ".join(f"'{known}'" for known in outputs)
        raise ValueError(f"output: expected {allowed} with cost '{cost}', got '{output}'")
