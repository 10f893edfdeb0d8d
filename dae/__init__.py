"""Computes: arrays in, arrays out.

Import this package before NumPy, TensorFlow and matplotlib. Results are then the same bytes, whatever the user has set
for these libraries: this module removes the environment variables that they read, except a few harmless ones, and sets
its own. Their settings files are overridden where they are imported: `dae.core.backend` for Keras,
`reporting.common.figures` for matplotlib.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Variables with these prefixes can change a result or stop a training: they set Keras's backend and number format,
# oneDNN's matrix products, compilation by XLA, kernels and threads of BLAS and OpenMP, and matplotlib's fonts.
FAMILIES = (
    *("KERAS_", "TF_", "XLA_", "ONEDNN_", "DNNL_", "CUBLAS_", "CUDNN_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "NPY_", "NUMEXPR_", "SKLEARN_"),
    *("MPL", "MATPLOTLIB", "JOBLIB_MULTIPROCESSING", "LOKY_PICKLER"),
)
# These set folders, log levels and GPU memory, and change no result.
HARMLESS = ("KERAS_HOME", "MPLCONFIGDIR", "TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR")

SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # without it, products are summed in another order
    "MPLBACKEND": "Agg",  # Jupyter names a backend of its own, which is not installed here
    # the last digits of a sum depend on the number of threads that share it
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
}
# Older instruction sets than the processor's best imitate other processors. `python -m tools.verify --arithmetic`
# chooses one with the environment variable DAE_ARITHMETIC.
ARITHMETICS = {
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "SSE41": {
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}


def settings(flags: str, arithmetic: str | None) -> dict[str, str]:
    """Environment variables to set, by name.

    Args:
        flags: the processor's features, separated by spaces, as in /proc/cpuinfo; empty if they are not known.
        arithmetic: a key of `ARITHMETICS`, or None for the processor's own instructions.
    """
    # OpenBLAS has a kernel for each kind of processor, and each rounds differently; most processors can run this one
    blas = {"OPENBLAS_CORETYPE": "Haswell"} if {"avx2", "fma"} <= set(flags.split()) else {}
    return SETTINGS | blas | ARITHMETICS.get(arithmetic or "", {})


def _settle() -> None:
    """Remove and set environment variables for this process and those that it starts."""
    for name in list(os.environ):
        if name.startswith(FAMILIES) and name not in HARMLESS:
            del os.environ[name]
    processor = Path("/proc/cpuinfo")
    lines = processor.read_text(encoding="utf-8", errors="replace").splitlines() if processor.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    os.environ.update(settings(flags, os.environ.get("DAE_ARITHMETIC")))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not all(map(_writable, _matplotlibs_folders())):
        # matplotlib would make a temporary folder too, but print a warning, and each forked process would remove it
        folder, owner = tempfile.mkdtemp(prefix="matplotlib-"), os.getpid()
        os.environ["MPLCONFIGDIR"] = folder
        atexit.register(_remove, folder, owner)


def _remove(folder: str, owner: int) -> None:
    """Remove a folder when its owner ends, and not when a process that the owner has forked ends."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _matplotlibs_folders() -> list[Path]:
    """The folders where matplotlib keeps its settings and its list of fonts."""
    if named := os.environ.get("MPLCONFIGDIR"):
        return [Path(named)]
    kinds = {"XDG_CONFIG_HOME": "~/.config", "XDG_CACHE_HOME": "~/.cache"}
    return [Path(os.environ.get(name) or Path(usual).expanduser(), "matplotlib") for name, usual in kinds.items()]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


_settle()
