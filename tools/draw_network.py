"""Draw the network and BP1 to BP4: `python tools/draw_network.py` writes docs/figures/network.svg.

The colours become CSS classes, so the picture follows the viewer's light or dark theme. It has a
background of its own and stays legible where a viewer ignores the theme.
"""

import io
import itertools
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

PICTURE = Path(__file__).parents[1] / "docs" / "figures" / "network.svg"

# Each role has a placeholder in the drawing, and a colour in the light and in the dark theme.
PLACEHOLDERS = {
    "paper": "#010001", "card": "#010002", "line": "#010003", "ink": "#010004", "quiet": "#010005",
    "forward": "#010006", "backward": "#010007", "neuron": "#010008",
}  # fmt: skip
LIGHT = {
    "paper": "#ffffff", "card": "#f4f6f8", "line": "#c3cad2", "ink": "#1c2128", "quiet": "#57606a",
    "forward": "#1f5f99", "backward": "#b3372f", "neuron": "#ffffff",
}  # fmt: skip
DARK = {
    "paper": "#14181d", "card": "#1e242b", "line": "#4a535d", "ink": "#e8ecf0", "quiet": "#a3adb8",
    "forward": "#7db7ee", "backward": "#f08a80", "neuron": "#14181d",
}  # fmt: skip

# Size in inches; one unit of the axes is an inch.
WIDTH, HEIGHT = 10.0, 6.3
RADIUS = 0.17
MIDDLE = 4.28  # the height of the middle of the network
LAYERS = {  # the place of a layer, its number of neurons, its name
    "1": (0.95, 3, r"layer $1$"),
    "l-1": (3.0, 4, r"layer $l-1$"),
    "l": (5.0, 4, r"layer $l$"),
    "l+1": (7.0, 4, r"layer $l+1$"),
    "L": (9.05, 2, r"layer $L$"),
}
GAP = 0.56  # between two neurons of a layer
K, J = 1, 2  # the neurons of layers l-1 and l between which w^l_jk runs, from the top


def heights(count: int) -> list[float]:
    """The heights of the neurons of a layer, from the top."""
    return [MIDDLE + GAP * ((count - 1) / 2 - i) for i in range(count)]


def text(axes: Axes, x: float, y: float, words: str, role: str, size: float, **how: str) -> None:
    """Write words or a formula."""
    where = {"ha": "center", "va": "center"} | how
    axes.text(x, y, words, color=PLACEHOLDERS[role], fontsize=size, **where)  # type: ignore[arg-type]


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], role: str) -> None:
    """Draw an arrow."""
    color = PLACEHOLDERS[role]
    style = "-|>,head_length=5,head_width=2.4"
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle=style, color=color, lw=1.5, shrinkA=0, shrinkB=0, zorder=4
        )
    )


def draw_layers(axes: Axes) -> None:
    """Draw neurons, the connections between neighbours, and the names of the layers."""
    names = list(LAYERS)
    for left, right in itertools.pairwise(names):
        (x, n, _), (x_next, n_next, _) = LAYERS[left], LAYERS[right]
        is_broken = {left, right} & {"1", "L"}  # layers between these two are left out
        for y in heights(n):
            for y_next in heights(n_next):
                share = 0.3 if is_broken else 0.5  # of the line, from each end
                for x_0, y_0, x_1, y_1 in ((x, y, x_next, y_next), (x_next, y_next, x, y)):
                    ends = [x_0, x_0 + share * (x_1 - x_0)], [y_0, y_0 + share * (y_1 - y_0)]
                    axes.plot(*ends, color=PLACEHOLDERS["line"], lw=0.7, zorder=1)
        if is_broken:
            text(axes, (x + x_next) / 2, MIDDLE, r"$\cdots$", "quiet", 17)
    for name, (x, n, title) in LAYERS.items():
        for i, y in enumerate(heights(n)):
            is_named = (name, i) in {("l-1", K), ("l", J)}
            edge = PLACEHOLDERS["forward" if is_named else "quiet"]
            fill = PLACEHOLDERS["neuron"]
            axes.add_patch(
                Circle((x, y), RADIUS, fc=fill, ec=edge, lw=1.6 if is_named else 1.0, zorder=3)
            )
        text(axes, x, 5.56, title, "ink", 11)
    text(axes, LAYERS["1"][0], 5.34, "input", "quiet", 8.5)
    text(axes, LAYERS["L"][0], 5.34, "output", "quiet", 8.5)


