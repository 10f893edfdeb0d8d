import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dae.classifiers import ClassifierJob, ClassifierResult, ClassifierSettings
from stages.common.params import load_params
from studies import _study, tune
from studies._params import load_study_params
from studies.tune import Search, Tried

DAES = {"levels": {"masking": [0.5, 0.75], "gaussian": [0.25, 1.0]}, "epochs": [2, 1]}


def tried(steps, dae=None, way="free", **changes):
    settings = ClassifierSettings(
        units=(4,), dropout=0.25, masking=0.25, batch_size=10, steps=steps, learning_rate=0.001
    )
    return Tried(replace(settings, **changes), dae, way)


@pytest.fixture
def settings(root):
    """Make studies/params.yaml with few dAEs, and other settings of tune."""

    def make(**changes):
        study_params = load_study_params(root / "studies" / "params.yaml")
        changes["daes"] = study_params.tune.daes.model_copy(update=DAES)
        return study_params.model_copy(update={"tune": study_params.tune.model_copy(update=changes)})

    return make


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


LEAST, MOST = ("masking", 0.5, 2), ("gaussian", 1.0, 1)
ACCURACIES = {  # of each draw: two in the first round, one in the second, one in the last
    tried(1, LEAST): [0.50, 0.50, 0.50, 0.50],
    tried(2, MOST): [0.75, 0.75, 0.00, 0.75],  # the best of the first round falls back in the second
    tried(3, MOST): [0.625, 0.625, 0.75, 0.75],  # the best in the end
    tried(4, LEAST, "frozen"): [1.0, 1.0, 1.0, 1.0],  # better than all of them, but not among those to choose from
    tried(4, LEAST, "frozen_first"): [0.25, 0.25, 0.25, 0.25],
    tried(5, MOST, "frozen"): [0.75, 0.75, 0.75, 0.75],
    tried(5, MOST, "frozen_first"): [0.50, 0.50, 0.25, 0.25],
    tried(1): [0.25, 0.25, 0.75, 0.50],
    tried(2): [0.50, 0.50, 0.50, 0.50],
    tried(3): [0.125, 0.125, 0.125, 0.125],
}


@pytest.fixture
def tuning(params, settings, small_study, monkeypatch, drawn_by):
    """Run the study with known accuracies in place of trainings; gives what was asked for, and the figure.

    The encoder of dAE i is the number i. A configuration's temperature on draw d is its number of steps and d / 10.
    """
    asked, pretrained = [], []

    def cross_validate(study, configurations, draws, folds):
        for one, encoder in configurations:
            number = tune.combinations(settings().tune).index(one.dae) if one.dae else []
            assert encoder == number
            arm = "with" if one.dae else "without"
            asked.append((arm, one.way, one.settings.steps, *draws))
            temperatures = [one.settings.steps + draw / 10 for draw in draws]
            yield {"accuracies": [ACCURACIES[one][draw] for draw in draws], "temperatures": temperatures}

    def pretrain(study, name, settings, test=True):
        pretrained.append((name, [(how.corruption, how.noise, how.epochs) for how in settings], test))
        return [(number, {}) for number in range(len(settings))]

    def configurations(params, settings, arm, frozen=False):
        return [one for one in ACCURACIES if (one.dae is not None, one.way != "free") == (arm == "with", frozen)]

    monkeypatch.setattr(tune, "cross_validate", cross_validate)
    monkeypatch.setattr(_study.Study, "pretrain", pretrain)
    monkeypatch.setattr(tune, "configurations", configurations)
    drawn = drawn_by(tune)

    def run():
        asked.clear()
        pretrained.clear()
        tune.main(params, settings(configurations=3, draws=[2, 1, 1], keep=[2, 1], frozen=2))
        return asked, pretrained, drawn

    return run


def test_the_best_go_on_and_those_that_freeze_stay_beside_them(tuning):
    asked, _, _ = tuning()
    assert asked == [
        ("without", "free", 1, 0, 1),
        ("without", "free", 2, 0, 1),
        ("without", "free", 3, 0, 1),
        ("without", "free", 2, 2),
        ("without", "free", 1, 2),
        ("without", "free", 2, 3),
        ("with", "free", 1, 0, 1),
        ("with", "free", 2, 0, 1),
        ("with", "free", 3, 0, 1),
        ("with", "free", 2, 2),
        ("with", "free", 3, 2),
        ("with", "free", 3, 3),
        *(
            ("with", way, steps, *draws)
            for draws in ((0, 1), (2,), (3,))
            for steps in (4, 5)
            for way in ("frozen", "frozen_first")
        ),
    ]


