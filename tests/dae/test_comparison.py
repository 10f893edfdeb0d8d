"""Answers here are worked out by hand, from tables that are small enough for it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from dae import comparison
from dae.statistics import signed_rank_p_value, smallest_difference
from stages.common.params import load_params
from stages.split import plan


def runs(draw, dae):
    return pd.DataFrame({"draw": draw, "dae": dae})


SOURCES = ("label_draw", "dae", "seed", "test_images", "images_by_run")


@pytest.mark.parametrize(
    ("gains", "draw", "dae", "expected"),
    [
        # all spread is among draws: they gain 1 and 0, whose variance is 1/2
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 1, 0, 1], [0, 0, 1, 1], {"label_draw": 0.70711}),
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 0, 1, 1], [0, 1, 0, 1], {"dae": 0.70711}),
        # two runs of each draw differ by 1, the draws do not
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 0, 1, 1], [0, 0, 0, 0], {"seed": 0.70711}),
        # images gain 1, 1, 0, 0 in every run: their variance is 1/3, that of their mean 1/12
        ([[1, 1, 0, 0]] * 4, [0, 1, 0, 1], [0, 0, 1, 1], {"test_images": 0.28868}),
        ([[0, 0, 0, 0]] * 4, [0, 1, 0, 1], [0, 0, 1, 1], {}),
    ],
)
def test_the_spread_is_found_where_it_comes_from(gains, draw, dae, expected):
    found = comparison.spread(np.array(gains, np.int8), runs(draw, dae), 0.95, 100, 0)
    assert list(found) == [*SOURCES, "total"]
    deviations = {source: parts["deviation"] for source, parts in found.items()}
    total = sum(deviation**2 for deviation in expected.values()) ** 0.5
    assert deviations == pytest.approx(dict.fromkeys(SOURCES, 0.0) | expected | {"total": total}, abs=1e-5)


def test_what_is_left_of_a_table_of_runs_and_images_is_their_interaction():
    """Run 1 gains image 1, run 2 gains image 2: neither runs nor images differ."""
    found = comparison.spread(np.array([[1, 0], [0, 1]]), runs([0, 1], [0, 0]), 0.95, 100, 0)
    deviations = {source: parts["deviation"] for source, parts in found.items()}
    # all four values are 1/2 from what is expected; their sum of squares, 1, has one degree of freedom; two images
    assert deviations == pytest.approx(dict.fromkeys(SOURCES, 0.0) | {"images_by_run": 0.707107, "total": 0.707107})


@pytest.fixture(scope="module")
def simulated(root):
    """The spread in simulated experiments with the pipeline's own plan of runs and known deviations of 300 images."""
    planned = plan(load_params(root / "params.yaml"))
    draws, daes = planned["draw"].to_numpy(), planned["dae"].to_numpy()
    rng, found = np.random.default_rng(0), []
    for seed in range(80):
        by_run = 0.03 * rng.normal(size=20)[draws] + 0.02 * rng.normal(size=5)[daes] + 0.01 * rng.normal(size=29)
        gains = by_run[:, None] + 0.05 * rng.normal(size=300) + 0.2 * rng.normal(size=(29, 300))
        found.append(comparison.spread(gains, planned, 0.9, 100, seed))
    truth = {
        "label_draw": 0.03,
        "dae": 0.02,
        "seed": 0.01,
        "test_images": 0.05 / 300**0.5,
        "images_by_run": 0.2 / 300**0.5,
    }
    return truth, found


def test_the_variances_of_simulated_experiments_are_right_on_average(simulated):
    truth, experiments = simulated
    for source, deviation in truth.items():
        variances = [found[source]["deviation"] ** 2 for found in experiments]
        error = np.std(variances) / np.sqrt(len(experiments))
        assert np.mean(variances) == pytest.approx(deviation**2, abs=3.5 * error), source
        assert error < 0.25 * deviation**2
    for found in experiments:
        total = sum(found[source]["deviation"] ** 2 for source in truth) ** 0.5
        assert found["total"] == {"deviation": pytest.approx(total, abs=2e-6)}


def test_the_intervals_of_simulated_experiments_are_rough_but_hold_the_truth_mostly(simulated):
    truth, experiments = simulated
    for source in ("label_draw", "dae", "seed"):
        held = [found[source]["low"] <= truth[source] <= found[source]["high"] for found in experiments]
        assert 0.65 < np.mean(held) <= 1, source
        # they are narrow enough to tell the sources of this size from one ten times as large
        assert np.mean([found[source]["high"] for found in experiments]) < 3 * truth[source]
    for source in ("test_images", "images_by_run"):  # here only the runs are drawn again, and not the images
        for found in experiments:
            low, best, high = (found[source][key] for key in ("low", "deviation", "high"))
            assert best * 0.6 < low < best * 1.005
            assert best * 0.995 < high < best * 1.4


