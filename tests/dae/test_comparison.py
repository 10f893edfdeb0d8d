"""Answers here are worked out by hand, from tables that are small enough for it."""

import numpy as np
import pandas as pd
import pytest

from dae import comparison


def runs(draw, dae):
    return pd.DataFrame({"draw": draw, "dae": dae})


@pytest.mark.parametrize(
    ("gains", "draw", "dae", "expected"),
    [
        # all spread is among draws: they gain 1 and 0, whose variance is 1/2
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 1, 0, 1], [0, 0, 1, 1], {"label_draw": 0.70711}),
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 0, 1, 1], [0, 1, 0, 1], {"dae": 0.70711}),
        # two runs of each draw differ by 1, the draws do not
        ([[1, 1, 1, 1], [0, 0, 0, 0]] * 2, [0, 0, 1, 1], [0, 0, 0, 0], {"initialisation": 0.70711}),
        # images gain 1, 1, 0, 0 in every run: their variance is 1/3, that of their mean 1/12
        ([[1, 1, 0, 0]] * 4, [0, 1, 0, 1], [0, 0, 1, 1], {"test_images": 0.28868}),
        ([[0, 0, 0, 0]] * 4, [0, 1, 0, 1], [0, 0, 1, 1], {}),
    ],
)
def test_the_spread_is_found_where_it_comes_from(gains, draw, dae, expected):
    nothing = dict.fromkeys(["label_draw", "dae", "initialisation", "test_images"], 0.0)
    found = comparison.spread(np.array(gains, np.int8), runs(draw, dae))
    assert found == pytest.approx(nothing | expected, abs=1e-5)


def test_summary_is_mean_deviation_and_t_interval():
    # t with 2 degrees of freedom is 4.3027 at 97.5 %: 4.3027 * 0.1 / sqrt(3) = 0.24841
    found = comparison.summary(np.array([0.8, 0.9, 1.0]), 0.95)
    assert found == {"mean": 0.9, "std": 0.1, "low": 0.65159, "high": 1.14841}


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
