"""
A differential equation
=======================

A network is fitted to u'' + u = 0 with u(0) = 1 and u'(0) = 0, whose solution is the cosine.
``taylor`` computes u, u' and u'' of the network, and ``backprop_taylor`` the gradient of a cost
that depends on all three.
"""

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
    from scipy.optimize import minimize
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib scipy") from None

t = np.linspace(0, 2 * np.pi, 64)[:, None]
start = np.zeros((1, 1))
net = bpfast.Network([1, 24, 24, 1], hidden="tanh", output="identity", init="xavier", seed=0)


def equation(taylor):
    """r²/2 with r = u + u'', and its derivatives by u, u' and u''."""
    r = taylor.value + taylor.second[0]
    return (r**2).sum(axis=1) / 2, (r, None, r[None])


def condition(taylor):
    """Half of (u - 1)² + u'² at t = 0."""
    r, du = taylor.value - 1, taylor.first[0]
    return ((r**2 + du**2) / 2).sum(axis=1), (r, du[None])


def gradient(params):
    net.params[:] = params
    g = net.backprop_taylor(t, [[1.0]], equation)
    h = net.backprop_taylor(start, [[1.0]], condition, order=1)
    return g.cost + h.cost, g.flat + h.flat


found = minimize(gradient, net.params.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 800})
net.params[:] = found.x

# %%
error = np.abs(net(t) - np.cos(t))
print(f"largest error {error.max():.1e} after {found.nit} iterations")
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
left.plot(t, np.cos(t), color="0.7", linewidth=6, label="cosine")
left.plot(t, net(t), label="network")
left.set(xlabel="t", ylabel="u")
left.legend()
right.semilogy(t, error)
right.set(xlabel="t", ylabel="|error|")
