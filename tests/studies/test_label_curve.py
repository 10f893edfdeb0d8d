import json

import numpy as np
import pandas as pd
import pytest

from stages.common.params import load_params
from studies import label_curve
from studies._params import load_study_params
from studies._study import Study
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


def test_a_baseline_that_falls_with_more_labels_is_taken_at_its_best_so_far(params):
    """It has 0.75 halfway between 1,000 and 5,000 labels, in proportion: sqrt(1000 * 5000) is 2,236."""
    rows = [(100, 0.5, 0.6), (500, 0.7, 0.75), (1000, 0.65, 0.8), (5000, 0.8, 0.9)]
    table = pd.DataFrame(rows, columns=["n_labels", "without", "with"])
    assert labels_worth(table, params) == {"n_labels": 500, "extra": 1736, "low": 1736, "high": 1736}


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


ACCURACIES = {  # by the number of labels: without, with
    20: ([0.5, 0.6, 0.7], [0.6, 0.7, 0.8]),
    50: ([0.8, 0.8, 0.8], [0.8, 0.9, 0.85]),
    130: ([0.9, 0.9, 0.9], [0.9, 0.9, 0.9]),
}


def test_the_curve_of_three_numbers_of_labels(params, root, small_study, monkeypatch, drawn_by, encoders_of):
    asked = []

    def test(self, name, draws, settings, encoders):
        n_labels = len(draws[0])
        assert name == f"label curve {n_labels}"  # by which other studies have the same draws
        assert [rows.tolist() for rows in draws] == [self.draw(name, r, n_labels).tolist() for r in range(3)]
        asked.append((n_labels, len(draws), settings.steps, settings.learning_rate, len(encoders)))
        return ACCURACIES[n_labels][encoders != [()]]

    monkeypatch.setattr(Study, "test", test)
    encoders_of(label_curve)
    drawn = drawn_by(label_curve)
    changes = {"n_labels": [130, 20, 50], "replicates": 3, "min_epochs": 3}
    study_params = load_study_params(root / "studies" / "params.yaml")
    params = params.model_copy(
        update={
            "n_labels": 20,
            "pretrain": params.pretrain.model_copy(update={"models": 2}),
            "finetune": params.finetune.model_copy(update={"steps": 5, "batch_size": 50, "learning_rate": 0.5}),
            "baseline": params.baseline.model_copy(update={"steps": 6, "batch_size": 10, "learning_rate": 0.25}),
            "evaluate": params.evaluate.model_copy(update={"resamples": 100}),
        }
    )
    settings = study_params.label_curve.model_copy(update=changes)
    label_curve.main(params, study_params.model_copy(update={"label_curve": settings}))
    found = json.loads((small_study / "reports/studies/label_curve.json").read_text())
    # of three replicates that gain 0, 0.1 and 0.05, the half of the interval is 4.30265 * 0.05 / sqrt(3) = 0.12421
    rows = [
        (20, 3, 5, 6, 0.6, 0.7, 0.1, 0.1, 0.1, "better"),
        (50, 3, 5, 15, 0.8, 0.85, 0.05, -0.07421, 0.17421, "inconclusive"),
        (130, 3, 8, 39, 0.9, 0.9, 0.0, 0.0, 0.0, "equivalent"),  # 3 passes of 2.6 and of 13 batches
    ]
    assert [tuple(row.values()) for row in found["rows"]] == rows
    assert list(found["rows"][0])[2:9] == [
        "steps",
        "steps_without",
        "without",
        "with",
        "difference",
        "low",
        "high",
    ]
    assert found["pays_up_to"] == 20
    # the baseline has 0.7 halfway between 20 and 50 labels, in proportion: sqrt(20 * 50) is 32, 12 more than 20
    assert (found["worth"]["n_labels"], found["worth"]["extra"]) == (20, 12)
    assert [asked[i] for i in (0, 1, 4)] == [(20, 3, 6, 0.25, 1), (20, 3, 5, 0.5, 2), (130, 3, 39, 0.25, 1)]
    table = pd.read_csv(small_study / "reports/studies/label_curve.csv")
    assert table.to_numpy().tolist()[2:4] == [[20, 3, 0.7, 0.8], [50, 1, 0.8, 0.8]]
    shown, rows, margin, worth = drawn["label_curve"]
    assert (rows, margin) == (found["rows"], params.evaluate.margin)
    assert len(shown) == 9
    assert worth == found["worth"]
