"""Stores a network's weights in few bits each."""

import numpy as np


def quantise(kernel: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Round the weights of each output unit to multiples of a step of its own.

    The step is such that the unit's largest weight is the largest multiple. No weight changes by more than half a step.

    Args:
        kernel: float32 array of shape (inputs, units).
        bits: of a weight, 8 or 16.

    Returns:
        The multiples, int8 or int16 of the shape of `kernel`, and the steps, float32 of shape (units,); the kernel is
        about their product. A unit of which all weights are 0 has the step 1.
    """
    kind = np.dtype(f"i{bits // 8}")
    steps = np.abs(kernel).max(axis=0) / np.float32(np.iinfo(kind).max)
    steps[steps == 0] = 1
    return np.round(kernel / steps).astype(kind), steps
