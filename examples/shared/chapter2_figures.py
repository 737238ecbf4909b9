"""The figures of chapter2.py."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bpfast

from . import plots
from .digits import Floats

MARKS = ["o", "s", "^", "D", "v"]


def image(axes: Axes, pixels: Floats, title: str, **limits: Any) -> Any:
    """Draw a value for each pixel: 0 is white."""
    shape = (28, 28) if pixels.size == 784 else pixels.shape
    drawn = axes.imshow(pixels.reshape(shape), cmap=limits.pop("cmap", "gray_r"), **limits)
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color="0.8")
    return drawn


def equations(digit: Floats, errors: Sequence[Floats], g: bpfast.Gradient) -> Figure:
    """Above the digit and the errors, below the gradients of weights."""
    figure, panels = plots.panels(3, 2)
    image(panels[0], digit, "x, the digit")
    for axes, delta, layer in ((panels[1], errors[1][0], 3), (panels[2], errors[0][0], 2)):
        axes.bar(np.arange(len(delta)), delta, color=plots.COLORS[0])
        axes.axhline(0, color="0.3", linewidth=0.8)
        plots.finish(axes, f"δ$^{layer}$", f"∂C/∂z$^{layer}$", x=f"neuron of layer {layer}")
    sizes = np.abs(errors[0][0])
    top = np.abs(g.weights[0]).max()
    for axes, j, word in (
        (panels[3], sizes.argmax(), "largest"),
        (panels[4], sizes.argmin(), "smallest"),
    ):
        title = f"|∂C/∂w$^2$|, neuron {j}: {word} |δ|"
        bar = image(axes, np.abs(g.weights[0][j]), title, vmin=0, vmax=top)
    figure.colorbar(bar, ax=panels[4])
    bar = image(panels[5], np.abs(g.weights[1]), "|∂C/∂w$^3$| = |δ$^3$| a$^2$", aspect="auto")
    panels[5].set(xlabel="from neuron of layer 2", ylabel="to neuron of layer 3")
    panels[5].set(xticks=range(0, 30, 5), yticks=range(10))
    figure.colorbar(bar, ax=panels[5])
    return figure


def demon(demons: Mapping[str, bpfast.inside.Demon]) -> Figure:
    """ΔC beside δ Δz of each neuron, and the difference."""
    figure, panels = plots.panels(3)
    for axes, (name, found) in zip(panels, demons.items(), strict=False):
        axes.plot(found.dz, found.true[0], label="true ΔC", color=plots.COLORS[0])
        axes.plot(found.dz, found.predicted[0], label="δ Δz", color=plots.COLORS[1], linestyle="--")
        axes.set(title=f"Hidden neuron with the {name}", xlabel="Δz", ylabel="change of the cost")
        axes.sharey(panels[0])
    panels[0].legend()
    for place, (name, found) in enumerate(demons.items()):
        up = found.dz > 1e-9
        panels[2].loglog(
            found.dz[up], np.abs(found.difference[0, up]), label=name, color=plots.COLORS[place],
            linestyle=plots.DASHES[place],
        )  # fmt: skip
    panels[2].set(title="Absolute difference of ΔC and δ Δz", xlabel="Δz", ylabel="difference")
    panels[2].legend()
    return figure


def saturation(curves: Mapping[str, Floats]) -> Figure:
    """The output, its error and its speed by epoch, under each cost."""
    figure, panels = plots.panels(3)
    titles = [
        ("Output for digits that are no 0", "mean of a, should be 0"),
        ("Error of the output neuron", "RMS of δ$^L$"),
        ("Learning speed of the output neuron", "‖(∂C/∂w, ∂C/∂b)‖"),
    ]
    for k, (axes, (title, name)) in enumerate(zip(panels, titles, strict=True)):
        for place, (cost, curve) in enumerate(curves.items()):
            plots.line(axes, curve[:, k], cost, place, start=0)
        plots.finish(axes, title, name)
        if k:
            axes.set_yscale("log")
    panels[0].legend()
    return figure


def vanishing(
    starts: Mapping[str, Floats], monitors: Mapping[str, bpfast.inside.Monitor]
) -> Figure:
    """‖δ^l‖ by layer at the start, and by epoch in the deepest networks."""
    figure, panels = plots.panels(3, sharey=True)
    for place, (name, norms) in enumerate(starts.items()):
        panels[0].plot(
            np.arange(2, 2 + len(norms)), norms, label=name, color=plots.COLORS[place],
            linestyle=plots.DASHES[place], marker=MARKS[place], markersize=4,
        )  # fmt: skip
    panels[0].set_yscale("log")
    plots.finish(panels[0], "At the start", "‖δ$^l$‖", x="layer l")
    panels[0].legend(fontsize=8)
    for axes, (name, monitor) in zip(panels[1:], list(monitors.items())[-2:], strict=True):
        layers = [key for key in monitor.names if key.startswith("speed_")]
        for k, key in enumerate(layers):  # light to dark, from the first layer to the last
            grey = str(0.75 - 0.75 * k / (len(layers) - 1))
            axes.plot(monitor["epoch"], monitor[key], label=f"l = {k + 2}", color=grey)
        plots.finish(axes, f"Training: {name}", "")
    panels[2].legend(*[found[::-1] for found in panels[2].get_legend_handles_labels()])
    return figure


def quiet_inputs(
    size: Floats, gradients: Mapping[str, Floats], trainings: Mapping[str, bpfast.History]
) -> Figure:
    """The pixels, the gradients of their weights, and the trainings."""
    figure, panels = plots.panels(3, 2)
    figure.colorbar(image(panels[0], size, "RMS of each pixel"), ax=panels[0])
    for axes, (name, rms) in zip(panels[1:], gradients.items(), strict=False):
        figure.colorbar(image(axes, rms, f"RMS of ∂C/∂w, {name}"), ax=axes)
    ever = size > 0
    for axes, (name, rms) in zip(panels[3:], gradients.items(), strict=False):
        axes.loglog(size[ever], rms[ever], ".", markersize=2.5, color=plots.COLORS[0])
        axes.set(title=name.capitalize(), xlabel="RMS of the pixel, 0 to 1", ylabel="RMS of ∂C/∂w")
    panels[4].sharey(panels[3])
    for place, (name, history) in enumerate(trainings.items()):
        plots.line(panels[5], history.cost, name, place)
    plots.finish(panels[5], "Training cost", "cost")
    panels[5].legend()
    return figure


def saliency(x: Floats, gradients: Floats, names: Sequence[str]) -> Figure:
    """Above the digits, below |∂C_x/∂x|, each from 0 to its largest."""
    figure = Figure(figsize=(2 * len(x), 4.4), layout="constrained")
    grid = figure.subplots(2, len(x), squeeze=False)
    for above, below, digit, gradient, name in zip(*grid, x, gradients, names, strict=True):
        image(above, digit, name)
        image(below, np.abs(gradient), f"|∂C/∂x|, up to {np.abs(gradient).max():.2g}")
    return figure


def norms(x: Floats, names: Sequence[str], lengths: Floats, noise_scale: Sequence[float]) -> Figure:
    """The digits with the largest gradients, the norms of all, and the noise scale."""
    figure = Figure(figsize=(10.8, 4.4), layout="constrained")
    parts = figure.add_gridspec(1, 2, width_ratios=[2.2, 1])
    left, right = (figure.add_subfigure(parts[k]) for k in range(2))
    for axes, digit, name in zip(left.subplots(3, 4).flat, x, names, strict=True):
        image(axes, digit, name)
        axes.title.set_fontsize(9)
    above, below = right.subplots(2, 1)
    above.hist(lengths, bins=40, color=plots.COLORS[0])
    above.set(title="All training digits", xlabel="‖∂C$_x$‖", ylabel="digits", yscale="log")
    plots.line(below, noise_scale, "", 0, start=0)
    below.set_yscale("log")
    plots.finish(below, "Noise scale", "examples")
    return figure


def curvature(eigenvalues: Sequence[float], distances: Mapping[float, Floats]) -> Figure:
    """The power iteration, and gradient descent near a minimum."""
    figure, panels = plots.panels(2)
    plots.line(panels[0], eigenvalues, "", 0)
    plots.finish(panels[0], "Power iteration", "estimate of λ", x="product with H")
    for place, (multiple, along) in enumerate(distances.items()):
        plots.line(panels[1], np.abs(along), f"η = {multiple:.2f} · 2/λ", place, start=0)
        steps = np.arange(len(along))
        panels[1].plot(steps, along[0] * abs(1 - 2 * multiple) ** steps, color="0.6", linewidth=0.8)
    panels[1].set_yscale("log")
    plots.finish(panels[1], "Gradient descent (grey: |1 - ηλ|$^k$)", "distance along v", x="step k")
    panels[1].legend(fontsize=8)
    return figure
