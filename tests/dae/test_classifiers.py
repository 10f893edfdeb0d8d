from dataclasses import replace

import numpy as np
import pytest

from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.metrics import evaluate
from dae.sampling import draw_labelled

SETTINGS = ClassifierSettings(units=(32, 16), dropout=0.2, masking=0.3, batch_size=20, steps=60, learning_rate=0.003)


@pytest.fixture(scope="module")
def train(mnist):
    draws = np.stack([draw_labelled(mnist["train_labels"], 100, seed, stratified=True) for seed in range(3)])

    images, labels = mnist["train_images"].reshape(60_000, -1), mnist["train_labels"]
    test_images = mnist["test_images"][:1000].reshape(1000, -1)

    def run(n_jobs=2, encoder=(), settings=SETTINGS, order=(0, 1, 2)):
        jobs = [
            ClassifierJob(images[draw], labels[draw], test_images, encoder, seed)
            for draw, seed in zip(draws, [5, 6, 7], strict=True)
        ]
        return list(train_classifiers([jobs[i] for i in order], settings, n_jobs))

    return run


def test_results_do_not_depend_on_the_number_of_processes(train):
    one, two = train(n_jobs=1), train(n_jobs=2)
    assert len(one) == 3
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.probabilities, b.probabilities)
        assert a.history == b.history


def test_results_do_not_depend_on_what_a_worker_did_before(train):
    expected, order = train(), (2, 0, 1)
    for i, trained in zip(order, train(n_jobs=1, order=order), strict=True):
        assert np.array_equal(trained.probabilities, expected[i].probabilities)


def test_probabilities_are_right_and_better_than_chance(train, mnist):
    for result in train():
        assert result.probabilities.dtype == np.float32
        assert np.allclose(result.probabilities.sum(axis=1), 1, atol=1e-5)
        assert (result.probabilities.argmax(axis=1) == mnist["test_labels"][:1000]).mean() > 0.4


def test_the_arms_differ_in_the_encoders_initial_weights_alone(train):
    """With the encoder that the baseline draws itself, the pre-trained arm is the baseline."""
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    own = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))[:4]
    baseline, other = train()[0], train(encoder=own)
    assert np.array_equal(other[0].probabilities, baseline.probabilities)
    assert not np.array_equal(other[1].probabilities, train()[1].probabilities)


def test_frozen_layers_keep_their_weights(train):
    frozen = train(settings=replace(SETTINGS, frozen=1))[0]
    free = train()[0]
    from dae.core.networks import build_classifier, initial_weights
    from dae.core.seeds import derive

    initial = initial_weights(build_classifier(784, SETTINGS.units, SETTINGS.dropout), derive(5, "weights"))
    assert all(np.array_equal(a, b) for a, b in zip(frozen.weights[:2], initial[:2], strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(frozen.weights[2:], initial[2:], strict=True))
    assert not np.array_equal(free.weights[0], initial[0])


def test_a_convolutional_network_with_moved_images_learns(train, mnist):
    settings = replace(
        SETTINGS, units=(4, 8, 16), steps=200, masking=0.0, dropout=0.0, convolutional=True, augment=True
    )
    first, again = train(settings=settings)[0], train(settings=settings)[0]
    assert np.array_equal(first.probabilities, again.probabilities)
    assert (first.probabilities.argmax(axis=1) == mnist["test_labels"][:1000]).mean() > 0.5


def test_a_class_that_the_draw_misses_is_no_error_and_is_never_recalled(mnist):
    rows = np.flatnonzero(mnist["train_labels"] != 9)[:200]
    images, test_images = mnist["train_images"][rows].reshape(200, -1), mnist["test_images"][:1000].reshape(1000, -1)
    job = ClassifierJob(images, mnist["train_labels"][rows], test_images, (), seed=1)
    (trained,) = train_classifiers([job], SETTINGS, n_jobs=1)
    recall = evaluate(trained.probabilities, mnist["test_labels"][:1000])
    assert recall["recall_9"] < 0.05
    assert recall["recall_1"] > 0.5