def test_both_arms_train_as_much_on_every_round(tuning):
    asked, _, _ = tuning()
    free = {arm: [draws for found, way, _, *draws in asked if (found, way) == (arm, "free")] for arm in tune.SECTIONS}
    assert free["with"] == free["without"]


def test_each_dae_is_trained_once_and_sees_no_test_image(tuning):
    _, pretrained, _ = tuning()
    levels = [("masking", 0.5), ("masking", 0.75), ("gaussian", 0.25), ("gaussian", 1.0)]
    assert pretrained == [("tune", [(*level, epochs) for level in levels for epochs in (2, 1)], False)]


def test_the_choice_is_the_best_of_those_on_most_draws_and_never_a_frozen_one(tuning):
    _, _, drawn = tuning()
    table = pd.read_csv("reports/studies/tune.csv")
    rows = table[["arm", "way", "steps", "draws", "first_draws", "accuracy", "chosen"]].to_numpy().tolist()
    assert rows == [
        ["without", "free", 2, 4, 0.5, 0.5, True],
        ["without", "free", 1, 3, 0.25, 0.416667, False],
        ["without", "free", 3, 2, 0.125, 0.125, False],
        ["with", "free", 3, 4, 0.625, 0.6875, True],
        ["with", "free", 2, 3, 0.75, 0.5, False],
        ["with", "free", 1, 2, 0.5, 0.5, False],
        ["with", "frozen", 4, 4, 1, 1, False],
        ["with", "frozen", 5, 4, 0.75, 0.75, False],
        ["with", "frozen_first", 5, 4, 0.5, 0.375, False],
        ["with", "frozen_first", 4, 4, 0.25, 0.25, False],
    ]
    assert table.loc[3, ["corruption", "noise", "epochs"]].tolist() == [*MOST]
    assert table.loc[:2, ["corruption", "noise", "epochs"]].isna().all(axis=None)
    (shown,) = drawn["search"]
    assert shown["steps"].tolist() == table["steps"].tolist()


def test_the_summary_of_each_arm(tuning):
    """The choice by the first round alone is another one, and knows only the first two draws."""
    tuning()
    found = json.loads(Path("reports/studies/tune.json").read_text())
    values = {"learning_rate": 0.001, "dropout": 0.25, "masking": 0.25}
    none = {"way": "free", "corruption": None, "noise": None, "epochs": None} | values
    most = {"way": "free"} | dict(zip(("corruption", "noise", "epochs"), MOST, strict=True)) | values
    least = {"way": "frozen"} | dict(zip(("corruption", "noise", "epochs"), LEAST, strict=True)) | values
    assert found == {
        "without": {
            "chosen": none | {"steps": 2, "temperature": 2.15, "accuracy": 0.5, "draws": 4},
            "edges": ["steps"],
            "by_first_draws": none | {"steps": 2, "accuracy": 0.5, "draws": 2},
        },
        "with": {
            "chosen": most | {"steps": 3, "temperature": 3.15, "accuracy": 0.6875, "draws": 4},
            "edges": ["steps", "noise"],
            "by_first_draws": most | {"steps": 2, "accuracy": 0.75, "draws": 2},
            "frozen": least | {"steps": 4, "accuracy": 1.0},
            "frozen_first": most | {"way": "frozen_first", "steps": 5, "accuracy": 0.375},
        },
    }


def test_a_search_that_is_run_again_trains_nothing(tuning, capfd):
    tuning()
    assert "question 24/24" in capfd.readouterr().out
    files = [Path("reports/studies", name) for name in ("tune.csv", "tune.json")]
    before = [file.read_text() for file in files]
    asked, pretrained, _ = tuning()
    assert (asked, pretrained) == ([], [])
    assert [file.read_text() for file in files] == before


