"""Fork in a callback of fit, and continue in both processes."""

import json
import os
import threading

import numpy as np

import bpfast

bpfast.set_num_threads(2)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((600, 300)), rng.random((600, 10))


def network():
    return bpfast.Network([300, 500, 10], hidden="tanh", dtype="float32", seed=0)


def fit(net, **options):
    net.fit(x, y, epochs=2, batch_size=200, seed=1, **options)
    return net.params.tobytes()


alone = fit(network())
children = []


def fork(net, history):
    if len(history) == 1:
        children.append(os.fork())


net = network()
same = fit(net, callbacks=fork) == alone
if children[0] == 0:
    # The child has gone on as the parent does; it may train the network again, and others.
    fit(net)
    os._exit(0 if same and fit(network()) == alone else 1)
# A fork elsewhere, while another thread trains: its borrows are not the child's.

begun, over = threading.Event(), threading.Event()


def wait(net, history):
    begun.set()
    over.wait()


thread = threading.Thread(target=fit, args=(net,), kwargs={"callbacks": wait})
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    fit(net)
    os._exit(0)
over.set()
thread.join()
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (children[0], child)]
print(json.dumps([same, codes]))
