"""Computes: arrays in, arrays out.

Whoever imports this package before NumPy, TensorFlow and matplotlib gets the same bytes, whatever is set for those in
the environment or in a file of theirs: the variables that they read are removed, but for a few, and set here. What they
read from files is dealt with where they are imported: `dae.backend` for Keras, `dae.figures` for matplotlib.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Each of these families can change a result or stop a training: another backend or number format of Keras, other
# products of oneDNN, compilation by XLA, other kernels or threads of BLAS and OpenMP, another font of matplotlib.
FAMILIES = (
    *("KERAS_", "TF_", "XLA_", "ONEDNN_", "DNNL_", "CUBLAS_", "CUDNN_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "NPY_", "NUMEXPR_", "SKLEARN_"),
    *("MPL", "MATPLOTLIB", "JOBLIB_MULTIPROCESSING", "LOKY_PICKLER"),
)
# Where things are kept, what is printed, and the memory of a GPU: these change no result.
HARMLESS = ("KERAS_HOME", "MPLCONFIGDIR", "TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR")

SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # without, products are summed in another order
    "MPLBACKEND": "Agg",  # Jupyter names a backend of its own, which is not installed here
    # a sum's last digits depend on how many threads share it
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
}
# Other instructions in place of the processor's best, as stand-ins for other processors: what `verify.py --arithmetic`
# sets by the variable DAE_ARITHMETIC.
ARITHMETICS = {
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "SSE41": {
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}


def settings(flags: str, arithmetic: str | None) -> dict[str, str]:
    """The variables to set on a processor.

    Args:
        flags: the processor's features, as /proc/cpuinfo names them; empty where they are not known.
        arithmetic: one of `ARITHMETICS`, or None for the processor's own.
    """
    # OpenBLAS has a kernel for each kind of processor, and each rounds in its own way: one that most can run
    blas = {"OPENBLAS_CORETYPE": "Haswell"} if {"avx2", "fma"} <= set(flags.split()) else {}
    return SETTINGS | blas | ARITHMETICS.get(arithmetic, {})


def _settle() -> None:
    for name in list(os.environ):
        if name.startswith(FAMILIES) and name not in HARMLESS:
            del os.environ[name]
    processor = Path("/proc/cpuinfo")
    lines = processor.read_text(encoding="utf-8", errors="replace").splitlines() if processor.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    os.environ.update(settings(flags, os.environ.get("DAE_ARITHMETIC")))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not all(map(_writable, _matplotlibs_folders())):
        # matplotlib would take a temporary folder too, but say so, and remove it in each process that a stage forks
        folder, owner = tempfile.mkdtemp(prefix="matplotlib-"), os.getpid()
        os.environ["MPLCONFIGDIR"] = folder
        atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))


def _matplotlibs_folders() -> list[Path]:
    """Where matplotlib keeps its settings and its list of fonts."""
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
