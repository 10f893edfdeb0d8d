"""The tasks of the contenders, and the shapes of the networks in them.

This module imports nothing large, because its memory counts as a contender's.
"""

from dataclasses import dataclass
from itertools import pairwise

PIXELS = 28 * 28
CLASSES = 10
Answer = dict[str, float]
Shapes = list[tuple[int, int, int]]  # (m, k, n) for a product of an (m, k) and a (k, n) matrix


@dataclass(frozen=True)
class Pretraining:
    """Train dAEs, one after the other or at the same time, with binary cross-entropy, Adam and a cosine schedule.

    Masked images are divided by the share of pixels kept.

    The answer has `seconds`, and `loss`, the mean over the last dAE's last epoch.
    """

    units: list[int]
    n: int
    batch_size: int
    epochs: int
    learning_rate: float
    corruption: str
    noise: float
    models: int


@dataclass(frozen=True)
class Replicates:
    """Train pairs of classifiers with masking, dropout, cross-entropy, Adam and a cosine schedule; predict test images.

    Masked images are divided by the share of pixels kept.

    One classifier of a pair starts from an encoder, the other from random weights. Only our own code uses `n_jobs`
    processes. The answer has `seconds`, and `accuracy`, the mean on the test images.
    """

    units: list[int]
    n_labels: int
    batch_size: int
    steps: int
    learning_rate: float
    masking: float
    dropout: float
    n_test: int
    pairs: int
    n_jobs: int


@dataclass(frozen=True)
class Limit:
    """Multiply float32 matrices for at least `seconds`.

    The answer has rates in floating-point operations a second: `large` for square matrices with `size` rows, `shapes`
    for the matrix products of a step of pre-training.
    """

    units: list[int]
    batch_size: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Step:
    """Train a dAE, or a classifier if `classify`, with our own code, and measure each piece of a step separately.

    The answer has milliseconds a step, from a loop of `steps` steps.
    """

    units: list[int]
    n: int
    batch_size: int
    steps: int
    noise: float
    dropout: float
    classify: bool


Task = Pretraining | Replicates | Limit | Step
TASKS: dict[str, type[Task]] = {"pretrain": Pretraining, "replicates": Replicates, "limit": Limit, "step": Step}


def autoencoder_widths(units: list[int]) -> list[int]:
    """Widths of all layers of an autoencoder, from the image to its reconstruction."""
    return [PIXELS, *units, *units[-2::-1], PIXELS]


def classifier_widths(units: list[int]) -> list[int]:
    """Widths of all layers of a classifier, from the image to the classes."""
    return [PIXELS, *units, CLASSES]


def products(widths: list[int], batch_size: int) -> Shapes:
    """The matrix products of a training step, for dense layers of these widths."""
    layers = list(pairwise(widths))
    forward = [(batch_size, a, b) for a, b in layers]
    kernels = [(a, batch_size, b) for a, b in layers]
    inputs = [(batch_size, b, a) for a, b in layers[1:]]  # the images need no gradient
    return forward + kernels + inputs


def operations(shapes: Shapes) -> int:
    """Floating-point operations of matrix products."""
    return sum(2 * m * k * n for m, k, n in shapes)
