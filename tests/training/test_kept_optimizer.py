"""What continues with the optimizer's state, and what starts a new one: docs/training.md."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 3)), RNG.random((30, 2))
STEPS = 4  # of a training of two epochs in mini-batches of 20
HOW = {"epochs": 2, "batch_size": 20, "seed": 0}


def trained(optimizer="adam"):
    net = bpfast.Network([3, 4, 2], seed=0)
    net.fit(X, Y, optimizer=optimizer, **HOW)
    return net


def saved(net, tmp_path):
    net.save(tmp_path / "net.safetensors")
    return bpfast.load(tmp_path / "net.safetensors")


def checkpoint(net, tmp_path):
    again = bpfast.Network([3, 4, 2], seed=0)
    again.fit(X, Y, checkpoint=tmp_path / "training.ckpt", **HOW)
    return bpfast.load(tmp_path / "training.ckpt")


OTHERS = {
    "copy.copy": lambda net, _: copy.copy(net),
    "copy.deepcopy": lambda net, _: copy.deepcopy(net),
    "copy": lambda net, _: net.copy(),
    "pickle": lambda net, _: pickle.loads(pickle.dumps(net)),
    "astype": lambda net, _: net.astype(net.dtype),
    "save and load": saved,
    "load of a checkpoint": checkpoint,
}


@pytest.mark.parametrize("how", OTHERS)
def test_other_kinds_of_copies_have_only_the_parameters(how, tmp_path):
    net = trained()
    other = OTHERS[how](net, tmp_path)
    np.testing.assert_array_equal(other.params, net.params)
    assert other.optimizer is None
    assert other.history is None
    assert net.optimizer.steps == STEPS  # the first network is unchanged
    other.partial_fit(X, Y)
    assert other.optimizer.steps == 1


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adam"}, {"learning_rate": 0.001}])
def test_fit_with_a_name_starts_a_new_optimizer(optimizer):
    net = trained()
    before = net.optimizer
    net.fit(X, Y, **HOW, **optimizer)
    assert net.optimizer is not before
    assert (net.optimizer.steps, before.steps) == (STEPS, STEPS)


def test_fit_with_the_optimizer_continues():
    net = trained()
    before = net.optimizer
    net.fit(X, Y, optimizer=net.optimizer, **HOW)
    assert net.optimizer is before
    assert before.steps == 2 * STEPS


@pytest.mark.parametrize(
    ("how", "goes_on"),
    [({}, True), ({"optimizer": "adam"}, True), ({"learning_rate": 0.1}, True),
     ({"optimizer": "sgd"}, False), ({"optimizer": bpfast.Adam()}, False)],
)  # fmt: skip
def test_partial_fit_continues_unless_another_optimizer_is_given(how, goes_on):
    net = trained()
    net.partial_fit(X, Y, **how)
    assert net.optimizer.steps == (STEPS + 1 if goes_on else 1)


@pytest.mark.parametrize(
    "action", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_copied_pair_continues_with_the_same_bits(action, optimizer):
    net = trained(optimizer)
    twin, opt = action(net), action(net.optimizer)
    assert opt.steps == STEPS
    for network, its in ((net, net.optimizer), (twin, opt)):
        network.fit(X, Y, optimizer=its, **HOW)
    np.testing.assert_array_equal(net.params, twin.params)
    fresh = trained(optimizer)
    fresh.fit(X, Y, optimizer=optimizer, **HOW)
    assert (fresh.params != net.params).any()  # the state makes a difference


def test_a_resumed_checkpoint_continues(tmp_path):
    path = tmp_path / "training.ckpt"
    net, whole = bpfast.Network([3, 4, 2], seed=0), bpfast.Network([3, 4, 2], seed=0)
    net.fit(X, Y, checkpoint=path, **HOW)
    other = bpfast.Network([3, 4, 2], seed=1)
    other.fit(X, Y, resume=path, **(HOW | {"epochs": 4}))
    whole.fit(X, Y, **(HOW | {"epochs": 4}))
    assert other.optimizer.steps == 2 * STEPS
    np.testing.assert_array_equal(other.params, whole.params)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_of_a_schedule_belong_to_one_network(momentum):
    """A second network would be trained with the rates of the end, which may be 0."""
    optimizer = bpfast.SGD(bpfast.schedules.Cosine(0.1, steps=20), momentum=momentum)
    nets = [bpfast.Network([2, 1], output="identity", seed=0) for _ in range(2)]
    x, y = np.ones((10, 2)), np.ones((10, 1))
    nets[0].fit(x, y, epochs=2, optimizer=optimizer)
    nets[0].fit(x, y, epochs=2, optimizer=optimizer)
    message = "^optimizer: expected one with steps of this network alone, got one that has done 4 "
    for call in (nets[1].fit, nets[1].partial_fit):
        with refuses(ValueError, message, nets[1]):
            call(x, y, optimizer=optimizer)
    optimizer.reset()
    assert nets[1].fit(x, y, epochs=1, optimizer=optimizer).learning_rate[0] == 0.1
    plain = bpfast.SGD(0.1)  # whose steps make no difference
    for net in nets:
        net.fit(x, y, epochs=1, optimizer=plain)


@pytest.mark.parametrize("warm_up", [False, True])
def test_a_plateau_that_another_training_has_lowered(warm_up):
    schedule = bpfast.schedules.Plateau(0.1, factor=0.5, patience=0)
    rate = bpfast.schedules.WarmUp(schedule, steps=1) if warm_up else schedule
    x, y = np.ones((10, 2)), np.ones((10, 1))
    nets = [bpfast.Network([2, 1], output="identity", seed=0) for _ in range(2)]
    nets[0].fit(x, y, epochs=60, optimizer=bpfast.SGD(rate, momentum=0.9))
    assert schedule(0) < 0.1
    nets[0].fit(x, y, epochs=1, optimizer=nets[0].optimizer)  # the same training goes on
    message = "^learning_rate: expected a new schedule for a new optimizer, got one that another"
    with refuses(ValueError, message, nets[1]):
        nets[1].fit(x, y, optimizer=bpfast.SGD(rate))


def test_a_rate_that_was_made_negative():
    rate = bpfast.schedules.Constant(0.1)
    rate.rate = -1.0
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    with refuses(ValueError, "^learning_rate: expected a finite rate, 0 or above, at step 0", net):
        net.fit([[1.0]], [[1.0]], optimizer=bpfast.SGD(rate))


def test_the_direction_of_early_stopping_is_that_of_its_column():
    stop = bpfast.EarlyStopping(2)
    for name, value in (("monitor", "accuracy"), ("mode", "MIN")):
        with pytest.raises(AttributeError):
            setattr(stop, name, value)


def test_callbacks_whose_body_would_not_run():
    def generator(net, history):
        yield True

    async def coroutine(net, history):
        return True

    net = bpfast.Network([1, 1], seed=0)
    for callback in (generator, coroutine):
        with refuses(TypeError, r"^callbacks\[0\]: expected a function, got one with yield", net):
            net.fit([[1.0]], [[1.0]], callbacks=callback)


def test_a_training_that_does_no_step_binds_no_steps():
    optimizer = bpfast.SGD(bpfast.schedules.Cosine(0.1, steps=20))
    optimizer.step(np.ones(2), np.ones(2))
    nets = [bpfast.Network([2, 1], output="identity", seed=0) for _ in range(2)]
    x, y = np.ones((10, 2)), np.ones((10, 1))
    with refuses(ValueError, "^y: expected", nets[0]):
        nets[0].fit(x, y[:3], optimizer=optimizer)
    nets[1].fit(x, y, epochs=1, optimizer=optimizer)