def draw_weight(axes: Axes) -> None:
    """Draw w^l_jk, from neuron k of layer l-1 to neuron j of layer l, and b^l_j."""
    x, y = LAYERS["l-1"][0], heights(4)[K]
    x_next, y_next = LAYERS["l"][0], heights(4)[J]
    color = PLACEHOLDERS["forward"]
    axes.plot([x, x_next], [y, y_next], color=color, lw=2.2, zorder=2)
    text(axes, x, y, "$k$", "forward", 11)
    text(axes, x_next, y_next, "$j$", "forward", 11)
    label = {"fc": PLACEHOLDERS["paper"], "ec": "none", "boxstyle": "round,pad=0.12"}
    middle = (x + x_next) / 2, (y + y_next) / 2
    axes.text(
        *middle, r"$w^l_{jk}$", color=color, fontsize=13, ha="center", va="center", bbox=label,
        zorder=5,
    )  # fmt: skip
    axes.text(
        x_next + 0.31, y_next - 0.19, r"$b^l_j$", color=color, fontsize=12, ha="center",
        va="center", bbox=label, zorder=2.5,
    )  # fmt: skip


def draw_passes(axes: Axes) -> None:
    """Draw what the two passes compute in each layer."""
    forward, backward = 3.0, 2.38
    below = {
        "1": (r"$a^1 = x$", ""),
        "l-1": (r"$a^{l-1}$", r"$\delta^{l-1}$"),
        "l": (r"$z^l,\ a^l$", r"$\delta^l$"),
        "l+1": (r"$z^{l+1},\ a^{l+1}$", r"$\delta^{l+1}$"),
        "L": (r"$z^L,\ a^L,\ C$", r"$\delta^L$"),
    }
    for name, (values, errors) in below.items():
        text(axes, LAYERS[name][0], forward, values, "forward", 12.5)
        text(axes, LAYERS[name][0], backward, errors, "backward", 12.5)
    halves = {"1": 0.40, "l-1": 0.30, "l": 0.38, "l+1": 0.62, "L": 0.55}
    names = list(LAYERS)
    for left, right in itertools.pairwise(names):
        start = LAYERS[left][0] + halves[left], forward
        arrow(axes, start, (LAYERS[right][0] - halves[right], forward), "forward")
        if left == "1":
            continue
        start = LAYERS[right][0] - 0.34, backward
        arrow(axes, start, (LAYERS[left][0] + 0.34, backward), "backward")
        between = (LAYERS[left][0] + LAYERS[right][0]) / 2
        text(axes, between, backward + 0.13, "BP2", "backward", 8.5)
    last = LAYERS["L"][0]
    arrow(axes, (last, forward - 0.17), (last, backward + 0.18), "backward")
    text(axes, last + 0.24, (forward + backward) / 2, "BP1", "backward", 8.5)
    text(axes, 0.35, backward, "Backward pass", "backward", 11.5, ha="left")


