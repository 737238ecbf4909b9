"""The machine, the system and the versions that a run was made with."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import bpfast
from benches.machine import levels
from benches.peers import PEERS


def processor() -> str:
    """The CPU's name, as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text("utf-8"), re.MULTILINE)
        if found:
            return found[1].strip()
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def blas() -> str:
    """The BLAS that NumPy multiplies with."""
    try:
        found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{found['name']} {found['version']}"
    except (KeyError, TypeError):
        return "unknown"


def describe(peers: list[str], level: str) -> dict[str, Any]:
    """Machine and versions; `peers` are those of the run, `level` its SIMD level."""
    versions = {name: v for peer in peers for name, v in PEERS[peer].versions().items()}
    release = platform.freedesktop_os_release() if platform.system() == "Linux" else {}
    return {
        "processor": processor(),
        "cpus": bpfast.get_num_threads(),
        "simd": level,
        "widest": levels.widest(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "distribution": release.get("PRETTY_NAME", ""),
        "python": platform.python_version(),
        "blas": blas(),
        "versions": versions | {"numpy": version("numpy"), "bpfast": version("bpfast")},
    }


class OtherProcesses:
    """How much of the CPUs other processes take while a run lasts, where the system tells."""

    def __init__(self) -> None:
        self.before = self.look()

    @staticmethod
    def look() -> tuple[float, float] | None:
        """Seconds of CPU time that there were, and that others than this run used."""
        stat = Path("/proc/stat")
        if not stat.exists():
            return None
        spent = [int(word) for word in stat.read_text("ascii").split("\n", 1)[0].split()[1:9]]
        # user, nice, system, idle, iowait, irq, softirq, steal
        tick = os.sysconf("SC_CLK_TCK")
        own = sum(os.times()[:4])  # this process, and its children that have ended
        return sum(spent) / tick, (sum(spent) - spent[3] - spent[4]) / tick - own

    def share(self) -> float | None:
        """The share of all CPU time since the beginning; call it when the children have ended."""
        after = self.look()
        if self.before is None or after is None:
            return None
        return max(0.0, (after[1] - self.before[1]) / (after[0] - self.before[0]))
