import numpy as np
import pytest
from scipy import stats

from dae.statistics import decide, t_interval, two_way_bootstrap


def test_t_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=20)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert t_interval(values, 0.9) == pytest.approx((expected.low, expected.high))


def test_one_replicate_gives_no_interval():
    assert t_interval(np.array([0.9]), 0.95) is None
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
