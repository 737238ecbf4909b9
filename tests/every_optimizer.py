"""Optimizers of every kind, what PyTorch makes of the same steps, and their formulas in NumPy."""

import numpy as np

import bpfast
from bpfast import schedules

# Where every test starts; `gradient` says where from there.
START = np.array([0.3, -1.2, 2.0, 0.01, -0.5])
STEPS = 100


def gradient(p, step):
    """A gradient of size 0.001 to 100, which follows p and turns with the steps."""
    k = np.arange(p.size).reshape(p.shape)
    return np.asarray(10.0 ** (k % 6 - 3) * (p + np.cos(0.1 * step + k)), p.dtype)


class Case:
    """An optimizer: by name and arguments, as PyTorch calls it, and as a formula."""

    def __init__(self, name, theirs, golden=None, **options):
        self.name, self.theirs, self.golden, self.options = name, theirs, golden, options

    def __repr__(self):
        return ", ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])

    def make(self):
        """A new optimizer."""
        return getattr(bpfast, self.name)(**self.options)

    def torch(self, torch, params):
        """PyTorch's, for `params`."""
        rate = self.options["learning_rate"]
        rate = rate if isinstance(rate, float) else rate(0)
        return getattr(torch.optim, self.name)(params, lr=rate, **self.theirs)


COSINE = schedules.Cosine(0.05, 80, 0.001)
# The numbers are what torch 2.15.0 made of START in float64, as `torch_steps` below does.
CASES = [
    Case(
        "SGD",
        {},
        [
            0.29974533370726636,
            -1.186253461561392,
            1.823666669100238,
            -0.03951952442176856,
            -0.5891403765776747,
        ],
        learning_rate=0.01,
    ),
    Case(
        "SGD",
        {"weight_decay": 0.2},
        [
            0.24537358635922601,
            -0.9708156076271399,
            1.4933133961137857,
            -0.04310048898425968,
            -0.5788697675404281,
        ],
        learning_rate=0.01,
        weight_decay=0.2,
    ),
    Case(
        "SGD",
        {"momentum": 0.9},
        [
            0.29709839849423625,
            -1.081923686286679,
            0.8463267512365052,
            -0.469321604305114,
            -0.2726637722555157,
        ],
        learning_rate=0.01,
        momentum=0.9,
    ),
    Case(
        "SGD",
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        [
            0.1825110998465907,
            -0.6902832708765747,
            0.7841569506482919,
            -0.276052487489926,
            -0.3598915138956919,
        ],
        learning_rate=0.01,
        momentum=0.8,
        nesterov=True,
        weight_decay=0.1,
    ),
    Case(
        "SGD",
        {"momentum": 0.9},
        [
            0.2947543261408797,
            -0.9721794080019374,
            0.25342106623266325,
            0.4466580732669237,
            -0.9286427013407316,
        ],
        learning_rate=COSINE,
        momentum=0.9,
    ),
    Case(
        "Adam",
        {},
        [
            0.012290317534273804,
            0.2182667981435592,
            0.27924929741233945,
            0.027589132441837135,
            -0.24121769939349452,
        ],
        learning_rate=0.03,
    ),
    Case(
        "Adam",
        {"betas": (0.3, 0.95), "eps": 1e-3, "weight_decay": 0.1},
        [
            0.008725486343196196,
            0.03864404344676193,
            0.06907437290995688,
            -0.3137041948995628,
            -0.4175125887051907,
        ],
        learning_rate=0.03,
        beta1=0.3,
        beta2=0.95,
        epsilon=1e-3,
        weight_decay=0.1,
    ),
    Case(
        "Adam",
        {},
        [
            0.16945940546063767,
            0.1750777404038498,
            0.1473787309841429,
            -0.14157389921263014,
            -0.2508984773952982,
        ],
        learning_rate=COSINE,
    ),
    Case(
        "AdamW",
        {},
        [
            0.013292389589269947,
            0.2199934680908647,
            0.2741818923653269,
            0.026540444177334067,
            -0.24205507655609582,
        ],
        learning_rate=0.03,
    ),
    Case(
        "AdamW",
        {"weight_decay": 0.3},
        [
            0.1768415360678274,
            0.16541754360323457,
            -0.11183979771605365,
            -0.18762604757825077,
            -0.16672013438031263,
        ],
        learning_rate=COSINE,
        weight_decay=0.3,
    ),
    Case(
        "RMSprop",
        {},
        [
            0.13746577442763958,
            0.08775200204053649,
            0.4540840625232298,
            -0.09202933221350262,
            -0.23408894572725708,
        ],
        learning_rate=0.01,
    ),
    Case(
        "RMSprop",
        {"alpha": 0.8, "eps": 1e-2, "weight_decay": 0.1},
        [
            -0.0038865293809984052,
            -0.040444021358731486,
            0.15897961732831922,
            -0.20047715622011486,
            -0.06688618925673673,
        ],
        learning_rate=COSINE,
        alpha=0.8,
        epsilon=1e-2,
        weight_decay=0.1,
    ),
    Case(
        "Adagrad",
        {},
        [
            0.4152192373320021,
            0.506262120727608,
            0.07446616503434964,
            -0.4305178117343093,
            -0.5180779955937201,
        ],
        learning_rate=0.3,
    ),
    Case(
        "Adagrad",
        {"eps": 1e-2, "weight_decay": 0.1},
        [
            0.021006817964024094,
            -0.7025332608560109,
            1.4559642599823264,
            0.05262218670066047,
            -0.3522174048482093,
        ],
        learning_rate=COSINE,
        epsilon=1e-2,
        weight_decay=0.1,
    ),
]


def torch_steps(torch, case, start, steps=STEPS):
    """What PyTorch makes of `start`."""
    params = torch.from_numpy(start.copy()).requires_grad_()
    optimizer, rate = case.torch(torch, [params]), case.options["learning_rate"]
    for step in range(steps):
        if not isinstance(rate, float):
            optimizer.param_groups[0]["lr"] = rate(step)
        params.grad = torch.from_numpy(gradient(params.detach().numpy(), step))
        optimizer.step()
    return params.detach().numpy()


def formula_steps(case, start, steps=STEPS, of=gradient):
    """What the formulas make of `start`, written down once more, in NumPy and float64."""
    options = case.options
    rate = options["learning_rate"]
    beta1, beta2 = options.get("beta1", 0.9), options.get("beta2", 0.999)
    decay = options.get("weight_decay", 0.01 if case.name == "AdamW" else 0.0)
    epsilon = options.get("epsilon", 1e-10 if case.name == "Adagrad" else 1e-8)
    mu, alpha = options.get("momentum", 0.0), options.get("alpha", 0.99)
    p, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
    for step in range(steps):
        eta, t = rate if isinstance(rate, float) else rate(step), step + 1
        g = of(p, step)
        if case.name == "AdamW":
            p = p - eta * decay * p
        else:
            g = g + decay * p
        if case.name == "SGD":
            v = mu * v + g
            change = g + mu * v if options.get("nesterov") else v
        elif case.name in ("Adam", "AdamW"):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            change = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        else:
            v = v + g**2 if case.name == "Adagrad" else alpha * v + (1 - alpha) * g**2
            change = g / (np.sqrt(v) + epsilon)
        p = p - eta * change
    return p
