"""Is the difference between the arms real, and does it matter?"""

from typing import Literal

import numpy as np
from scipy import stats

Interval = tuple[float, float]
Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


def t_interval(values: np.ndarray, confidence: float) -> Interval | None:
    """Student's confidence interval for the mean of `values`, of shape (n,); None for fewer than two values."""
    if len(values) < 2:
        return None
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def two_way_bootstrap(differences: np.ndarray, confidence: float, resamples: int, seed: int) -> Interval | None:
    """Confidence interval for a mean over replicates and test images, both drawn anew in each resample.

    The percentile interval of the pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007), which is somewhat
    wide rather than narrow.

    Args:
        differences: shape (replicates, images): for each test image, what one arm has over the other.
        confidence: level, in (0, 1).
        resamples: how many.
        seed: of the resampling.

    Returns:
        The interval, or None for fewer than two replicates.

    """
    n_replicates, n_images = differences.shape
    if n_replicates < 2:
        return None
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    for start in range(0, resamples, 250):
        size = min(250, resamples - start)
        replicate_weights = rng.multinomial(n_replicates, np.full(n_replicates, 1 / n_replicates), size)
        image_weights = np.stack(
            [np.bincount(rng.integers(0, n_images, n_images), minlength=n_images) for _ in range(size)]
        )
        sums = np.einsum("si,si->s", replicate_weights @ differences.astype(np.float64), image_weights)
        means[start : start + size] = sums / differences.size
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def decide(interval: Interval | None, margin: float) -> Verdict:
    """The verdict on a difference, from its confidence interval and the margin of practical equivalence.

    `equivalent` when the interval lies within the margin on either side of 0, whatever side of 0 it is on; else
    `better` or `worse` when it lies on one side of 0; else, or without an interval, `inconclusive`.
    """
    if interval is None:
        return "inconclusive"
    low, high = interval
    if -margin <= low and high <= margin:
        return "equivalent"
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "inconclusive"