def test_configurations_are_as_many_in_both_arms_all_different_and_in_their_ranges(params, settings):
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.1, 0.2], "masking": [0.0, 0.8], "steps": [500, 4000]}
    tuning = settings(configurations=200).tune
    tuning = tuning.model_copy(update={"space": tuning.space.model_copy(update=space)})
    arms = {arm: tune.configurations(params, tuning, arm) for arm in tune.SECTIONS}
    for arm, section in (("without", "baseline"), ("with", "finetune")):
        found = arms[arm]
        assert len(set(found)) == 200
        assert {one.way for one in found} == {"free"}
        assert {one.settings.batch_size for one in found} == {getattr(params, section).batch_size}
        assert {one.settings.frozen for one in found} == {0}
        for name, (low, high) in space.items():
            values = np.array([getattr(one.settings, name) for one in found])
            assert low <= values.min() and values.max() <= high
            # half of them lie in each half of the range; a learning rate's halves meet at its logarithm's middle
            middle = np.sqrt(low * high) if name == "learning_rate" else (low + high) / 2
            assert 70 < (values < middle).sum() < 130, name
        assert all(isinstance(one.settings.steps, int) for one in found)
    assert {one.dae for one in arms["without"]} == {None}
    assert {one.dae for one in arms["with"]} == set(tune.combinations(tuning))
    assert arms["with"] == tune.configurations(params, tuning, "with")
    assert arms["with"] != tune.configurations(params.model_copy(update={"seed": 1}), tuning, "with")


def test_an_encoder_is_frozen_in_both_ways_with_the_same_settings(params, settings):
    found = tune.configurations(params, settings(frozen=3).tune, "with", frozen=True)
    assert [one.way for one in found] == ["frozen", "frozen_first"] * 3
    assert [replace(one, way="") for one in found[::2]] == [replace(one, way="") for one in found[1::2]]
    assert len({one.settings for one in found}) == 3
    assert tune.configurations(params, settings(frozen=0).tune, "with", frozen=True) == []


@pytest.mark.parametrize(
    ("changes", "dae", "edges"),
    [
        ({}, None, []),
        ({"learning_rate": 1.1e-5}, None, ["learning_rate"]),
        ({"learning_rate": 2e-5}, None, []),  # a tenth of the range of the logarithm
        ({"learning_rate": 9e-3}, None, ["learning_rate"]),
        ({"dropout": 0.0}, None, []),  # less than none is impossible
        ({"dropout": 0.69}, None, ["dropout"]),
        ({"masking": 0.79, "steps": 510}, None, ["masking", "steps"]),
        ({"steps": 4000}, None, []),  # more would cost more than the main pipeline may
        ({}, ("masking", 0.5, 2), ["noise"]),
        ({}, ("masking", 0.65, 2), []),
        ({}, ("masking", 0.75, 2), ["noise"]),
    ],
)
def test_edges_are_those_beyond_which_the_best_might_lie(settings, changes, dae, edges):
    tuning = settings().tune
    space = {"learning_rate": [1e-5, 1e-2], "dropout": [0.0, 0.7], "masking": [0.0, 0.8], "steps": [500, 4000]}
    daes = tuning.daes.model_copy(update={"levels": {"masking": [0.75, 0.5, 0.65]}})
    tuning = tuning.model_copy(update={"space": tuning.space.model_copy(update=space), "daes": daes})
    assert tune.edges(tried(**({"steps": 2000} | changes), dae=dae), tuning) == edges


