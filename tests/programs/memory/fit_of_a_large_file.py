"""Train on a file of which no copy may be made.

The file has a hole for its numbers: it takes no room on the disk. The limit leaves room for the map
itself, and for a tenth of a copy of it.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

import bpfast
from tests.programs.memory.own_memory import status

dtype, validation = json.loads(sys.argv[1]), json.loads(sys.argv[2])
n, width = 100_000, 500
path = Path(sys.argv[3])
with path.open("wb") as file:
    file.truncate(n * width * np.dtype(dtype).itemsize)
x = np.memmap(path, dtype, "r", shape=(n, width))
y = np.zeros((n, 1), "float32")
net = bpfast.Network([width, 4, 1], dtype="float32", seed=0)
how = {"batch_size": 1000, "epochs": 1, "metrics": "mean_squared_error"}


small = net.fit(x[:2000], y[:2000], **how)
limit = status("VmSize") + n * width * 4 // 10 + 90_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
net.fit(x, y, validation=validation, **how)
print(json.dumps(net.optimizer.steps))
