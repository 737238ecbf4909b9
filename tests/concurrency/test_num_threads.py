"""``with num_threads``: which of several contexts is in force, where, and until when."""

import asyncio
import contextvars
import gc
import threading

import pytest

import bpfast
from tests.helpers.child import run
from tests.helpers.processes.python_threads import in_threads


@pytest.fixture(autouse=True)
def nine_outside():
    bpfast.set_num_threads(9)
    yield
    assert bpfast.get_num_threads() == 9, "a context was left open"
    bpfast.set_num_threads(None)


def leave(context):
    context.__exit__(None, None, None)


def limited(k):
    """A generator that yields inside a context."""
    with bpfast.num_threads(k):
        while True:
            yield bpfast.get_num_threads()


def test_the_one_entered_last_of_those_still_open_is_in_force():
    one, two, three = (bpfast.num_threads(k).__enter__() for k in (1, 2, 3))
    assert bpfast.get_num_threads() == 3
    leave(two)
    assert bpfast.get_num_threads() == 3
    leave(three)
    assert bpfast.get_num_threads() == 1
    leave(one)


def test_contexts_left_as_they_were_entered():
    one, seven = bpfast.num_threads(1), bpfast.num_threads(7)
    one.__enter__()
    seven.__enter__()
    leave(one)
    assert bpfast.get_num_threads() == 7
    leave(seven)
    assert bpfast.get_num_threads() == 9


def test_a_context_entered_twice_is_left_twice():
    one = bpfast.num_threads(1)
    with one, bpfast.num_threads(2):
        with one:
            assert bpfast.get_num_threads() == 1
        assert bpfast.get_num_threads() == 2
    with one:
        assert bpfast.get_num_threads() == 1


def test_a_context_is_left_although_its_block_raises():
    with pytest.raises(KeyError), bpfast.num_threads(1):
        raise KeyError
    assert bpfast.get_num_threads() == 9


def test_a_context_left_too_often():
    one = bpfast.num_threads(1)
    words = "^num_threads: expected to be left once for each time it was entered, got one more$"
    with pytest.raises(RuntimeError, match=words):
        leave(one)
    with bpfast.num_threads(2):
        with one:
            pass
        with pytest.raises(RuntimeError, match=words):
            leave(one)
        assert bpfast.get_num_threads() == 2


def test_set_num_threads_holds_where_no_context_does():
    with bpfast.num_threads(2):
        bpfast.set_num_threads(4)
        assert bpfast.get_num_threads() == 2
    assert bpfast.get_num_threads() == 4
    bpfast.set_num_threads(9)


def test_set_num_threads_inside_contexts_holds_after_them_all():
    with bpfast.num_threads(2):
        with bpfast.num_threads(3):
            bpfast.set_num_threads(4)
            assert bpfast.get_num_threads() == 3
        assert bpfast.get_num_threads() == 2
        bpfast.set_num_threads(5)
        with bpfast.num_threads(1):
            assert bpfast.get_num_threads() == 1
    assert bpfast.get_num_threads() == 5
    bpfast.set_num_threads(9)


def test_a_context_that_is_entered_and_never_left_holds_in_its_thread():
    def enter():
        bpfast.num_threads(3).__enter__()
        gc.collect()
        found.append(bpfast.get_num_threads())
        with bpfast.num_threads(2):
            found.append(bpfast.get_num_threads())
        bpfast.set_num_threads(9)
        found.append(bpfast.get_num_threads())

    found = []
    in_threads(enter)
    assert found == [3, 2, 3]
    assert bpfast.get_num_threads() == 9


def test_generators_closed_in_any_order():
    one, two = limited(1), limited(2)
    assert (next(one), next(two)) == (1, 2)
    one.close()
    assert bpfast.get_num_threads() == 2
    two.close()