def test_cross_validation_holds_out_every_labelled_image_once(params, small_study, monkeypatch):
    """On the first draw 80 % of the held-out images are classified correctly, on the second 90 %, always 95 % sure.

    Where the wrong classes are equally probable, the best temperature makes the sureness the share that is correct.
    """
    given = []

    def train(jobs, n_jobs):
        for number, (job, settings) in enumerate(jobs):
            given.append((job, settings))
            truth = study.labels[[rows_of[image.tobytes()] for image in job.test_images]]
            wrong = np.arange(40) < (8 if number % 10 < 5 else 4)
            probabilities = np.full((40, 10), 0.05 / 9, np.float32)
            probabilities[np.arange(40), np.where(wrong, (truth + 1) % 10, truth)] = 0.95
            yield ClassifierResult(probabilities, [], [], np.empty((0, 0)))

    study = _study.Study(params.model_copy(update={"n_labels": 200}), 100, "studies.tune")
    rows_of = {image.tobytes(): row for row, image in enumerate(study.images)}
    monkeypatch.setattr(tune, "train_classifiers", train)
    one, other = tried(1, LEAST), tried(2, MOST, "frozen")
    found = list(tune.cross_validate(study, [(one, ["a"]), (other, ["b"])], range(3, 5), folds=5))
    best = [round(float(np.log(9 * 0.95 / 0.05) / np.log(9 * p / (1 - p))), 2) for p in (0.8, 0.9)]
    assert [answer["accuracies"] for answer in found] == [[0.8, 0.9]] * 2
    for answer in found:
        assert answer["temperatures"] == pytest.approx(best, abs=0.011)
    assert [job.encoder for job, _ in given] == [["a"]] * 10 + [["b"]] * 10
    assert [settings for _, settings in given] == [one.settings] * 10 + [replace(other.settings, frozen=1)] * 10
    for first in (0, 10):  # both configurations have the same splits
        jobs = [job for job, _ in given[first : first + 10]]
        assert len({job.seed for job in jobs}) == 10
        for draw, of_draw in ((3, jobs[:5]), (4, jobs[5:])):
            drawn = sorted(study.draw("tune", draw, 200).tolist())
            held_out = [[rows_of[image.tobytes()] for image in job.test_images] for job in of_draw]
            assert sorted(np.concatenate(held_out).tolist()) == drawn
            for job, out in zip(of_draw, held_out, strict=True):
                rows = [rows_of[image.tobytes()] for image in job.images]
                assert sorted(rows + out) == drawn
                assert (job.labels == study.labels[rows]).all()
    assert [job.seed for job, _ in given[:10]] == [job.seed for job, _ in given[10:]]
    assert "test_images" not in vars(study)


def test_an_encoder_that_is_frozen_first_is_trained_from_where_the_first_half_ends(monkeypatch):
    """Results keep the order of the jobs, whatever their ways."""
    calls = []

    def train(jobs, n_jobs):
        calls.append([])
        for number, (job, settings) in enumerate(jobs):
            calls[-1].append((job.encoder, settings))
            yield ClassifierResult(np.empty(0), [], [len(calls), number], np.empty(0))

    monkeypatch.setattr(tune, "train_classifiers", train)
    job = ClassifierJob(np.empty(0), np.empty(0), np.empty(0), ["encoder"], seed=1)
    ways = [tried(11, MOST, way) for way in ("free", "frozen_first", "frozen", "frozen_first")]
    found = [result.weights for result in tune.train_in_ways((job, one) for one in ways)]
    assert found == [[1, 0], [2, 0], [1, 2], [2, 1]]
    whole = ways[0].settings
    half = replace(whole, frozen=1, steps=5)
    assert calls[0] == [(["encoder"], s) for s in (whole, half, replace(whole, frozen=1), half)]
    rest = replace(whole, steps=6, learning_rate=0.0001)
    assert calls[1] == [([1, 1], rest), ([1, 3], rest)]


def test_all_weights_of_the_first_half_go_on(mnist, monkeypatch):
    """A second half that changes nothing leaves the classifier of the first, with the encoder as it was."""
    monkeypatch.setattr(tune, "GENTLE", 0.0)
    monkeypatch.setenv("DAE_JOBS", "1")
    images, labels = mnist["train_images"][:60].reshape(60, -1), mnist["train_labels"][:60]
    encoder = [np.random.default_rng(0).normal(0, 0.05, (784, 4)).astype(np.float32), np.zeros(4, np.float32)]
    job = ClassifierJob(images[:50], labels[:50], images[50:], encoder, seed=1)
    first, free = tried(20, MOST, "frozen_first"), tried(10, MOST)
    found, begun, other = tune.train_in_ways([(job, first), (job, replace(free, way="frozen")), (job, free)])
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, begun.weights, strict=True))
    assert np.array_equal(found.probabilities, begun.probabilities)
    assert np.array_equal(found.weights[0], encoder[0])
    assert not np.array_equal(other.weights[0], encoder[0])


def test_a_baseline_needs_no_dae(params, settings, small_study, monkeypatch):
    monkeypatch.setattr(_study.Study, "pretrain", lambda *arguments, **more: pytest.fail("it trained a dAE"))
    answer = {"accuracies": [0.5], "temperatures": [1.0]}
    monkeypatch.setattr(tune, "cross_validate", lambda study, found, draws, folds: [answer] * len(found))
    search = Search(params, settings(configurations=2, draws=[1], keep=[]).tune)
    search.halve("without", [tried(1), tried(2)])
    assert search.ranked("without") == [tried(1), tried(2)]
