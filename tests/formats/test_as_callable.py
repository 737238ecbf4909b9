"""A network as a function of JAX: values, derivatives, transformations."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

jax = pytest.importorskip("jax")
jnp = jax.numpy
from jax.test_util import check_grads  # noqa: E402

NET = bpfast.Network([3, 4, 2], hidden="tanh", output="sigmoid", seed=0)
SINGLE = NET.astype("float32")
X = np.random.default_rng(0).standard_normal((6, 3))


@pytest.fixture(autouse=True)
def float64():
    """JAX with float64."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.fixture
def single(float64):
    """JAX as it is by default."""
    jax.config.update("jax_enable_x64", False)


def arguments(net=NET):
    return bpfast.jax.as_callable(net), jnp.asarray(net.params), jnp.asarray(X, net.dtype)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_values_and_gradients(wrap):
    apply, params, x = arguments()
    apply = wrap(apply)
    assert (np.asarray(apply(params, x)) == NET(X)).all()
    check_grads(apply, (params, x), order=1, modes=["rev"])
    check_grads(apply, (params, x[0]), order=1, modes=["rev"])
    check_grads(apply, (params, x.reshape(2, 3, 3)), order=1, modes=["rev"])


def test_gradients_have_the_bits_of_vjp():
    apply, params, x = arguments()
    v = np.random.default_rng(1).standard_normal((6, 2))
    dparams, dx = jax.vjp(apply, params, x)[1](jnp.asarray(v))
    gradient, expected = NET.vjp(X, v)
    assert (np.asarray(dparams) == gradient.flat).all()
    assert (np.asarray(dx) == expected).all()


# vmap of what, and the arguments from params of shape (P,) and x of shape (6, 3).
def stacked(params, x):
    return jnp.stack([params, 2 * params, -params])


VMAPS = {
    "examples": ((None, 0), lambda p, x: (p, x)),
    "params": ((0, None), lambda p, x: (stacked(p, x), x)),
    "both": ((0, 0), lambda p, x: (stacked(p, x), x.reshape(3, 2, 3))),
    "one": ((0, 0), lambda p, x: (p[None], x[None])),
}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", VMAPS)
def test_vmap(name, jit):
    axes, make = VMAPS[name]
    apply, params, x = arguments()
    params, x = make(params, x)
    mapped = jax.vmap(apply, axes)
    mapped = jax.jit(mapped) if jit else mapped
    a = mapped(params, x)
    for k in range(len(a)):
        one = apply(params if axes[0] is None else params[k], x if axes[1] is None else x[k])
        np.testing.assert_array_equal(np.asarray(a[k]), np.asarray(one))
    check_grads(mapped, (params, x), order=1, modes=["rev"])


def test_nested_vmap():
    apply, params, x = arguments()
    mapped = jax.vmap(jax.vmap(apply, (None, 0)), (0, None))
    check_grads(mapped, (stacked(params, x), x), order=1, modes=["rev"])


def test_gradients_of_each_example_and_jacobians():
    apply, params, x = arguments()
    each = jax.vmap(jax.grad(lambda p, x: apply(p, x)[0]), (None, 0))(params, x)
    v = np.tile([1.0, 0.0], (6, 1))
    for k in range(6):
        expected = NET.vjp(X[k : k + 1], v[k : k + 1], wrt="params").flat
        np.testing.assert_allclose(each[k], expected, rtol=0, atol=1e-15)
    jacobian = jax.jit(jax.vmap(jax.jacrev(apply, 1), (None, 0)))(params, x)
    np.testing.assert_allclose(jacobian, NET.jacobian(X), rtol=0, atol=1e-15)


def test_in_other_transformations():
    apply, params, x = arguments()

    def loss(params):
        total, _ = jax.lax.scan(lambda c, row: (c + apply(params, row).sum(), None), 0.0, x)
        return total

    assert np.isclose(loss(params), NET(X).sum(), rtol=1e-14)
    check_grads(jax.checkpoint(loss), (params,), order=1, modes=["rev"])


def test_training_inside_a_larger_model():
    apply, params, x = arguments()
    weights, y = jnp.ones((2, 1)), jnp.asarray(X[:, :1])

    @jax.jit
    def loss(params, weights):
        return ((apply(params, x) @ weights - y) ** 2).mean()

    before = float(loss(params, weights))
    for _ in range(20):
        steps = jax.grad(loss, (0, 1))(params, weights)
        params, weights = params - 0.3 * steps[0], weights - 0.3 * steps[1]
    assert float(loss(params, weights)) < 0.8 * before
    net = NET.copy()
    net.params = params
    assert (net(X) == np.asarray(apply(params, x))).all()
    assert (NET.params == arguments()[1]).all()


def test_threads():
    """Calls that release the GIL, with other parameters at the same time."""
    net = bpfast.Network([3, 300, 1], hidden="tanh", output="identity", seed=0)
    apply, params, _ = arguments(net)
    apply, x = jax.jit(apply), jnp.ones((2000, 3))

    def total(k):
        return float(apply(params * k, x).sum())

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(total, range(40)))
    assert found == [total(k) for k in range(40)]


def test_no_examples():
    apply, params, x = arguments()
    assert apply(params, x[:0]).shape == (0, 2)
    assert not jax.grad(lambda params: apply(params, x[:0]).sum())(params).any()


@pytest.mark.usefixtures("single")
def test_float32():
    apply, params, x = arguments(SINGLE)
    assert apply(params, x).dtype == jnp.float32
    assert (np.asarray(apply(params, X)) == SINGLE(X)).all()
    # By JAX's differences in float32.
    check_grads(apply, (params, x), order=1, modes=["rev"], atol=1e-2, rtol=1e-2)
    with refuses(ValueError, "^net: expected float32, as JAX has float64 disabled, got float64; "):
        bpfast.jax.as_callable(NET)


def test_other_dtypes_are_converted():
    apply, params, x = arguments(SINGLE)
    assert apply(params, x.astype("float64")).dtype == jnp.float32
    assert jax.grad(lambda x: apply(params, x).sum())(x.astype("float64")).dtype == jnp.float64
    assert apply(params, jnp.ones((2, 3), int)).shape == (2, 2)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_complex_numbers_are_refused(wrap):
    apply, params, x = arguments()
    apply = wrap(apply)
    with refuses(TypeError, "^x: expected real numbers, got dtype complex128$"):
        apply(params, x + 1j)
    with refuses(TypeError, "^params: expected real numbers, got dtype complex128$"):
        apply(params * 1j, x)
    with refuses(TypeError, "^x: expected real numbers, got (complex|dtype complex128)$"):
        apply(params, [1.0, 2.0, 3j])


def test_what_is_refused():
    apply, params, x = arguments()
    with refuses(ValueError, r"^params: expected shape \(26,\), got \(25,\)$"):
        apply(params[1:], x)
    with refuses(ValueError, r"^x: expected shape \(..., 3\), got \(6, 2\)$"):
        apply(params, x[:, 1:])
    with refuses(ValueError, r"^x: expected shape \(..., 3\), got \(\)$"):
        apply(params, x[0, 0])
    with refuses(TypeError, "^net: expected a Network, got int$"):
        bpfast.jax.as_callable(3)
    second = jax.grad(lambda x: jax.grad(lambda x: apply(params, x).sum())(x).sum())
    with refuses(NotImplementedError, "^bpfast.jax.as_callable: first derivatives only; net.hvp"):
        second(x)
    with refuses(TypeError, "forward-mode"):
        jax.jvp(lambda x: apply(params, x), (x,), (x,))
