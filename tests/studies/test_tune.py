import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierResult, ClassifierSettings
from stages.common.params import load_params
from studies import _study, tune
from studies._params import load_study_params


def configuration(steps, frozen=0):
    return ClassifierSettings(
        units=(4,), dropout=0.0, masking=0.0, batch_size=10, steps=steps, learning_rate=0.001, frozen=frozen
    )


def test_gains_compare_equal_settings_on_equal_draws_from_the_worst_baseline_on():
    scores = {
        "with": {
            configuration(1): [0.75, 0.5, 1.0, 1.0],
            configuration(2): [0.5, 0.5],
            configuration(3): [0.25],
            configuration(1, frozen=1): [1.0],
        },
        "without": {configuration(1): [0.5, 0.5], configuration(2): [0.25, 0.25, 1.0, 1.0], configuration(4): [0.125]},
    }
    gains = tune.gains_by_configuration(scores)
    assert gains.to_dict("records") == [
        {"configuration": configuration(2), "draws": 2, "without": 0.25, "gain": 0.25},
        {"configuration": configuration(1), "draws": 2, "without": 0.5, "gain": 0.125},
    ]


@pytest.fixture
def settings(root):
    def make(**changes):
        study_params = load_study_params(root / "studies" / "params.yaml")
        return study_params.model_copy(update={"tune": study_params.tune.model_copy(update=changes)})

    return make


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


@pytest.fixture
def study(small_study):
    return lambda params: _study.Study(params, 100, "studies.tune")


# the baseline freezes nothing, so it has three
CONFIGURATIONS = [configuration(1), configuration(2, frozen=1), configuration(3), configuration(2)]
ACCURACIES = {  # of each draw: two in the first round, one in the second, one in the last
    ("with", configuration(1)): [0.50, 0.50, 0.50, 0.50],
    ("with", configuration(2, frozen=1)): [0.75, 0.75, 0.00, 0.75],  # falls back in the second round
    ("with", configuration(3)): [0.625, 0.625, 0.75, 0.75],  # the best of all in the end
    ("with", configuration(2)): [0.25, 0.25, 0.25, 0.25],
    ("without", configuration(1)): [0.25, 0.25, 0.75, 0.50],
    ("without", configuration(2)): [0.50, 0.50, 0.50, 0.50],
    ("without", configuration(3)): [0.125, 0.125, 0.125, 0.125],
}


@pytest.fixture
def tuned(params, settings, small_study, monkeypatch, drawn_by, encoders_of):
    """Run the study with known accuracies in place of trainings; gives what was asked for, and the figure."""
    asked = []

    def cross_validate(study, settings, encoders, draws, folds):
        arm = "without" if encoders == [()] else "with"
        asked.append((arm, settings.steps, settings.frozen, *draws))
        return {"accuracies": [ACCURACIES[arm, settings][draw] for draw in draws]}

    monkeypatch.setattr(tune, "cross_validate", cross_validate)
    monkeypatch.setattr(tune, "configurations", lambda params, study_params: CONFIGURATIONS)
    encoders_of(tune)
    drawn = drawn_by(tune)
    tune.main(params, settings(draws=[2, 1, 1], keep=[2, 1]))
    return asked, drawn


def test_the_best_go_on_and_each_arm_tries_the_others_finalist(tuned):
    asked, _ = tuned
    assert asked == [
        ("without", 1, 0, 0, 1),
        ("without", 2, 0, 0, 1),
        ("without", 3, 0, 0, 1),
        ("without", 2, 0, 2),
        ("without", 1, 0, 2),
        ("without", 2, 0, 3),
        ("with", 1, 0, 0, 1),
        ("with", 2, 1, 0, 1),
        ("with", 3, 0, 0, 1),
        ("with", 2, 0, 0, 1),
        ("with", 2, 1, 2),
        ("with", 3, 0, 2),
        ("with", 3, 0, 3),
        ("without", 3, 0, 2),
        ("without", 3, 0, 3),
        ("with", 2, 0, 2),
        ("with", 2, 0, 3),
    ]


def test_the_choice_is_the_best_of_those_tried_on_most_draws(tuned):
    """The one that is best on fewer draws is not chosen, and its line has the mean over the draws it had."""
    table = pd.read_csv("reports/studies/tune.csv")
    rows = table[["arm", "steps", "frozen", "draws", "accuracy", "chosen"]].to_numpy().tolist()
    assert rows == [
        ["without", 2, False, 4, 0.5, True],
        ["without", 3, False, 4, 0.125, False],
        ["without", 1, False, 3, 0.416667, False],
        ["with", 3, False, 4, 0.6875, True],
        ["with", 2, False, 4, 0.25, False],
        ["with", 2, True, 3, 0.5, False],
        ["with", 1, False, 2, 0.5, False],
    ]
    best = json.loads(Path("reports/studies/tune.json").read_text())
    assert {arm: (row["steps"], row["frozen"], row["accuracy"]) for arm, row in best.items()} == {
        "without": (2, False, 0.5),
        "with": (3, False, 0.6875),
    }
    gains = pd.read_csv("reports/studies/tune_gains.csv")
    assert gains[["steps", "draws", "without", "gain"]].to_numpy().tolist() == [
        [3, 4, 0.125, 0.5625],
        [1, 2, 0.25, 0.25],
        [2, 4, 0.5, -0.25],
    ]
    _, drawn = tuned
    without, gain, chosen = drawn["gains"]
    assert (without[chosen], gain[chosen]) == (0.5, -0.25)


def test_cross_validation_holds_out_every_labelled_image_once(params, study, monkeypatch):
    """The classifier is right in the first four trainings, and wrong in all others."""
    given = []

    def train(jobs, settings, n_jobs):
        for number, job in enumerate(jobs):
            given.append(job)
            truth = made.labels[[rows_of[image.tobytes()] for image in job.test_images]]
            answers = truth if number < 4 else (truth + 1) % 10
            yield ClassifierResult(np.eye(10, dtype=np.float32)[answers], [], [])

    made = study(params.model_copy(update={"n_labels": 200}))
    rows_of = {image.tobytes(): row for row, image in enumerate(made.images)}
    monkeypatch.setattr(tune, "train_classifiers", train)
    found = tune.cross_validate(made, configuration(1), [["a"], ["b"], ["c"]], range(3, 5), folds=5)
    assert found == {"accuracies": [0.8, 0.0]}
    assert [job.encoder for job in given] == [["a"]] * 5 + [["b"]] * 5
    assert len({job.seed for job in given}) == 10
    for draw, jobs in ((3, given[:5]), (4, given[5:])):
        drawn = sorted(made.draw("tune", draw, 200).tolist())
        held_out = [[rows_of[image.tobytes()] for image in job.test_images] for job in jobs]
        assert sorted(np.concatenate(held_out).tolist()) == drawn
        for job, out in zip(jobs, held_out, strict=True):
            rows = [rows_of[image.tobytes()] for image in job.images]
            assert sorted(rows + out) == drawn
            assert (job.labels == made.labels[rows]).all()
