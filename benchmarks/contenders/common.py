"""What the contenders share: the data, initial weights, and the rate of matrix products."""

import os
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tasks import Answer, Limit, Shapes, autoencoder_widths, operations, products

RAW = Path(os.environ.get("BENCH_DATA", "data/raw"))


def images(part: str, n: int) -> np.ndarray:
    """The first n images of `train` or `test`, uint8 of shape (n, pixels)."""
    return np.load(RAW / f"{part}_images.npy", allow_pickle=False)[:n].reshape(n, -1)


def scaled(part: str, n: int) -> np.ndarray:
    """The same images, float32 in [0, 1]."""
    return images(part, n).astype(np.float32) / 255


def labels(part: str, n: int) -> np.ndarray:
    """The labels of the first n images of `train` or `test`, uint8 of shape (n,)."""
    return np.load(RAW / f"{part}_labels.npy", allow_pickle=False)[:n]


def he_normal(widths: list[int], seed: int) -> list[np.ndarray]:
    """Random `[kernel_1, bias_1, ...]` of dense layers from width to width, float32 (He et al., ICCV 2015).

    Kernels are normal with variance 2 / fan-in, biases are 0.
    """
    rng = np.random.default_rng(seed)
    kernels = [rng.normal(0.0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(widths)]
    return [array for kernel in kernels for array in (kernel, np.zeros(kernel.shape[1], np.float32))]


def tensorflow_matrix(rows: int, columns: int) -> Any:
    """A random matrix of TensorFlow, float32."""
    from dae.core.backend import tf

    return tf.random.stateless_uniform((rows, columns), (1, 2))


def rate(shapes: Shapes, matrix: Callable[[int, int], Any], seconds: float) -> float:
    """Floating-point operations a second of matrix products, measured for at least `seconds` after a warm-up round.

    Args:
        shapes: of the products.
        matrix: function of rows and columns that returns a matrix.
        seconds: least duration.
    """
    pairs = [(matrix(m, k), matrix(k, n)) for m, k, n in shapes]
    for a, b in pairs:
        a @ b
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for a, b in pairs:
            a @ b
        rounds += 1
    return rounds * operations(shapes) / (time.perf_counter() - start)


def limit_of(task: Limit, matrix: Callable[[int, int], Any]) -> Answer:
    """The answer to `task` for the library whose matrices `matrix` makes, see `rate`."""
    shapes = {"large": [(task.size,) * 3], "shapes": products(autoencoder_widths(task.units), task.batch_size)}
    return {name: rate(found, matrix, task.seconds) for name, found in shapes.items()}
