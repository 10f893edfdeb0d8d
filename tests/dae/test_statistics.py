from itertools import product

import numpy as np
import pytest
from scipy import stats

from dae.statistics import (
    decide,
    effect_size,
    signed_rank_p_value,
    smallest_difference,
    t_interval,
    two_way_bootstrap,
    variance_components,
    win_probability,
)
from stages.common.params import load_params
from stages.split import plan


def test_t_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=20)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert t_interval(values, 0.9) == pytest.approx((expected.low, expected.high))


def test_one_replicate_gives_no_interval():
    assert two_way_bootstrap(np.ones((1, 5)), 0.95, 100, 0) is None


def test_the_bootstrap_follows_its_seed_and_holds_the_mean():
    differences = np.random.default_rng(0).integers(-1, 2, (20, 500))
    first, again, other = (two_way_bootstrap(differences, 0.95, 500, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first[0] < differences.mean() < first[1]


def test_the_bootstrap_sees_both_sources_of_variation():
    """Where only replicates vary, or only images, the interval is as wide as theory says for that source."""
    rng = np.random.default_rng(0)
    by_replicate = np.repeat(rng.normal(size=(40, 1)), 200, axis=1)
    by_image = np.repeat(rng.normal(size=(1, 200)), 40, axis=0)
    for values, means in ((by_replicate, by_replicate[:, 0]), (by_image, by_image[0])):
        low, high = two_way_bootstrap(values, 0.95, 4000, 1)
        assert high - low == pytest.approx(2 * 1.96 * means.std() / np.sqrt(len(means)), rel=0.08)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.01, 0.02), "better"),
        ((0.001, 0.02), "better"),
        ((-0.02, -0.01), "worse"),
        ((-0.004, 0.004), "equivalent"),
        ((0.001, 0.004), "equivalent"),
        ((-0.001, 0.02), "inconclusive"),
        ((-0.02, 0.004), "inconclusive"),
        ((-0.02, 0.02), "inconclusive"),
        (None, "inconclusive"),
    ],
)
def test_the_rule_of_the_verdict(interval, verdict):
    assert decide(interval, margin=0.005) == verdict


def simulate(effect, rng, replicates=20, images=400):
    """Differences in {-1, 0, 1} whose expectation is `effect`, with effects of replicates and of images."""
    tendency = effect + 0.03 * rng.normal(size=(replicates, 1)) + 0.08 * rng.normal(size=(1, images))
    changed = rng.random((replicates, images))
    return np.where(changed < np.abs(tendency), np.sign(tendency), 0).astype(np.int8)


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.2])
def test_the_interval_covers_the_true_difference_as_often_as_it_says(effect):
    """Simulated experiments with a known difference: none, small, large. The bootstrap may be wide, never narrow."""
    rng, n = np.random.default_rng(1), 300
    covered = widths = 0
    for number in range(n):
        differences = simulate(effect, rng)
        low, high = two_way_bootstrap(differences, 0.95, 300, number)
        covered += low <= effect <= high
        widths += high - low
    assert 0.93 <= covered / n <= 0.995
    assert widths / n < 0.06


@pytest.mark.parametrize(
    ("effect", "margin", "verdict"),
    [(0.2, 0.005, "better"), (-0.2, 0.005, "worse"), (0.0, 0.1, "equivalent"), (0.01, 0.001, "inconclusive")],
)
def test_each_verdict_comes_out_where_it_should(effect, margin, verdict):
    rng = np.random.default_rng(2)
    verdicts = [decide(two_way_bootstrap(simulate(effect, rng), 0.95, 300, s), margin) for s in range(20)]
    assert verdicts.count(verdict) >= 17


def test_p_value_effect_size_and_win_probability_of_known_cases():
    rng = np.random.default_rng(3)
    gains = rng.normal(2.0, 1.0, 200)
    assert effect_size(gains) == pytest.approx(2.0, abs=0.2)
    assert win_probability(gains) == pytest.approx(stats.norm.cdf(2.0), abs=0.02)
    assert win_probability(-gains) == pytest.approx(1 - win_probability(gains))
    assert signed_rank_p_value(gains[:20]) < 1e-4
    null = [signed_rank_p_value(rng.normal(size=20)) for _ in range(400)]
    assert np.mean(np.less(null, 0.05)) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize(
    ("gains", "p_value"),
    [
        (np.array([0.01]), 1.0),
        (np.zeros(5), 1.0),
        (np.full(5, 0.01), 2 / 2**5),  # all five above 0, or all below
    ],
)
def test_cases_without_spread_have_no_effect_size_but_a_p_value(gains, p_value):
    assert effect_size(gains) is None
    assert win_probability(gains) is None
    assert signed_rank_p_value(gains) == p_value


