"""Answers here are worked out by hand, from tables that are small enough for it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dae.metrics import METRICS
from stages import evaluate
from stages.common.params import load_params


def test_the_headline_has_the_interval_that_the_verdict_rests_on():
    accuracy = {"mean": 0.1, "low": 0.2, "high": 0.3, "two_way_low": 0.4, "two_way_high": 0.5}
    evaluation = {
        "verdict": "better",
        "difference": {"accuracy": accuracy, "calibration_error": {"mean": 0.6}},
        "with": {"accuracy": {"mean": 0.7}, "calibration_error": {"mean": 0.8}},
        "without": {"accuracy": {"mean": 0.9}, "calibration_error": {"mean": 1.0}},
    }
    assert list(evaluate.headline(evaluation).items()) == [
        ("verdict", "better"),
        ("gain", 0.1),
        ("gain_low", 0.4),
        ("gain_high", 0.5),
        ("with_acc", 0.7),
        ("without_acc", 0.9),
        ("with_ece", 0.8),
        ("without_ece", 1.0),
    ]


LABELS = np.array([0, 0, 1, 1], np.uint8)


@pytest.fixture
def compare(root, tmp_path, monkeypatch, drawn_by):
    """Run the stage on four test images of two classes, from which of them each run has right; the last run repeats.

    Every prediction is made with a confidence of 0.9.
    """
    monkeypatch.chdir(tmp_path)
    drawn = drawn_by(evaluate)
    params = load_params(root / "params.yaml")

    def run(without, with_):
        for folder in ("data/raw", "data/split", "data/baseline", "data/finetune", "reports/history"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        n = len(without)
        np.save("data/raw/test_labels.npy", LABELS)
        draws, daes, repeat = [*range(n - 1), 0], [r % 2 for r in range(n)], [False] * (n - 1) + [True]
        pd.DataFrame({"draw": draws, "seed": 7, "dae": daes, "repeat": repeat}).to_csv(
            "data/split/runs.csv", index=False
        )
        for folder, hits in (("baseline", without), ("finetune", with_)):
            predicted = np.where(np.array(hits) == 1, LABELS, 1 - LABELS)
            probabilities = np.where(predicted[:, :, None] == np.arange(2), 0.9, 0.1).astype(np.float32)
            np.save(f"data/{folder}/probabilities.npy", probabilities)
            losses = [
                {"run": number, "step": step, "loss": number * step + (folder == "finetune")}
                for number in range(1, n + 1)
                for step in (10, 20)
            ]
            pd.DataFrame(losses).to_csv(f"reports/history/{folder}.csv", index=False)
        pretraining = pd.DataFrame({"dae": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "loss": [0.4, 0.3, 0.2, 0.1]})
        pretraining.to_csv("reports/history/pretrain.csv", index=False)
        evaluate.main(params)
        return json.loads((tmp_path / "reports" / "evaluation.json").read_text()), drawn

    return run


GAINING = {
    "without": [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]],
    "with_": [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]],
}


def test_the_evaluation_of_three_replicates(compare):
    """They gain 0.5, 0.25 and 0; the repeat gains 1, and counts in the spread alone."""
    evaluation, _ = compare(**GAINING)
    accuracy = evaluation["difference"]["accuracy"]
    # 4.3027 * 0.25 / sqrt(3) = 0.62103
    assert {key: accuracy[key] for key in ("mean", "std", "low", "high")} == {
        "mean": 0.25,
        "std": 0.25,
        "low": -0.37103,
        "high": 0.87103,
    }
    assert accuracy["effect_size"] == 1.0
    # t = 1 / sqrt(4 / 3), whose probability with 2 degrees of freedom is 1/2 + t / (2 sqrt(2 + t ** 2))
    assert accuracy["win_probability"] == 0.7611
    # of the four ways to give 0.5 and 0.25 a sign, both above 0 and both below 0 are as far from a draw
    assert accuracy["p_value"] == 0.5
    without, with_ = evaluation["without"], evaluation["with"]
    assert {measure: without[measure]["mean"] for measure in METRICS} == {
        "accuracy": 0.75,
        "error": 0.25,
        "macro_f1": 0.68889,  # (2/3 + 0) / 2, (4/5 + 2/3) / 2 and 1
        "log_loss": 0.65467,  # a miss costs 2.30259, a hit 0.10536
        "brier": 0.42,  # a miss costs 1.62, a hit 0.02
        "calibration_error": 0.21667,  # 0.9 from 0.5, from 0.75 and from 1
    }
    assert {measure: with_[measure]["mean"] for measure in METRICS} == {
        "accuracy": 1.0,
        "error": 0.0,
        "macro_f1": 1.0,
        "log_loss": 0.10536,
        "brier": 0.02,
        "calibration_error": 0.1,
    }
    assert evaluation["difference"]["brier"]["mean"] == -0.4
    assert without["accuracy"]["std"] == 0.25
    assert (without["recall"], with_["recall"]) == ({"0": 1.0, "1": 0.5}, {"0": 1.0, "1": 1.0})
    # images gain 1/4, 1/4, 2/4 and 3/4 over the four runs: a variance of 0.05729, and a fourth of it that of the mean
    assert evaluation["spread"]["test_images"] == 0.11968


def test_the_verdict_rests_on_the_interval_over_replicates_and_images(compare):
    """All replicates gain the same image: the t interval has no width, but another image might have been drawn."""
    evaluation, drawn = compare([[0, 1, 1, 1]] * 3 + [[0, 0, 0, 0]], [[1, 1, 1, 1]] * 4)
    accuracy = evaluation["difference"]["accuracy"]
    assert (accuracy["low"], accuracy["mean"], accuracy["high"]) == (0.25, 0.25, 0.25)
    # how many of four drawn images are the one: 0 with a probability of 0.32, above 3 with 0.004, above 2 with 0.05
    assert (accuracy["two_way_low"], accuracy["two_way_high"]) == (0.0, 0.75)
    assert evaluation["verdict"] == "inconclusive"
    assert json.loads(Path("reports/metrics.json").read_text())["gain_high"] == 0.75
    _, mean, interval = drawn["paired"]
    assert (mean, interval) == (0.25, (0.0, 0.75))


def test_the_tables_of_three_replicates(compare):
    _, drawn = compare(**GAINING)
    runs = pd.read_csv("reports/replicates.csv")
    assert list(runs)[:4] == ["replicate", "dae", "repeat", "arm"]
    assert runs["replicate"].tolist() == [1, 2, 3, 1] * 2
    assert runs["dae"].tolist() == [1, 2, 1, 2] * 2
    assert runs["arm"].tolist() == ["without"] * 4 + ["with"] * 4
    assert runs["accuracy"].tolist() == [0.5, 0.75, 1, 0, 1, 1, 1, 1]
    confusion = pd.read_csv("reports/confusion.csv")
    assert confusion["images"].tolist() == [6, 0, 3, 3, 6, 0, 0, 6]
    assert confusion["share"].tolist() == [1, 0, 0.5, 0.5, 1, 0, 0, 1]
    assert confusion["arm"].tolist() == ["without"] * 4 + ["with"] * 4
    calibration = pd.read_csv("reports/calibration.csv")
    assert calibration.to_numpy().tolist() == [[12, 0.9, 0.75, "without"], [12, 0.9, 1, "with"]]

    accuracies, mean, _ = drawn["paired"]
    assert {arm: values.tolist() for arm, values in accuracies.items()} == {
        "without": [0.5, 0.75, 1],
        "with": [1, 1, 1],
    }
    assert mean == 0.25
    (matrices,) = drawn["confusion"]
    assert {arm: matrix.tolist() for arm, matrix in matrices.items()} == {
        "without": [[6, 0], [3, 3]],
        "with": [[6, 0], [0, 6]],
    }
    pretraining, arms, steps = drawn["learning_curves"]
    assert pretraining.tolist() == [[0.4, 0.3], [0.2, 0.1]]
    assert {arm: losses.tolist() for arm, losses in arms.items()} == {
        "without": [[10, 20], [20, 40], [30, 60]],
        "with": [[11, 21], [21, 41], [31, 61]],
    }
    assert steps.tolist() == [10, 20]


def test_a_single_replicate_has_no_interval_and_no_verdict(compare):
    evaluation, _ = compare([[1, 1, 0, 0], [1, 1, 0, 0]], [[1, 1, 1, 1], [1, 1, 1, 1]])
    accuracy = evaluation["difference"]["accuracy"]
    assert evaluation["verdict"] == "inconclusive"
    assert accuracy["mean"] == 0.5
    gaps = ("std", "low", "high", "two_way_low", "two_way_high", "effect_size", "win_probability")
    assert [accuracy[key] for key in gaps] == [None] * 7
