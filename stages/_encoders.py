"""Saves and loads the encoders that the stage pretrain trains."""

import numpy as np

from stages.common.files import load_arrays, save_arrays

PATH = "data/pretrain/encoders.npz"


def save_encoders(encoders: list[list[np.ndarray]]) -> None:
    """Save the encoders, one list `[kernel_1, bias_1, ...]` a dAE."""
    save_arrays(PATH, *(array for encoder in encoders for array in encoder))


def load_encoders(models: int) -> list[list[np.ndarray]]:
    """Load the encoders of `models` dAEs, one list `[kernel_1, bias_1, ...]` a dAE."""
    arrays = list(load_arrays(PATH).values())
    size = len(arrays) // models
    return [arrays[i : i + size] for i in range(0, len(arrays), size)]
