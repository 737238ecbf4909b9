"""SIMD levels: those of this machine, and the environment that holds every library to one."""

import functools
import os
import subprocess
import sys

import numpy as np

TELL = "import bpfast; print(bpfast.show_config('dicts')['simd'])"
VARIABLE = "BPFAST_SIMD"
ALL = ("avx512", "avx2", "neon", "baseline")

# The levels below the machine's widest that peers can be held to, with what holds each of them.
LIMITS = {
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels, and the width of torch.compile's
        "DNNL_MAX_CPU_ISA": "AVX2",  # oneDNN, the older name
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "TORCHINDUCTOR_CPP_MARCH": "x86-64-v3",  # the C++ compiler of torch.compile
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",  # what XLA compiles itself
    },
}
# XLA takes its matrix products from YNNPACK, which chooses kernels by CPUID alone. Without it they
# are Eigen's, which keep to XLA's level.
WITHOUT_YNNPACK = "--xla_cpu_experimental_ynn_fusion_type="


@functools.cache
def widest() -> str:
    """The widest level of this machine, whatever the environment asks for."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [sys.executable, "-P", "-c", TELL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def available() -> list[str]:
    """The levels that a run can have here, the widest first."""
    return [widest(), *(LIMITS if widest() == "avx512" else ())]


def is_limit(level: str) -> bool:
    """Whether the level is below the machine's widest, so that peers have to be held to it."""
    return level != widest()


@functools.cache
def environment(level: str) -> dict[str, str]:
    """The variables that hold bpfast and every peer to a level."""
    held = {VARIABLE: level}
    if is_limit(level):
        held |= LIMITS[level] | {"NPY_DISABLE_CPU_FEATURES": " ".join(wider_than_avx2())}
        flags = f"{held['XLA_FLAGS']} {WITHOUT_YNNPACK}"
        if xla_accepts(flags):
            held["XLA_FLAGS"] = flags
    return held


def wider_than_avx2() -> list[str]:
    """NumPy's names of the features of this machine that AVX2 does not have."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [name for name in found if name.startswith("AVX512") or name == "X86_V4"]


def xla_accepts(flags: str) -> bool:
    """Whether this version of JAX starts with these flags; it ends the process where not."""
    command = [sys.executable, "-P", "-c", "import jax; jax.devices()"]
    known = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, env=known, capture_output=True, check=False)
    return done.returncode == 0


if __name__ == "__main__":  # for the Makefile
    print("\n".join(available()))
