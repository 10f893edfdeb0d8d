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

    Every prediction is made with a confidence of 0.9. Every second image is watched: first all seem to be of class 0,
    then the class is predicted that the trained classifier predicts.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluate, "EVERY", 2)
    drawn = drawn_by(evaluate)
    params = load_params(root / "params.yaml")
    temperatures = params.temperatures.model_copy(update={"finetune": 2.0, "baseline": 3.0})
    params = params.model_copy(update={"temperatures": temperatures})

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
            watched = np.stack([np.zeros((n, 2)), predicted[:, ::2]], axis=1).astype(np.uint8)
            np.save(f"data/{folder}/watched.npy", watched)
            steps = {"finetune": (10, 20), "baseline": (5, 15)}[folder]
            losses = [
                {"run": number, "step": step, "loss": number * step + (folder == "finetune")}
                for number in range(1, n + 1)
                for step in steps
            ]
            pd.DataFrame(losses).to_csv(f"reports/history/{folder}.csv", index=False)
        losses = {"loss": [0.4, 0.3, 0.2, 0.1], "held_out": [0.8, 0.7, 0.6, 0.5]}
        pretraining = pd.DataFrame({"dae": [0, 0, 1, 1], "epoch": [1, 2, 1, 2]} | losses)
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
    # 4.302653 * 0.25 / sqrt(3) = 0.621034
    assert {key: accuracy[key] for key in ("mean", "std", "low", "high")} == {
        "mean": 0.25,
        "std": 0.25,
        "low": -0.371034,
        "high": 0.871034,
    }
    assert accuracy["effect_size"] == 1.0
    # t = 1 / sqrt(4 / 3), whose probability with 2 degrees of freedom is 1/2 + t / (2 sqrt(2 + t ** 2))
    assert accuracy["win_probability"] == 0.7611
    # of the four ways to give 0.5 and 0.25 a sign, both above 0 and both below 0 are as far from a draw
    assert accuracy["p_value"] == 0.5
    # a t test of three pairs needs 3.264044 standard deviations; scipy's noncentral t distribution
    assert accuracy["smallest"] == 0.816011
    without, with_ = evaluation["without"], evaluation["with"]
    assert {measure: without[measure]["mean"] for measure in METRICS} == {
        "accuracy": 0.75,
        "error": 0.25,
        "macro_f1": 0.688889,  # (2/3 + 0) / 2, (4/5 + 2/3) / 2 and 1
        "log_loss": 0.654667,  # a miss costs 2.302585, a hit 0.105361
        "brier": 0.42,  # a miss costs 1.62, a hit 0.02
        "calibration_error": 0.216667,  # 0.9 from 0.5, from 0.75 and from 1
    }
    assert {measure: with_[measure]["mean"] for measure in METRICS} == {
        "accuracy": 1.0,
        "error": 0.0,
        "macro_f1": 1.0,
        "log_loss": 0.105361,
        "brier": 0.02,
        "calibration_error": 0.1,
    }
    assert evaluation["difference"]["brier"]["mean"] == -0.4
    assert without["accuracy"]["std"] == 0.25
    assert (without["recall"], with_["recall"]) == ({"0": 1.0, "1": 0.5}, {"0": 1.0, "1": 1.0})
    spread = {source: parts["deviation"] for source, parts in evaluation["spread"].items()}
    # beyond the means of runs and images the table of 4 x 4 gains has a sum of squares of 17/16, of which 9 are free
    assert spread["images_by_run"] == 0.171796  # the root of 17 / 16 / 9 / 4
    # images gain 1/4, 1/4, 2/4 and 3/4 over the four runs: a variance of 11/192, and a fourth of it that of the mean
    assert spread["test_images"] == 0.083333  # the root of 11 / 192 / 4 - 17 / 16 / 9 / 16
    assert list(evaluation["spread"]["dae"]) == ["deviation", "low", "high"]
    # class 1 is taken for class 0 in three of six cases without pre-training, and never with it
    assert evaluation["confusions"] == {"rarer": [{"true": 1, "predicted": 0, "images": -1.0}], "commoner": []}
    # at a temperature of 2 odds of 9 become 3, at one of 3 they become 2.080084, so the confidence is 0.675333
    assert evaluation["calibrated"] == {
        "with": {"temperature": 2.0, "log_loss": 0.287682, "calibration_error": 0.25},
        "without": {"temperature": 3.0, "log_loss": 0.575651, "calibration_error": 0.191556},
    }


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.006, 0.02), True),
        ((0.005, 0.02), False),
        ((0.001, 0.02), False),
        ((-0.02, -0.006), True),
        ((-0.02, -0.005), False),
        ((-0.02, 0.02), False),
    ],
)
def test_an_interval_is_beyond_the_margin_on_one_side_alone(interval, expected):
    assert evaluate.beyond(interval, 0.005) is expected