def draw_equations(axes: Axes) -> None:
    """Write the forward pass, and a card for each of the four equations."""
    text(axes, 0.35, 6.02, "Forward pass", "forward", 11.5, ha="left")
    formula = r"$z^l = a^{l-1}\,(W^l)^{\mathsf{T}} + b^l,\qquad a^l = \sigma_l(z^l)$"
    text(axes, 1.75, 6.03, formula, "ink", 13, ha="left")
    rows = r"$x, z^l, a^l, \delta^l$: one row per example, $n$ rows"
    text(axes, 9.65, 6.02, rows, "quiet", 9, ha="right")
    cards = {
        "BP1": (r"$\delta^L = \nabla_{\!a} C \odot \sigma'(z^L)$", "error of the output layer",
                r"$(n,\ n_L)$"),
        "BP2": (r"$\delta^l = (\delta^{l+1} W^{l+1}) \odot \sigma'(z^l)$",
                "error of layer $l$", r"$(n,\ n_l)$"),
        "BP3": (r"$\dfrac{\partial C}{\partial b^l} = \sum_x\, \delta^l$", "gradient of the biases",
                r"$(n_l)$"),
        "BP4": (r"$\dfrac{\partial C}{\partial W^l} = (\delta^l)^{\mathsf{T}}\, a^{l-1}$",
                "gradient of the weights", r"$(n_l,\ n_{l-1})$"),
    }  # fmt: skip
    widths = (2.2, 2.75, 1.95, 2.2)
    left, bottom, height, gap = 0.3, 0.3, 1.72, 0.1
    for (title, (formula, meaning, shape)), width in zip(cards.items(), widths, strict=True):
        box = FancyBboxPatch(
            (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.09",
            fc=PLACEHOLDERS["card"], ec=PLACEHOLDERS["line"], lw=0.8,
        )  # fmt: skip
        axes.add_patch(box)
        text(axes, left + 0.15, bottom + height - 0.24, title, "backward", 11.5, ha="left")
        x = left + width / 2
        text(axes, left + width - 0.15, bottom + height - 0.24, shape, "quiet", 9.5, ha="right")
        text(axes, x, bottom + 0.86, formula, "ink", 13.5)
        text(axes, x, bottom + 0.26, meaning, "quiet", 9.5)
        left += width + gap


def draw() -> Figure:
    """The whole picture, in placeholders."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.axis("off")
    paper = FancyBboxPatch(
        (0.02, 0.02), WIDTH - 0.04, HEIGHT - 0.04, boxstyle="round,pad=0,rounding_size=0.12",
        fc=PLACEHOLDERS["paper"], ec=PLACEHOLDERS["line"], lw=0.8,
    )  # fmt: skip
    axes.add_patch(paper)
    draw_layers(axes)
    draw_weight(axes)
    draw_passes(axes)
    draw_equations(axes)
    return figure


def themed(svg: str) -> str:
    """Replace each placeholder by a class that has a colour in both themes."""
    roles = {color: role for role, color in PLACEHOLDERS.items()}

    def to_class(match: re.Match[str]) -> str:
        style, classes = match[1], []
        for color, role in roles.items():
            for what in ("fill", "stroke"):
                if f"{what}: {color}" in style:
                    style = re.sub(f"{what}: {color};? ?", "", style)
                    classes.append(f"{what}-{role}")
        rest = f' style="{style}"' if style else ""
        return f'class="{" ".join(classes)}"{rest}' if classes else match[0]

    def rules(colors: dict[str, str]) -> str:
        return "".join(
            f".fill-{role}{{fill:{color}}}.stroke-{role}{{stroke:{color}}}"
            for role, color in colors.items()
        )

    svg = re.sub(r'style="([^"]*)"', to_class, svg)
    themes = f"{rules(LIGHT)}@media (prefers-color-scheme:dark){{{rules(DARK)}}}"
    svg = svg.replace("</style>", f"{themes}</style>", 1)
    svg = re.sub(r"<!DOCTYPE.*?>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r"[ \t]+\n", "\n", svg)


def main() -> None:
    """Write the picture."""
    style: dict[Any, Any] = {
        "mathtext.fontset": "cm",
        "font.family": "DejaVu Sans",
        "svg.hashsalt": "bpfast",
    }
    with mpl.rc_context(style):
        file = io.StringIO()
        draw().savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(themed(file.getvalue()), encoding="utf-8", newline="\n")
    print(PICTURE, file=sys.stderr)


if __name__ == "__main__":
    main()
