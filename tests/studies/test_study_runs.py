"""How a study draws, pre-trains and tests, with what is trained known beforehand."""

import json

import numpy as np
import pytest

from dae.classifiers import ClassifierResult, ClassifierSettings
from dae.core.seeds import derive
from stages._daes import dae_settings
from stages.common.params import load_params
from studies import _study

SETTINGS = ClassifierSettings(units=(4,), dropout=0.0, masking=0.0, batch_size=10, steps=1, learning_rate=0.001)


@pytest.fixture
def study(root, small_study):
    return _study.Study(load_params(root / "params.yaml"), 1, "studies.tune")


def test_draws_differ_by_name_and_number_and_are_the_same_again(study):
    draws = [study.draw(name, number, 50).tolist() for name in ("a", "b") for number in (0, 1)]
    assert len({tuple(draw) for draw in draws}) == 4
    assert all(len(set(draw)) == 50 for draw in draws)
    assert study.draw("a", 1, 50).tolist() == draws[1]


def test_replicates_take_the_encoders_in_turn_and_are_tested_on_the_test_images(study, monkeypatch):
    given = []

    def train(jobs, n_jobs):
        for number, (job, settings) in enumerate(jobs):
            assert settings is SETTINGS
            given.append(job)
            answers = study.test_labels.copy()
            answers[: 50 * number] += 1  # none, a quarter and half of the 200 are wrong
            yield ClassifierResult(np.eye(11)[answers], [], [], np.empty((0, 0)))

    monkeypatch.setattr(_study, "train_classifiers", train)
    rows = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])]
    assert study.test("a name", rows, SETTINGS, [["first"], ["second"]]) == [1.0, 0.75, 0.5]
    assert [job.encoder for job in given] == [["first"], ["second"], ["first"]]
    assert [job.labels.tolist() for job in given] == [study.labels[draw].tolist() for draw in rows]
    assert all((job.images == study.images[draw]).all() for job, draw in zip(given, rows, strict=True))
    assert all(job.test_images.shape == (200, 784) for job in given)
    assert [job.seed for job in given] == [derive(42, "a name", r, "seed") for r in range(3)]


@pytest.fixture
def pretrain(study, monkeypatch):
    """Pre-train on three images, of each of which a quarter is white; the first weights become 7.

    The dAE makes all pixels white. Gives what is returned, and how each was trained.
    """
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    monkeypatch.setattr("dae.core.training.set_up_tensorflow", lambda at_once: None)  # but once in a process
    trained = {}

    def fit(trainer, *data, weights, seed, **how):
        trained[seed] = how
        weights = [np.zeros_like(array) for array in weights]
        weights[0][:], weights[-1][:] = 7, 50
        trainer.model.set_weights(weights)

    monkeypatch.setattr("dae.core.training.Trainer.fit", fit)
    study.images = np.zeros((3, 16), np.uint8)
    study.test_images = np.tile(np.array([255, 0, 0, 0], np.uint8), (3, 4))

    def run(*changes, **more):
        how = [dae_settings(study.params, **each) for each in changes]
        return study.pretrain("a name", how, **more), trained

    return run


def test_daes_are_measured_on_the_test_images_and_their_encoders_taken(pretrain):
    """The noise masks all pixels."""
    found, trained = pretrain(
        {"units": (5, 3), "epochs": 4, "noise": 1.0}, {"units": (6,), "epochs": 2, "noise": 1.0, "batch_size": 2}
    )
    for _, quality in found:
        assert quality == pytest.approx({"noisy": 6.0206, "denoised": 1.2494}, abs=1e-4)  # decibels of 1/4 and of 3/4
    assert [array.shape for array in found[0][0]] == [(16, 5), (5,), (5, 3), (3,)]
    assert [array.shape for array in found[1][0]] == [(16, 6), (6,)]
    assert all((encoder[0] == 7).all() for encoder, _ in found)
    # the first has three images in a batch, so an epoch is one step; the second has two steps an epoch
    first, second = (trained[derive(42, "a name", number)] for number in (0, 1))
    assert (first["steps"], first["batch_size"], first["learning_rate"]) == (4, 256, 0.003)
    assert (second["steps"], second["batch_size"]) == (4, 2)


def test_a_dae_that_is_not_tested_needs_no_test_images(study, pretrain):
    del study.test_images
    ((_, quality),), _ = pretrain({"units": (5, 3), "epochs": 1}, test=False)
    assert quality == {}
    assert "test_images" not in vars(study)


@pytest.mark.parametrize(("confidence", "times"), [(0.5, 1), (0.95, 12.7062)])
def test_differences_are_paired_and_their_interval_is_students(confidence, times):
    """Of two differences, half of the interval is a multiple of half their range; with a level of 0.5 it is just that.

    The unpaired accuracies vary more than their differences, 0.03 and 0.05.
    """
    found = _study.paired([0.93, 0.55], np.array([0.90, 0.50]), confidence)
    low, high = round(0.04 - 0.01 * times, 5), round(0.04 + 0.01 * times, 5)
    assert found == {"difference": 0.04, "low": low, "high": high}
    assert json.loads(json.dumps(found)) == found
    assert _study.paired([0.5] * 3, [0.75] * 3, confidence) == {"difference": -0.25, "low": -0.25, "high": -0.25}
