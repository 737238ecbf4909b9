"""Save or load a large network, interrupted.

Prints how long the call takes that is left alone, then for each turn "in" and whether it was over.
"""

import json
import os
import sys
import time

import bpfast
from tests.helpers.child import digest
from tests.programs.interrupts.large_network import net

path, turns = sys.argv[2], int(sys.argv[3])
net.save(path)
old = digest(net.params)


def save():
    net.save(path)


def load():
    bpfast.load(path)


call = {"save": save, "load": load}[sys.argv[1]]
start = time.monotonic()
call()
print(time.monotonic() - start, flush=True)
for _ in range(turns):
    over = False
    if call is save:
        net.params += 1
    new = digest(net.params)
    try:
        print("in", flush=True)
        call()
        over = True
        time.sleep(60)
    except KeyboardInterrupt:
        pass
    twin = bpfast.load(path)
    found = digest(twin.params)
    assert found in (old, new)
    assert digest(net.params) == new
    assert found == new or not over
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
    old = found
    print(json.dumps(over), flush=True)
del twin
print("in", flush=True)
call()
time.sleep(60)
