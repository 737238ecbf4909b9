"""Write what PyTorch gives into tests/golden/torch.json, for tests that run without it.

`make golden` installs PyTorch and runs it; it takes seconds. Floats are in hexadecimal.
"""

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as fn
from numpy.typing import NDArray

from bpfast.schedules import Constant
from tests.helpers.cases import small_networks
from tests.helpers.cases.training import every_optimizer, every_schedule

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "torch.json"
RATES = 40
ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": fn.relu,
    "leaky_relu": fn.leaky_relu,
    "leaky_relu(0.2)": lambda z: fn.leaky_relu(z, 0.2),
    "elu": fn.elu,
    "elu(0.5)": lambda z: fn.elu(z, 0.5),
    "selu": fn.selu,
    "gelu": fn.gelu,
    "gelu_tanh": lambda z: fn.gelu(z, approximate="tanh"),
    "silu": fn.silu,
    "mish": fn.mish,
    # The derivative of fn.hardsigmoid is 1/6 in float32 for every dtype.
    "hard_sigmoid": lambda z: fn.relu6(z + 3) / 6,
    "hard_swish": fn.hardswish,
    "sin": torch.sin,
    "softplus": lambda z: fn.softplus(z, threshold=math.inf),
    "softmax": lambda z: fn.softmax(z, dim=1),
}
# Each C_x.
COSTS = {
    "quadratic": lambda a, y: fn.mse_loss(a, y, reduction="none").sum(dim=1) / 2,
    "cross_entropy": lambda a, y: fn.binary_cross_entropy(a, y, reduction="none").sum(dim=1),
    "log_likelihood": lambda a, y: fn.nll_loss(a.log(), y, reduction="none"),
    "huber": lambda a, y: fn.huber_loss(a, y, reduction="none").sum(dim=1),
    "absolute": lambda a, y: fn.l1_loss(a, y, reduction="none").sum(dim=1),
    "poisson": lambda a, y: fn.poisson_nll_loss(
        a, y, log_input=False, eps=0.0, reduction="none"
    ).sum(dim=1),
}


def written(values: Sequence[float] | NDArray[Any]) -> list[str]:
    """Floats in hexadecimal."""
    return [float(value).hex() for value in values]


def steps(case: Any, dtype: str) -> NDArray[Any]:
    """What an optimizer makes of the start in 100 steps."""
    params = torch.from_numpy(every_optimizer.START.astype(dtype)).requires_grad_()
    rate = case.options["learning_rate"]
    first = rate if isinstance(rate, float) else rate(0)
    optimizer = getattr(torch.optim, case.name)([params], lr=first, **case.theirs)
    for step in range(every_optimizer.STEPS):
        if not isinstance(rate, float):
            optimizer.param_groups[0]["lr"] = rate(step)
        params.grad = torch.from_numpy(every_optimizer.gradient(params.detach().numpy(), step))
        optimizer.step()
    found: NDArray[Any] = params.detach().numpy()
    return found


def scheduler(optimizer: Any, config: dict[str, Any]) -> Any:
    """PyTorch's scheduler for the config of a schedule."""
    of = torch.optim.lr_scheduler
    kind, steps = config["kind"], config.get("steps")
    if kind == "constant":
        return of.ConstantLR(optimizer, factor=1.0)
    if kind == "step":
        return of.StepLR(optimizer, config["every"], gamma=config["factor"])
    if kind == "cosine":
        return of.CosineAnnealingLR(optimizer, steps, eta_min=config["final"])
    if kind == "one_cycle":
        top, start = config["peak"], config["start"]
        return of.OneCycleLR(
            optimizer,
            top,
            steps,
            pct_start=config["warm_up"],
            div_factor=top / start,
            final_div_factor=start / config["final"],
        )
    inner = config["schedule"]
    share = config["start"] / inner["rate"]
    ramp = of.LinearLR(optimizer, start_factor=share, total_iters=steps)
    return of.SequentialLR(optimizer, [ramp, scheduler(optimizer, inner)], [steps])


def rates(schedule: Any) -> list[float]:
    """The rates of the first steps; OneCycleLR and SequentialLR have no more than these."""
    config = schedule.config
    inner = config.get("schedule", config)
    rate = inner["peak" if inner["kind"] == "one_cycle" else "rate"]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    theirs = scheduler(optimizer, config)
    ends = {"one_cycle": config.get("steps"), "cosine": config.get("steps", 0) + 1}
    count = ends.get(config["kind"], RATES)
    if config is not inner and inner["kind"] == "cosine":
        count = config["steps"] + inner["steps"] + 1
    found = [optimizer.param_groups[0]["lr"]]
    while len(found) < count:
        optimizer.step()
        theirs.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def falls(costs: list[float], options: dict[str, Any]) -> list[float]:
    """The rates of a ReduceLROnPlateau after each of `costs`."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    given = options | {"min_lr": options["smallest"], "eps": 0}
    del given["smallest"]
    theirs, found = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **given), []
    for cost in costs:
        theirs.step(cost)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def plateaus() -> list[dict[str, Any]]:
    """Costs at random, of which some are not finite, for plateaus of many patiences.

    None is below 0, where PyTorch takes a value above the best one for an improvement.
    """
    rng, found = random.Random(0), []
    for patience in range(4):
        for cooldown in range(3):
            options = {"factor": 0.7, "patience": patience, "threshold": 0.05, "smallest": 0.01}
            options["cooldown"] = cooldown
            costs = [rng.choice([rng.uniform(0, 5), rng.uniform(0, 1)]) for _ in range(50)]
            for at in rng.sample(range(50), 6):
                costs[at] = rng.choice([math.nan, math.inf])
            rates = written(falls(costs, options))
            found.append({"options": options, "costs": written(costs), "rates": rates})
    return found


def gradient(hidden: str, output: str, cost: str) -> list[float]:
    """C of a network, then its gradient: weights by layers, then biases."""
    weights, biases = small_networks.parameters()
    parameters = [torch.from_numpy(parameter).requires_grad_() for parameter in (*weights, *biases)]
    x, y, share = map(torch.from_numpy, small_networks.batch(cost))
    a, names = x, [hidden, output]
    for k, name in enumerate(names):
        a = ACTIVATIONS[name](fn.linear(a, parameters[k], parameters[k + len(names)]))
    total = (share * COSTS[cost](a, y)).sum() / share.sum()
    total.backward()
    gradients = [
        parameter.grad.reshape(-1) for parameter in parameters if parameter.grad is not None
    ]
    return [total.item(), *torch.cat(gradients).tolist()]


def main() -> None:
    """Write the file."""
    cases = every_optimizer.CASES
    of_steps = [Constant(0.2), *every_schedule.SCHEDULES, *every_schedule.MORE]
    found = {
        "made by": f"tools/torch_golden.py, with torch {torch.__version__}",
        "optimizers": {
            dtype: {repr(case): written(steps(case, dtype)) for case in cases}
            for dtype in ("float32", "float64")
        },
        "schedules": {repr(schedule): written(rates(schedule)) for schedule in of_steps},
        "plateaus": plateaus(),
        "gradients": {" ".join(kind): written(gradient(*kind)) for kind in small_networks.KINDS},
    }
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
