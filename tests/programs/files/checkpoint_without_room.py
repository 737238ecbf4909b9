"""Save checkpoints where files may not grow beyond a limit."""

import json
import resource
import signal
import sys

import numpy as np

import bpfast

path = sys.argv[1]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((40, 3)), rng.random((40, 2))
nets = [bpfast.Network([3, 4, 2], seed=0) for _ in range(4)]


def fit(net, epochs, **options):
    return net.fit(x, y, epochs=epochs, seed=0, dropout=0.5, **options)


fit(nets[0], 6), fit(nets[1], 4)
fit(nets[2], 3, checkpoint=path)
before = open(path, "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    fit(nets[3], 6, checkpoint=path, resume=True)
except OSError as error:
    found = [error.errno, error.filename == path]
found += [open(path, "rb").read() == before, nets[3].history.stopped, len(nets[3].history)]
found += [nets[3].params.tobytes() == nets[1].params.tobytes()]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
fit(nets[3], 6, checkpoint=path, resume=True)
found += [nets[3].params.tobytes() == nets[0].params.tobytes(), nets[3].history.stopped]
print(json.dumps(found))