def test_the_intervals_follow_their_seed_and_level(root):
    planned = plan(load_params(root / "params.yaml"))
    gains = np.random.default_rng(0).integers(-1, 2, (29, 50)) + np.arange(29)[:, None] % 5
    first, again, other, wide = (
        comparison.spread(gains, planned, *how) for how in ((0.8, 100, 1), (0.8, 100, 1), (0.8, 100, 2), (0.99, 100, 1))
    )
    assert first == again != other
    for source in SOURCES:
        assert first[source]["deviation"] == other[source]["deviation"] == wide[source]["deviation"]
        assert wide[source]["low"] <= first[source]["low"] <= first[source]["high"] <= wide[source]["high"]
    assert wide["label_draw"]["low"] < wide["label_draw"]["high"]


def test_a_single_run_has_a_spread_of_images_alone():
    found = comparison.spread(np.array([[1, 1, 0, 0]]), runs([0], [0]), 0.95, 100, 0)
    assert [found[source]["deviation"] for source in SOURCES] == pytest.approx([0, 0, 0, 0.28868, 0], abs=1e-5)


def test_the_confusions_that_change_most_are_told_in_images_a_replicate():
    matrices = {
        "without": np.array([[90, 8, 0, 2], [1, 80, 6, 3], [0, 0, 90, 0], [4, 0, 0, 70]]),
        "with": np.array([[70, 2, 0, 7], [1, 99, 2, 3], [0, 1, 90, 0], [3, 0, 0, 70]]),
    }
    found = comparison.largest_changes(matrices, replicates=4, n=2)
    assert found == {
        "rarer": [{"true": 0, "predicted": 1, "images": -1.5}, {"true": 1, "predicted": 2, "images": -1.0}],
        "commoner": [{"true": 0, "predicted": 3, "images": 1.25}, {"true": 2, "predicted": 1, "images": 0.25}],
    }
    # what does not change is in neither list, however short they are
    every = comparison.largest_changes(matrices, replicates=4, n=20)
    assert [row["images"] for row in every["rarer"]] == [-1.5, -1.0, -0.25]
    assert [row["images"] for row in every["commoner"]] == [1.25, 0.25]
    swapped = comparison.largest_changes({"with": matrices["without"], "without": matrices["with"]}, 4, 1)
    assert swapped["rarer"] == [{"true": 0, "predicted": 3, "images": -1.25}]


def test_the_paired_difference_tells_the_smallest_that_so_many_replicates_find():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    tables = {
        arm: comparison.measure(softmax(rng.normal(size=(6, 200, 10)) + 3 * np.eye(10)[labels], axis=2), labels)
        for arm in ("with", "without")
    }
    found = comparison.paired_difference(tables, (-0.1, 0.2), 0.9)
    gains = (tables["with"] - tables["without"])["accuracy"].to_numpy()
    expected = smallest_difference(gains.std(ddof=1), 6, 0.9)
    assert found["accuracy"]["smallest"] == pytest.approx(expected, abs=1e-6)
    assert found["accuracy"]["p_value"] == pytest.approx(signed_rank_p_value(gains), rel=0.05)
    assert (found["accuracy"]["two_way_low"], found["accuracy"]["two_way_high"]) == (-0.1, 0.2)
    one = {arm: table[:1] for arm, table in tables.items()}
    assert comparison.paired_difference(one, None, 0.9)["accuracy"]["smallest"] is None


def test_summary_is_mean_deviation_and_t_interval():
    # t with 2 degrees of freedom is 4.302653 at 97.5 %: 4.302653 * 0.1 / sqrt(3) = 0.248414
    found = comparison.summary(np.array([0.8, 0.9, 1.0]), 0.95)
    assert found == {"mean": 0.9, "std": 0.1, "low": 0.651586, "high": 1.148414}


def test_one_replicate_has_a_mean_alone():
    assert comparison.summary(np.array([0.8]), 0.95) == {"mean": 0.8, "std": None, "low": None, "high": None}


def test_shares_of_a_confusion_matrix_are_of_the_true_class():
    table = comparison.confusion_cells(np.array([[3, 1, 0], [2, 6, 0], [0, 0, 0]]))
    assert table.to_dict("list") == {
        "true": [0, 0, 0, 1, 1, 1, 2, 2, 2],
        "predicted": [0, 1, 2, 0, 1, 2, 0, 1, 2],
        "images": [3, 1, 0, 2, 6, 0, 0, 0, 0],
        "share": [0.75, 0.25, 0, 0.25, 0.75, 0, 0, 0, 0],
    }


def test_reliability_is_the_mean_over_all_images_of_a_bin():
    probabilities = np.array([[[0.94, 0.06], [0.98, 0.02], [0.6, 0.4]], [[0.96, 0.04], [0.04, 0.96], [0.4, 0.6]]])
    table = comparison.reliability_table(probabilities, np.array([0, 1, 0]))
    assert table["images"].tolist() == [2, 4]  # in the bins of 0.6 and of 0.94 to 0.98; no other bin has any
    assert table["confidence"].tolist() == pytest.approx([0.6, 0.96])
    assert table["accuracy"].tolist() == [0.5, 0.75]