def test_a_generator_that_is_collected():
    one = limited(1)
    next(one)
    cycle = [one]
    cycle.append(cycle)
    del one, cycle
    gc.collect()
    assert bpfast.get_num_threads() == 9


@pytest.mark.parametrize("close", [threading.Thread, contextvars.Context.run])
def test_a_generator_closed_elsewhere(close):
    """By another thread, and in a context of its own."""
    one, two = limited(1), limited(2)
    next(one)
    next(two)
    if close is threading.Thread:
        in_threads(two.close)
    else:
        contextvars.Context().run(two.close)
    assert bpfast.get_num_threads() == 1
    one.close()


def test_each_task_has_its_own():
    """Each task enters its context before any other goes on, and leaves it after some have."""

    async def task(k, barrier, left):
        with bpfast.num_threads(k):
            await barrier.wait()
            seen = [bpfast.get_num_threads()]
            while len(left) < k - 1:
                await asyncio.sleep(0)
            seen.append(bpfast.get_num_threads())
        left.append(k)
        return [*seen, bpfast.get_num_threads()]

    async def main():
        barrier, left = asyncio.Barrier(3), []
        return await asyncio.gather(*(task(k, barrier, left) for k in (1, 2, 3)))

    assert asyncio.run(main()) == [[1, 1, 9], [2, 2, 9], [3, 3, 9]]


def test_tasks_and_to_thread_take_it_along_until_it_is_left():
    async def child(is_there, go_on):
        seen = bpfast.get_num_threads()
        is_there.set()
        await go_on.wait()
        return seen, bpfast.get_num_threads()

    async def main():
        is_there, go_on = asyncio.Event(), asyncio.Event()
        with bpfast.num_threads(2):
            task = asyncio.create_task(child(is_there, go_on))
            in_thread = await asyncio.to_thread(bpfast.get_num_threads)
            await is_there.wait()  # `to_thread` may be over before the task has begun
        go_on.set()
        return in_thread, await task

    assert asyncio.run(main()) == (2, (2, 9))


def test_an_asynchronous_generator_that_is_abandoned():
    """The event loop closes it in a task of its own."""

    async def limited():
        with bpfast.num_threads(1):
            while True:
                yield bpfast.get_num_threads()

    async def main():
        async for threads in limited():
            assert threads == 1
            break
        gc.collect()
        await asyncio.sleep(0.01)
        return bpfast.get_num_threads()

    assert asyncio.run(main()) == 9


def test_a_thread_has_its_own():
    one, barrier = bpfast.num_threads(1), threading.Barrier(2)

    def enters():
        with one:
            barrier.wait()
            barrier.wait()
            seen = bpfast.get_num_threads()
            barrier.wait()
        return [seen, bpfast.get_num_threads()]

    def enters_and_leaves_the_same():
        barrier.wait()
        seen = [bpfast.get_num_threads()]
        with one:
            seen.append(bpfast.get_num_threads())
        barrier.wait()
        barrier.wait()
        return [*seen, bpfast.get_num_threads()]

    with bpfast.num_threads(2):
        assert in_threads(enters, enters_and_leaves_the_same) == [[1, 9], [9, 1, 9]]


def test_batches_are_fetched_in_the_context_of_fit():
    seen = set()

    def batches():
        for _ in range(3):
            seen.add(bpfast.get_num_threads())
            yield [[1.0, 2.0]], [[1.0]]

    with bpfast.num_threads(2):
        bpfast.Network([2, 1], seed=0).fit(batches, epochs=2)
    assert seen == {2}


def test_a_forked_child_stays_in_its_context():
    program = """
import json, os
import bpfast
bpfast.set_num_threads(9)
with bpfast.num_threads(2):
    here, there = os.pipe()
    pid = os.fork()
    inside = bpfast.get_num_threads()
if pid == 0:
    os.write(there, json.dumps([inside, bpfast.get_num_threads()]).encode())
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(os.read(here, 100).decode())
"""
    assert run(program) == [2, 9]
