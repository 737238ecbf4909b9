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


def describe(peers: list[str]) -> dict[str, Any]:
    """Machine and versions; `peers` are those of the run."""
    versions = {name: v for peer in peers for name, v in PEERS[peer].versions().items()}
    release = platform.freedesktop_os_release() if platform.system() == "Linux" else {}
    return {
        "processor": processor(),
        "cpus": bpfast.get_num_threads(),
        "simd": str(bpfast.show_config("dicts")["simd"]),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "distribution": release.get("PRETTY_NAME", ""),
        "python": platform.python_version(),
        "blas": blas(),
        "versions": versions | {"numpy": version("numpy"), "bpfast": version("bpfast")},
    }


def load_average() -> float | None:
    """How many processes wanted a CPU over the last minute, where the system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
