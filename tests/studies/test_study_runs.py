"""How a study draws, pre-trains and tests, with what is trained known beforehand."""

import numpy as np
import pytest

from dae.classifiers import ClassifierResult, ClassifierSettings
from dae.core.seeds import derive
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

    def train(jobs, settings, n_jobs):
        for number, job in enumerate(jobs):
            given.append(job)
            answers = study.test_labels.copy()
            answers[: 50 * number] += 1  # none, a quarter and half of the 200 are wrong
            yield ClassifierResult(np.eye(11)[answers], [], [])

    monkeypatch.setattr(_study, "train_classifiers", train)
    rows = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])]
    assert study.test("a name", rows, SETTINGS, [["first"], ["second"]]) == [1.0, 0.75, 0.5]
    assert [job.encoder for job in given] == [["first"], ["second"], ["first"]]
    assert [job.labels.tolist() for job in given] == [study.labels[draw].tolist() for draw in rows]
    assert all((job.images == study.images[draw]).all() for job, draw in zip(given, rows, strict=True))
    assert all(job.test_images.shape == (200, 784) for job in given)
    assert [job.seed for job in given] == [derive(42, "a name", r, "seed") for r in range(3)]


def test_a_dae_is_measured_on_the_test_images_and_its_encoder_taken(study, monkeypatch):
    """Of the test images a quarter is white; the noise masks all pixels, and the dAE makes all of them white."""
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    asked = {}

    def fit(trainer, *data, weights, **how):
        asked.update(how)
        weights = [np.zeros_like(array) for array in weights]
        weights[0][:], weights[-1][:] = 7, 50
        trainer.model.set_weights(weights)

    monkeypatch.setattr("dae.core.training.Trainer.fit", fit)
    study.images = np.zeros((3, 16), np.uint8)
    study.test_images = np.tile(np.array([255, 0, 0, 0], np.uint8), (3, 4))
    how = {"epochs": 4, "corruption": "masking", "noise": 1.0, "tied": False}
    encoder, quality = study.pretrain("a name", [5, 3], **how)
    assert quality == pytest.approx({"noisy": 6.0206, "denoised": 1.2494}, abs=1e-4)  # decibels of 1/4 and of 3/4
    assert [array.shape for array in encoder] == [(16, 5), (5,), (5, 3), (3,)]
    assert (encoder[0] == 7).all()
    # the three images are one batch, so an epoch is one step
    assert (asked["steps"], asked["batch_size"], asked["learning_rate"]) == (4, 256, 0.003)
    assert asked["seed"] == derive(42, "a name")
