"""The same work by several contenders: each is a module here, with a function for each task that it can do.

The tasks are in benchmarks/tasks.py: `pretrain`, `replicates` and `limit` for all contenders in `NAMES`, `step` only
for `ours_step`.
"""

from importlib.util import find_spec

NAMES = {  # module: name in the results
    "ours": "ours",
    "keras_fit": "Keras `fit`",
    "keras_step": "Keras `train_step`",
    "torch_eager": "PyTorch eager",
}


def has_torch() -> bool:
    """Whether PyTorch is installed, which the project itself does not need."""
    return find_spec("torch") is not None


def available() -> list[str]:
    """The contenders whose libraries are installed."""
    return [name for name in NAMES if name != "torch_eager" or has_torch()]
