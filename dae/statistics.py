"""Statistics of the difference between the arms: is it real, and does it matter?"""

import warnings
from typing import Literal

import numpy as np
from scipy import optimize, stats

Interval = tuple[float, float]
Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


def t_interval(values: np.ndarray, confidence: float) -> Interval:
    """Student's confidence interval, of level `confidence`, for the mean of two or more `values`, of shape (n,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # values that are all equal have an interval of width 0
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    return float(low), float(high)


def two_way_bootstrap(differences: np.ndarray, confidence: float, resamples: int, seed: int) -> Interval | None:
    """Confidence interval for a mean over replicates and test images; each resample draws both with replacement.

    It is the percentile interval of the pigeonhole bootstrap (Owen, Annals of Applied Statistics 1, 2007), which is
    conservative: the interval is rather too wide than too narrow.

    Args:
        differences: shape (replicates, images): the difference between the arms on each test image.
        confidence: level, in (0, 1).
        resamples: number of resamples.
        seed: for the resampling.

    Returns:
        The interval, or None for fewer than two replicates.
    """
    n_replicates, n_images = differences.shape
    if n_replicates < 2:
        return None
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    for start in range(0, resamples, 250):  # 250 at a time, which bounds the memory
        size = min(250, resamples - start)
        replicate_weights = rng.multinomial(n_replicates, np.full(n_replicates, 1 / n_replicates), size)
        image_weights = np.stack(
            [np.bincount(rng.integers(0, n_images, n_images), minlength=n_images) for _ in range(size)]
        )
        sums = np.einsum("si,si->s", replicate_weights @ differences.astype(np.float64), image_weights)
        means[start : start + size] = sums / differences.size
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def signed_rank_p_value(differences: np.ndarray) -> float:
    """Exact two-sided p value of Wilcoxon's signed-rank test: are paired differences, shape (n,), symmetric about 0?

    Differences of 0 are left out; equal ones share their mean rank. The distribution of the sum of the positive ranks
    is computed for these ranks, as SciPy has it only for ranks without ties. Without a difference the p value is 1.
    """
    differences = differences[differences != 0]
    doubled = np.rint(2 * stats.rankdata(np.round(np.abs(differences), 9))).astype(int)  # whole numbers
    chances = np.ones(1)  # of each value of the sum
    for rank in doubled:
        chances = 0.5 * (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0)))
    found = doubled[differences > 0].sum()
    return float(min(1.0, 2 * min(chances[: found + 1].sum(), chances[found:].sum())))


def smallest_difference(deviation: float, n: int, confidence: float, power: float = 0.8) -> float | None:
    """The smallest mean difference that a two-sided t test of n pairs finds with probability `power`.

    Args:
        deviation: standard deviation of the paired differences; the result has its unit.
        n: number of pairs.
        confidence: 1 minus the level of the test.
        power: in (1 - confidence, 1).

    Returns:
        The difference, or None for fewer than two pairs.
    """
    if n < 2:
        return None
    limit = stats.t.ppf((1 + confidence) / 2, n - 1)
    # the test's power grows with the noncentrality, the difference in units of the mean's standard error
    noncentrality = optimize.brentq(lambda x: stats.nct.sf(limit, n - 1, x) - power, 0, 10 * limit + 10)
    return float(noncentrality * deviation / np.sqrt(n))


def effect_size(differences: np.ndarray) -> float | None:
    """Cohen's d of paired differences, shape (n,): mean over standard deviation; None if they do not vary."""
    spread = differences.std(ddof=1) if len(differences) > 1 else 0.0
    return float(differences.mean() / spread) if spread > 0 else None


def win_probability(differences: np.ndarray) -> float | None:
    """Probability that the next replicate's difference is above 0, from paired differences of shape (n,).

    It comes from the predictive t distribution of a normal sample with unknown mean and variance (Gelman et al.,
    Bayesian Data Analysis, 2013, section 3.2). None if the differences do not vary.
    """
    n, effect = len(differences), effect_size(differences)
    return None if effect is None else float(stats.t.cdf(effect / np.sqrt(1 + 1 / n), n - 1))


def variance_components(values: np.ndarray, factors: dict[str, np.ndarray]) -> dict[str, float]:
    """Split the variance of values among crossed random factors and a rest; the design may be unbalanced.

    The model is value = mean + an effect of each factor's level + rest, all independent. MINQUE (Rao, Journal of
    Multivariate Analysis 1, 1971), with equal variances as its prior guess, sets a quadratic form for each factor equal
    to its expectation, and solves for the variances. The estimates are unbiased, except that negative ones, which can
    occur near 0, are set to 0.

    Args:
        values: shape (n,).
        factors: the levels of each factor, by its name; arrays of shape (n,).

    Returns:
        The variance of each factor, by its name, and of `rest`, all at least 0. If the data cannot separate a factor
        from the rest, the two share their variance.
    """
    n, names = len(values), [*factors, "rest"]
    same_level = np.stack([*(np.equal.outer(levels, levels) for levels in factors.values()), np.eye(n)]).astype(float)
    inverse = np.linalg.inv(same_level.sum(axis=0))
    projection = inverse - np.outer(inverse.sum(axis=1), inverse.sum(axis=0)) / inverse.sum()
    weighted, residual = projection @ same_level, projection @ values
    expectations = np.einsum("iab,jba->ij", weighted, weighted)
    estimates = np.linalg.lstsq(expectations, residual @ same_level @ residual, rcond=1e-10)[0]
    return {name: max(0.0, float(estimate)) for name, estimate in zip(names, estimates, strict=True)}


def decide(interval: Interval | None, margin: float) -> Verdict:
    """The verdict on a difference, from its confidence interval and the margin of practical equivalence.

    `equivalent` if the interval lies within [-margin, margin]; else `better` if it lies above 0, or `worse` if it lies
    below 0; else, or without an interval, `inconclusive`.
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
