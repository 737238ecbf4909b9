"""What a program pays before its first gradient: the import, and the first call."""

import json
import statistics
import subprocess
import sys
from typing import Any

from benches.machine import levels
from benches.processes.rounds import summary
from benches.processes.workers import peer_environment

IMPORT = """
import json, time
a = time.perf_counter()
import numpy
b = time.perf_counter()
import bpfast
c = time.perf_counter()
print(json.dumps({"numpy": b - a, "bpfast": c - b}))
"""

FIRST = """
import json, sys, time
import numpy as np
import bpfast
sizes, n = json.loads(sys.argv[1])
net = bpfast.Network(sizes, output="identity", dtype=np.float32, seed=0)
x, y = np.ones((n, sizes[0]), "f4"), np.ones((n, sizes[-1]), "f4")
g = bpfast.Gradient(net)
times = []
for _ in range(101):
    start = time.perf_counter()
    net.backprop(x, y, out=g)
    times.append(time.perf_counter() - start)
print(json.dumps({"first": times[0], "later": sorted(times[1:])[50]}))
"""


def run(program: str, *arguments: str) -> dict[str, float]:
    """Run a program in a fresh Python; the figures that it prints."""
    command = [sys.executable, "-P", "-c", program, *arguments]
    done = subprocess.run(
        command, env=peer_environment(levels.widest()), capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure(rounds: int) -> dict[str, Any]:
    """Import of NumPy, of bpfast after it; first call and later ones of two networks."""
    run(IMPORT)  # reads the files from disk
    networks = {"nielsen30": ([784, 30, 10], 10), "tab256": ([64, 256, 256, 1], 128)}
    imports, calls = [], {name: [] for name in networks}  # type: ignore[var-annotated]
    for _ in range(rounds):
        imports.append(run(IMPORT))
        for name, network in networks.items():
            calls[name].append(run(FIRST, json.dumps(network)))
    return {
        "import": {key: summary([found[key] for found in imports]) for key in ("numpy", "bpfast")},
        "calls": {
            name: {
                "first": summary([found["first"] for found in all_]),
                "later": summary([found["later"] for found in all_]),
                "difference": statistics.median(f["first"] - f["later"] for f in all_),
            }
            for name, all_ in calls.items()
        },
    }