def test_the_verdict_rests_on_the_interval_over_replicates_and_images(compare):
    """All replicates gain the same image: the t interval has no width, but another image might have been drawn."""
    evaluation, drawn = compare([[0, 1, 1, 1]] * 3 + [[0, 0, 0, 0]], [[1, 1, 1, 1]] * 4)
    accuracy = evaluation["difference"]["accuracy"]
    assert (accuracy["low"], accuracy["mean"], accuracy["high"]) == (0.25, 0.25, 0.25)
    # how many of four drawn images are the one: 0 with a probability of 0.32, above 3 with 0.004, above 2 with 0.05
    assert (accuracy["two_way_low"], accuracy["two_way_high"]) == (0.0, 0.75)
    assert evaluation["verdict"] == "inconclusive"
    assert evaluation["beyond_margin"] is False
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
    assert list(calibration) == ["images", "confidence", "accuracy", "arm", "calibrated"]
    assert calibration.to_numpy().tolist() == [
        [12, 0.9, 0.75, "without", False],
        [12, 0.9, 1, "with", False],
        [12, 0.675333, 0.75, "without", True],
        [12, 0.75, 1, "with", True],
    ]

    accuracies, mean, _ = drawn["paired"]
    assert {arm: values.tolist() for arm, values in accuracies.items()} == {
        "without": [0.5, 0.75, 1],
        "with": [1, 1, 1],
    }
    assert mean == 0.25
    matrices, replicates, names = drawn["confusion"]
    assert replicates == 3
    assert names == [*map(str, range(10))]
    assert {arm: matrix.tolist() for arm, matrix in matrices.items()} == {
        "without": [[6, 0], [3, 3]],
        "with": [[6, 0], [0, 6]],
    }
    (bins,) = drawn["reliability"]
    assert bins["confidence"].round(6).tolist() == calibration["confidence"].tolist()


def test_the_curves_are_those_of_the_replicates_at_each_arms_own_steps(compare):
    _, drawn = compare(**GAINING)
    steps, losses, accuracies = drawn["learning_curves"]
    assert {arm: found.tolist() for arm, found in steps.items()} == {"without": [5, 15], "with": [10, 20]}
    assert {arm: found.tolist() for arm, found in losses.items()} == {
        "without": [[5, 15], [10, 30], [15, 45]],
        "with": [[11, 21], [21, 41], [31, 61]],
    }
    # the images watched, the first and the third, are of the classes 0 and 1
    assert {arm: found.tolist() for arm, found in accuracies.items()} == {
        "without": [[0.5, 0.5], [0.5, 1], [0.5, 1]],
        "with": [[0.5, 1]] * 3,
    }
    (pretraining,) = drawn["pretraining"]
    assert {kind: found.tolist() for kind, found in pretraining.items()} == {
        "loss": [[0.4, 0.3], [0.2, 0.1]],
        "held_out": [[0.8, 0.7], [0.6, 0.5]],
    }


def test_a_gain_of_every_image_in_every_replicate_is_beyond_the_margin(compare):
    evaluation, _ = compare([[0, 0, 0, 0]] * 4, [[1, 1, 1, 1]] * 4)
    assert (evaluation["verdict"], evaluation["beyond_margin"]) == ("better", True)


def test_a_single_replicate_has_no_interval_and_no_verdict(compare):
    evaluation, _ = compare([[1, 1, 0, 0], [1, 1, 0, 0]], [[1, 1, 1, 1], [1, 1, 1, 1]])
    accuracy = evaluation["difference"]["accuracy"]
    assert (evaluation["verdict"], evaluation["beyond_margin"]) == ("inconclusive", False)
    assert accuracy["mean"] == 0.5
    gaps = ("std", "low", "high", "two_way_low", "two_way_high", "effect_size", "win_probability", "smallest")
    assert [accuracy[key] for key in gaps] == [None] * 8
