import numpy as np
import pandas as pd
import pytest

from stages._params import load_params
from studies.label_curve import labels_worth, pays_up_to


@pytest.fixture(scope="module")
def params(root):
    return load_params(root / "params.yaml")


def curve(worth=2.0, noise=0.0, replicates=10):
    """The baseline's accuracy rises by 0.1 a decade; pre-training is as good as `worth` times as many labels."""
    rng = np.random.default_rng(0)
    rows = []
    for n in (50, 100, 500, 1000, 5000):
        for r in range(replicates):
            without, with_ = 0.5 + 0.1 * np.log10([n, worth * n]) + noise * rng.normal(size=2)
            rows.append({"n_labels": n, "replicate": r, "without": without, "with": with_})
    return pd.DataFrame(rows)


def test_labels_worth_is_read_off_the_baselines_curve(params):
    worth = labels_worth(curve(worth=2.0), params)
    assert worth == {"n_labels": 500, "extra": 500, "low": 500, "high": 500}


def test_the_interval_widens_with_the_noise_and_holds_the_truth(params):
    few, many = (labels_worth(curve(noise=0.01, replicates=n), params) for n in (10, 100))
    assert few["low"] < 500 < few["high"]
    assert few["high"] - few["low"] > many["high"] - many["low"]


def test_a_baseline_that_never_gets_there_has_no_number(params):
    assert labels_worth(curve(worth=100.0), params) is None


def test_a_curve_without_the_main_budget_has_no_number(params):
    assert labels_worth(curve().query("n_labels != 500"), params) is None


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["better", "better", "equivalent"], 100),
        (["better", "inconclusive", "better"], 50),
        (["worse", "better", "better"], None),
        (["better", "better", "better"], 500),
    ],
)
def test_pays_up_to_the_last_of_the_leading_better_ones(verdicts, expected):
    rows = [{"n_labels": n, "verdict": v} for n, v in zip([50, 100, 500], verdicts, strict=True)]
    assert pays_up_to(rows) == expected
