"""Be interrupted while a file is written."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np

from bpfast._core import read_tensors, write_tensors

path = sys.argv[1]
write_tensors(path, {"a": np.zeros(3)}, {})
large = {str(k): np.zeros(2**20) for k in range(100)}


def ask():
    while not any(name.startswith(".bpfast") for name in os.listdir(os.path.dirname(path))):
        time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGINT)


threading.Thread(target=ask).start()
try:
    write_tensors(path, large, {})
    outcome = "written"
except KeyboardInterrupt:
    outcome = "interrupted"
print(json.dumps([outcome, len(read_tensors(path)[0]), os.listdir(os.path.dirname(path))]))
