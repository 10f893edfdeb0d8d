"""The studies ladder and pushed, and the arms that they share."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dae.sampling import UNLABELLED
from stages._classifiers import classifier_settings
from stages.common.errors import StageError
from stages.common.params import load_params
from studies import _arms, ladder, pushed
from studies._arms import (
    PSEUDO_SHARE,
    RANDOM,
    Arms,
    ladder_settings,
    load_curve,
    outcome,
    summarise,
    with_teachers_time,
)
from studies._params import load_study_params
from studies._search import Tried
from studies._study import Study


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


@pytest.fixture
def study_params(root):
    return load_study_params(root / "studies" / "params.yaml")


@pytest.fixture
def arms(params, study_params, small_study):
    """Six draws of 500 labels among 1,000 images."""
    return Arms(Study(params, 0, "studies.ladder"), study_params.ladder, 500)


def test_what_is_stored_of_a_training():
    probabilities = np.full((5, 10), 0.01, np.float32)
    probabilities[np.arange(5), [3, 4, 5, 6, 7]] = 0.9
    found = outcome(probabilities, truth=np.array([3, 9]), seconds=1.234)
    assert found == {"accuracy": 0.5, "seconds": 1.2, "predicted": [5, 6, 7]}


def test_the_draws_are_the_first_ones_of_the_label_curve(arms):
    assert len(arms.known) == 6
    for number, rows in enumerate(arms.known):
        assert np.array_equal(rows, arms.study.draw("label curve 500", number, 500))


def test_a_student_learns_its_own_labels_and_all_others_as_its_teacher_tells_them(arms, monkeypatch):
    learnt = []

    def train(what, settings, start, rows, labels):
        learnt.extend(zip(rows, labels, strict=True))

    monkeypatch.setattr(arms, "_train", train)
    arms.known = [np.arange(100)]
    arms.students("what", "settings", RANDOM, [{"predicted": [7] * 1000}])
    ((rows, labels),) = learnt
    assert set(rows) == set(range(1000))
    assert (labels[rows < 100] == arms.study.labels[rows[rows < 100]]).all()
    assert (labels[rows >= 100] == 7).all()
    assert np.mean(rows >= 100) == pytest.approx(PSEUDO_SHARE)


def test_classifiers_get_the_labelled_images_their_encoder_and_their_seed(arms, monkeypatch):
    given = []

    def train(jobs, n_jobs):
        for job, settings in jobs:
            given.append(job)
            assert settings == "settings"
            yield SimpleNamespace(probabilities=np.eye(10)[np.arange(1200) % 10])

    monkeypatch.setattr(_arms, "question", lambda what, settings, **more: {"what": what, **more})
    monkeypatch.setattr(_arms, "train_classifiers", train)
    encoders = _arms.InitialEncoders("key", lambda: ["first", "second"])
    found = arms.classifiers("what", "settings", encoders)
    assert [job.encoder for job in given] == ["first", "second"] * 3
    assert len({job.seed for job in given}) == 6
    for job, rows in zip(given, arms.known, strict=True):
        assert np.array_equal(job.images, arms.study.images[rows])
        assert np.array_equal(job.labels, arms.study.labels[rows])
        assert np.array_equal(job.test_images, np.concatenate([arms.study.test_images, arms.study.images]))
    assert [len(one["predicted"]) for one in found] == [1000] * 6
    assert arms.classifiers("what", "settings", encoders) == found
    assert len(given) == 6  # the second time from the store


def test_a_ladder_knows_the_labels_of_its_draw_and_no_others(arms, monkeypatch):
    given = []

    def train(jobs, settings, n_jobs):
        for job in jobs:
            given.append(job)
            yield SimpleNamespace(probabilities=np.eye(10)[np.arange(1200) % 10], seconds=3.0)

    monkeypatch.setattr(_arms, "train_ladders", train)
    known = SimpleNamespace(
        units=[8], noise=0.3, batch_size=10, labelled_batch_size=5, learning_rate=0.01, products="float32"
    )
    found = arms.ladders("what", ladder_settings(known, [1.0], 2, 10))
    for job, rows in zip(given, arms.known, strict=True):
        assert np.array_equal(np.flatnonzero(job.labels != UNLABELLED), np.sort(rows))
        assert np.array_equal(job.labels[rows], arms.study.labels[rows])
    assert [one["seconds"] for one in found] == [3.0] * 6


@pytest.mark.parametrize(
    ("n_labels", "replicates", "message"),
    [
        ([500, 77], 6, "ladder asks for 3 replicates with 77 labels; allowed are at most the 0 of"),
        ([500], 9, "ladder asks for 9 replicates with 500 labels; allowed are at most the 6 of label_curve"),
    ],
)
def test_settings_that_do_not_fit_the_curve_as_it_was_drawn(
    params, study_params, tmp_path, monkeypatch, n_labels, replicates, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports/studies").mkdir(parents=True)
    pd.DataFrame({"n_labels": np.repeat([100, 500], 6)}).to_csv("reports/studies/label_curve.csv", index=False)
    settings = study_params.ladder.model_copy(update={"n_labels": n_labels, "replicates": replicates})
    with pytest.raises(StageError, match=message):
        load_curve(settings, params)


def test_the_table_and_the_rows_of_all_arms():
    """0.7 and 0.8: t with 1 degree of freedom is 12.7062, the half of the interval 12.7062 * 0.05 = 0.63531."""
    without = [{"accuracy": 0.7, "seconds": None}, {"accuracy": 0.8, "seconds": None}]
    teacher = [{"accuracy": 0.5, "seconds": 60.0}, {"accuracy": 0.5, "seconds": 72.0}]
    student = with_teachers_time([{"accuracy": 0.9, "seconds": 6.0}, {"accuracy": 0.9, "seconds": 6.0}], teacher)
    table, rows = summarise({500: {"without": without, "pseudo": student}}, 0.95)
    assert [tuple(row.values()) for row in rows] == [
        (500, "without", 0.75, 0.11469, 1.38531, None),
        (500, "pseudo", 0.9, 0.9, 0.9, 1.2),
    ]
    assert table["seconds"].tolist()[2:] == [66.0, 78.0]
    assert table["replicate"].tolist() == [1, 2, 1, 2]


class Asked:
    """In place of `Arms`: every arm answers two outcomes, and what it was asked for is kept."""

    asked: dict

    def __init__(self, study, settings, n_labels):
        self.n_labels, self.known = n_labels, [None, None]

    def answer(self, what, *given):
        self.asked[self.n_labels, what] = given
        accuracy = {"wide, with": 0.95, "wide, without": 0.9}.get(what, 0.8)
        return [{"accuracy": accuracy, "seconds": 60.0, "predicted": []} for _ in range(2)]

    classifiers = students = ladders = answer


@pytest.fixture
def asked(monkeypatch, tmp_path, small_study):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports/studies").mkdir(parents=True)
    curve = {
        "n_labels": [100] * 3 + [500] * 3,
        "replicate": [1, 2, 3] * 2,
        "without": [0.5, 0.5, 0.9, 0.7, 0.8, 0.1],
        "with": [0.6, 0.6, 0.9, 0.8, 0.9, 0.1],
    }
    pd.DataFrame(curve).to_csv("reports/studies/label_curve.csv", index=False)
    Asked.asked = {}
    for module in (ladder, pushed):
        monkeypatch.setattr(module, "Arms", Asked)
    return Asked.asked


def two_counts(study_params, **more):
    changes = {"n_labels": [100, 500], "replicates": 2, "replicates_elsewhere": 2}
    return study_params.model_copy(update={"ladder": study_params.ladder.model_copy(update=changes), **more})


def test_the_ladders_and_their_student(params, study_params, asked):
    ladder.main(params, two_counts(study_params))
    costs = {key: settings.costs for key, (settings, *_) in asked.items() if key[1] != "student of the ladder"}
    assert costs == {
        (500, "fast ladder"): (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1),
        (500, "ladder"): (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1),
        (500, "Gamma model"): (0, 0, 0, 0, 0, 0, 5.0),  # 0.01 for each of 500 labels
        (100, "ladder"): (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1),
        (100, "Gamma model"): (0, 0, 0, 0, 0, 0, 1.0),
    }
    assert [asked[500, what][0].epochs for what in ("fast ladder", "ladder", "Gamma model")] == [25, 60, 60]
    settings, start, _ = asked[500, "student of the ladder"]
    assert start is RANDOM
    assert (settings.convolutional, settings.augment, settings.masking) == (True, True, 0.0)
    rows = json.loads(Path("reports/studies/ladder.json").read_text())["rows"]
    assert [(row["n_labels"], row["arm"]) for row in rows] == [
        *((500, arm) for arm in ("ladder_fast", "ladder", "ladder_gamma", "ladder_conv")),
        *((100, arm) for arm in ("ladder", "ladder_gamma", "ladder_conv")),
    ]
    assert {row["arm"]: row["minutes"] for row in rows} == {
        "ladder_fast": 1.0,
        "ladder": 1.0,
        "ladder_gamma": 1.0,
        "ladder_conv": 2.0,  # its teacher's too
    }


def test_pushed_has_the_settings_that_its_search_chose_and_its_baseline_too(
    params, study_params, asked, monkeypatch, drawn_by
):
    pd.DataFrame({"n_labels": [500], "arm": ["ladder"], "accuracy": [0.99]}).to_csv("reports/studies/ladder.csv")
    monkeypatch.setattr(pushed, "load_encoders", lambda models: [[np.zeros(1)]] * models)

    class Search:
        def __init__(self, study, settings, name, arms):
            assert name == "pushed"
            self.arms = arms

        def search(self, arm):
            pass

        def ranked(self, arm):
            return [Tried(self.arms[arm], ("masking", 0.75, 40) if arm == "with" else None), "another"]

        def encoders(self):
            return {("masking", 0.75, 40): "the encoder"}

    monkeypatch.setattr(pushed, "Search", Search)
    drawn = drawn_by(pushed)
    pushed.main(params, two_counts(study_params))
    own = classifier_settings(params, "finetune")
    with_, start = asked[500, "wide, with"]
    without, random = asked[500, "wide, without"]
    assert with_.units == without.units == (1000, 1000, 1000)
    assert (with_.dropout, without.dropout) == (params.finetune.dropout, params.baseline.dropout)
    assert (start.encoders(), random) == (["the encoder"], RANDOM)
    assert asked[500, "with"][0] == own
    student, pretrained, _ = asked[500, "student"]
    assert (student.steps, student.batch_size, student.units) == (6000, 100, own.units)
    assert len(pretrained.encoders()) == params.pretrain.models
    assert asked[500, "convolutional student"][0].convolutional
    assert asked[500, "ladder without denoising costs"][0].costs == (0.0,) * 7
    assert (100, "ladder without denoising costs") not in asked
    found = json.loads(Path("reports/studies/pushed.json").read_text())
    assert found["gain"] == {"difference": 0.05, "low": 0.05, "high": 0.05}
    assert found["chosen"]["with"]["noise"] == 0.75
    without = [row["accuracy"] for row in found["rows"] if row["arm"] == "without"]
    assert without == [0.75, 0.5]  # the first two draws of the label curve
    (shown,) = drawn["pushed"]
    assert set(shown["arm"]) >= {"without", "with", "ladder", "pushed", "pushed_alone", "ladder_alone"}