@pytest.mark.parametrize("n", [1, 2, 5, 12, 20, 40])
def test_the_p_value_without_ties_is_scipys_exact_one(n):
    rng = np.random.default_rng(n)
    for effect in (0.0, 0.3, -0.6):
        gains = rng.normal(effect, 1, n)
        expected = stats.wilcoxon(gains, method="exact").pvalue
        assert signed_rank_p_value(gains) == pytest.approx(expected, rel=1e-9)


def enumerated(gains: np.ndarray) -> float:
    """The p value from all ways to give the differences a sign, with differences in images."""
    gains = gains[gains != 0]
    ranks = stats.rankdata(np.abs(gains))
    sums = np.array([ranks[np.array(signs)].sum() for signs in product([False, True], repeat=len(gains))])
    found = ranks[gains > 0].sum()
    return min(1.0, 2 * min((sums <= found).mean(), (sums >= found).mean()))


@pytest.mark.parametrize("seed", range(8))
def test_the_p_value_with_ties_and_zeros_is_that_of_an_enumeration(seed):
    """Differences in images of 10,000, as fractions whose last digits often differ where the images are equal."""
    rng = np.random.default_rng(seed)
    images = rng.integers(-3, 6, 11)
    without = rng.integers(8000, 9900, 11)
    fractions = (without + images) / 10_000 - without / 10_000
    assert len(np.unique(np.abs(images))) < 11
    assert signed_rank_p_value(fractions) == pytest.approx(enumerated(images), rel=1e-9)


def test_the_p_value_is_the_same_whichever_arm_is_called_the_first():
    gains = np.array([3, -1, 2, 2, 5, 0, -2, 4]) / 100
    assert signed_rank_p_value(gains) == pytest.approx(signed_rank_p_value(-gains))
    assert 0.05 < signed_rank_p_value(gains) < 0.5


@pytest.mark.parametrize(("n", "confidence", "power"), [(3, 0.95, 0.8), (20, 0.95, 0.8), (20, 0.99, 0.5)])
def test_the_smallest_difference_is_found_as_often_as_is_asked(n, confidence, power):
    """Simulated experiments whose true difference it is, each with scipy's t test."""
    difference = smallest_difference(0.02, n, confidence, power)
    samples = np.random.default_rng(0).normal(difference, 0.02, (20_000, n))
    found = stats.ttest_1samp(samples, 0, axis=1).pvalue < 1 - confidence
    assert found.mean() == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / 20_000))


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_smallest_difference_grows_with_the_deviation_and_shrinks_with_the_pairs(confidence):
    found = [smallest_difference(1.0, n, confidence) for n in (2, 3, 20, 1000)]
    assert found == sorted(found, reverse=True)
    assert smallest_difference(2.5, 20, confidence) == pytest.approx(2.5 * found[2])
    # of many pairs the test is one of normal means
    expected = (stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(0.8)) / np.sqrt(1000)
    assert found[3] == pytest.approx(expected, rel=0.01)
    assert smallest_difference(0.0, 20, confidence) == 0
    assert smallest_difference(1.0, 1, confidence) is None


def test_variance_components_are_right_on_average(root):
    """The pipeline's own plan of runs: 20 draws, 9 repeats, 5 dAEs; known variances, many experiments."""
    runs = plan(load_params(root / "params.yaml"))
    draws, daes = runs["draw"].to_numpy(), runs["dae"].to_numpy()
    assert (len(runs), draws.max(), daes.max()) == (29, 19, 4)
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(1000):
        values = 3 * rng.normal(size=20)[draws] + 2 * rng.normal(size=5)[daes] + rng.normal(size=29)
        estimates.append(variance_components(values, {"draw": draws, "dae": daes}))
    assert np.mean([e["draw"] for e in estimates]) == pytest.approx(9, rel=0.1)
    assert np.mean([e["dae"] for e in estimates]) == pytest.approx(4, rel=0.2)
    assert np.mean([e["rest"] for e in estimates]) == pytest.approx(1, rel=0.15)


def test_variance_components_without_repeats_or_with_one_dae_are_still_numbers():
    values = np.random.default_rng(0).normal(size=10)
    parts = variance_components(values, {"draw": np.arange(10), "dae": np.zeros(10)})
    assert parts["draw"] + parts["rest"] == pytest.approx(values.var(ddof=1), rel=0.01)
    assert variance_components(np.zeros(10), {"draw": np.arange(10)}) == {"draw": 0.0, "rest": 0.0}
