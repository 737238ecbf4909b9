"""Write files to a disk that is full."""

import json
import sys

import bpfast
from bpfast._core import write_tensors
from tests.programs.files.failing_write import small, tell

disk = sys.argv[1]


def net(path):
    try:
        bpfast.Network([1000, 300], cost="huber").save(path)
    except OSError as error:
        return [error.errno, error.filename == path]


write_tensors(f"{disk}/x", small, {})
found = [tell(f"{disk}/x"), tell(f"{disk}/y"), tell(f"{disk}/x", small), net(f"{disk}/n")]
print(json.dumps(found))
