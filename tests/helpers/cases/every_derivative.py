"""Every call for derivatives, and the bits of what it returns."""

import numpy as np

from tests.helpers.child import digest

# The calls that take a Trace in place of x.
WITH_TRACE = (
    "vjp", "vjp at z", "jvp", "jacobian", "hvp", "ggn_vp", "ggn diagonal", "empirical_fisher_vp",
)  # fmt: skip
# At most so many numbers of ∂C_x and of a Jacobian are computed.
LIMIT = 3_000_000


def calls(net, x, y):
    """Functions of x by name; each returns a list of arrays."""
    n, rng = x.shape[0], np.random.default_rng(0)
    v = rng.standard_normal((n, net.sizes[-1])).astype(net.dtype)
    dx = rng.standard_normal((n, net.sizes[0])).astype(net.dtype)
    p = rng.standard_normal(net.params.size).astype(net.dtype)

    def vjp(x, at):
        gradient, nabla_x = net.vjp(x, v, at=at)
        return [gradient.flat, nabla_x]

    def statistics(x):
        found = net.gradient_statistics(x, y)
        return [found.mean.flat, found.variance.flat]

    def noisy(x):
        options = {"noise_multiplier": 0.5, "seed": 3, "sampling_rate": 0.9}
        return [net.clipped_backprop(x, y, 0.3, **options).flat]

    found = {
        "vjp": lambda x: vjp(x, "a"),
        "vjp at z": lambda x: vjp(x, "z"),
        "jvp": lambda x: net.jvp(x, dx=dx, dparams=p),
        "input_gradient": lambda x: [net.input_gradient(x, y)],
        "forward_from": lambda x: [net.forward_from(2, net.trace(x).z[0])],
        "per_example_norms": lambda x: [net.per_example_norms(x, y, per_layer=True)],
        "clipped_backprop": lambda x: [net.clipped_backprop(x, y, 0.3).flat],
        "noise": noisy,
        "hvp": lambda x: [net.hvp(x, y, p).flat],
        "ggn_vp": lambda x: [net.ggn_vp(x, y, p).flat],
        "ggn diagonal": lambda x: [net._gauss_newton_diagonal(x, y, np.ones(n)).flat],
        "empirical_fisher_vp": lambda x: [net.empirical_fisher_vp(x, y, p).flat],
    }
    if n > 1:
        found["gradient_statistics"] = statistics
    if n * net.params.size < LIMIT:
        found["per_example_gradients"] = lambda x: [net.per_example_gradients(x, y).flat]
    if n * net.sizes[0] * net.sizes[-1] < LIMIT:
        found["jacobian"] = lambda x: [net.jacobian(x)]
    return found


def digests(net, x, y):
    """A hash of the bits of each call."""
    return {name: digest(*call(x)) for name, call in calls(net, x, y).items()}
