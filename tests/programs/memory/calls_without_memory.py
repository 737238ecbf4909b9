"""What calls return or raise with little free memory.

Each call runs in a fork, so that none has the memory of another: the code before it, its limit, the
call, then another call that must work, and the code after it. Where there is no fork and no limit,
all run in this process.
"""

import json
import os
import sys
import traceback

import numpy as np

import bpfast

MIB = 2**20


def used():
    """The address space in use, in bytes."""
    import resource

    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def outcome(call, *, before="", after="", free=0, threads=1):
    """The result of `call` with this many MiB of address space left."""
    names = {"np": np, "bpfast": bpfast}
    bpfast.set_num_threads(threads)
    exec(before, names)
    code = compile(call, "call", "eval")
    if free:
        import resource

        limit, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used() + int(free * MIB), most))
    try:
        eval(code, names)
        found = "done"
    except MemoryError as error:
        found = f"MemoryError: {error}"
    if free:
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    small = bpfast.Network([2, 2], init="zeros")
    assert small.backprop([[1, 2]], [[0, 1]]).cost == 0.125 * 2
    exec(after, names)
    return found


def outcome_in_a_fork(case):
    """The same in a forked child; the status of the child if it ends otherwise."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, outcome(**case).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as file:
        found = file.read()
    _, status = os.waitpid(child, 0)
    return found if status == 0 else f"exit code {os.waitstatus_to_exitcode(status)}"


cases = json.loads(sys.argv[1])
if hasattr(os, "fork"):
    print(json.dumps([outcome_in_a_fork(case) for case in cases]))
else:
    print(json.dumps([outcome(**case) for case in cases]))
