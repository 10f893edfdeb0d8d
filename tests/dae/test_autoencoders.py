from dataclasses import replace

import numpy as np
import pytest

from dae.autoencoders import (
    CHECKS,
    AutoencoderJob,
    AutoencoderSettings,
    _trainer,
    random_codes,
    train_autoencoders,
)

PLAIN = AutoencoderSettings(units=(64, 16), steps=150, batch_size=64, learning_rate=0.003)


@pytest.fixture(scope="module")
def job(mnist) -> AutoencoderJob:
    train, test = (mnist[f"{part}_images"].reshape(-1, 784) for part in ("train", "test"))
    labels, rows = mnist["train_labels"], np.arange(400).reshape(2, 200)
    probes = {"labelled": train[rows], "labels": labels[rows]}
    kept = {"queries": test[:3], "n_samples": 40, "keeps_codes": True}
    return AutoencoderJob(train[:1000], test[:500], mnist["test_labels"][:500], seed=3, **probes, **kept)


@pytest.fixture(scope="module")
def fitted(job) -> dict:
    kinds = {
        "plain": PLAIN,
        "untrained": replace(PLAIN, steps=0),
        "denoising": replace(PLAIN, noise=0.5),
        "tied": replace(PLAIN, tied=True),
        "variational": replace(PLAIN, variational=True),
        "wide": replace(PLAIN, units=(900,), activation="relu"),
        "linear": replace(PLAIN, units=(16,), squared_error=True, steps=2000),
    }
    return dict(zip(kinds, train_autoencoders([(job, kind) for kind in kinds.values()], n_jobs=2), strict=True))


def test_the_variational_loss_adds_up_no_more_gradients_at_once_than_the_plain_one():
    """TensorFlow's AddN adds up three or more in an order that may change, with buffers that others use as well."""
    import tensorflow as tf

    def largest(settings: AutoencoderSettings) -> list[int]:
        trainer, _, _ = _trainer(784, settings)
        order, rates = tf.zeros((2, 8), tf.int32), tf.zeros(2)
        images = tf.zeros((20, 784), tf.uint8)
        graph = trainer._run.get_concrete_function(order, rates, tf.constant(0), tf.constant(1), images).graph
        functions = graph.as_graph_def().library.function
        sums = [node.attr["N"].i for function in functions for node in function.node_def if node.op == "AddN"]
        return sorted(n for n in sums if n > 2)

    assert largest(replace(PLAIN, variational=True)) == largest(PLAIN)


def test_shapes_and_ranges(fitted):
    for name, found in fitted.items():
        code = 900 if name == "wide" else 16
        assert found.codes.shape == (500, code)
        assert found.test_errors.shape == (500,)
        assert found.queries.shape == (3, 784)
        assert found.samples.shape == (40, 784)
        assert len(found.linear) == len(found.neighbours) == 2
        assert found.byte_queries.shape == (3, 784)
        for images in (found.queries, found.samples, found.byte_queries):
            assert 0 <= images.min() <= images.max() <= 1


def test_training_lowers_the_error_and_noise_costs_some_of_it(fitted):
    errors = {name: found.test_errors.mean() for name, found in fitted.items()}
    assert errors["plain"] < errors["untrained"] / 2
    assert errors["wide"] < errors["plain"]
    assert errors["denoising"] > errors["plain"]


def test_tying_shares_the_kernels(fitted):
    kernels, decoder_biases = 784 * 64 + 64 * 16, 64 + 784
    assert fitted["plain"].n_parameters == 2 * kernels + 64 + 16 + decoder_biases
    assert fitted["tied"].n_parameters == kernels + 64 + 16 + decoder_biases


def test_the_variational_code_is_kept_near_the_standard_normal_distribution(fitted):
    sizes = {name: np.sqrt(np.square(fitted[name].codes).mean()) for name in ("variational", "plain")}
    assert 0.5 < sizes["variational"] < 1.5
    assert sizes["plain"] > 1.5 * sizes["variational"]


def test_random_codes_have_the_mean_and_the_whole_covariance_of_real_ones_or_are_standard_normal():
    rng = np.random.default_rng(0)
    codes = (rng.normal(size=(5000, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + [3.0, -1.0]).astype(np.float32)
    drawn = random_codes(20_000, codes, variational=False, seed=1)
    assert drawn.dtype == np.float32
    assert drawn.mean(axis=0) == pytest.approx([3, -1], abs=0.1)
    assert np.cov(drawn, rowvar=False) == pytest.approx(np.array([[4, 2], [2, 1.25]]), abs=0.2)
    assert np.cov(random_codes(20_000, codes, variational=True, seed=1), rowvar=False) == pytest.approx(
        np.eye(2), abs=0.05
    )
    assert random_codes(3, codes[:, :1], variational=False, seed=1).shape == (3, 1)
    assert random_codes(0, codes, variational=False, seed=1).shape == (0, 2)


def test_a_linear_network_with_the_squared_error_approaches_pca_and_does_not_pass_it(job, fitted):
    train = job.train / np.float32(255)
    _, vectors = np.linalg.eigh(np.cov(train, rowvar=False))
    centred = train - train.mean(axis=0)
    best = np.square(centred - centred @ vectors[:, -16:] @ vectors[:, -16:].T).mean()
    # the network's output is clipped to [0, 1], which helps a little
    assert 0.9 * best < fitted["linear"].train_error < 1.3 * best
    assert fitted["linear"].losses[-1] == pytest.approx(best, rel=0.3)


def test_the_losses_of_a_training_fall_and_an_untrained_network_has_none(fitted):
    assert fitted["untrained"].losses == []
    losses = fitted["plain"].losses
    assert len(losses) == 19  # 150 steps in parts of 8, the 20th part of them rounded up
    assert CHECKS == 20
    assert losses[0] > losses[5] > losses[-1] > 0


def test_codes_are_kept_and_images_made_up_only_where_they_are_asked_for(job):
    plain = replace(job, keeps_codes=False, n_samples=0, queries=job.queries[:0], labels=job.labels[:0])
    (found,) = train_autoencoders([(replace(plain, labelled=job.labelled[:0]), replace(PLAIN, steps=1))], n_jobs=1)
    assert found.codes.shape == (0, 16)
    assert found.samples.shape == found.queries.shape == found.byte_queries.shape == (0, 784)
    assert found.linear == found.neighbours == []


def test_images_brighter_than_white_are_given_to_the_network_as_they_are(job, fitted):
    bright = replace(job, queries=job.queries * np.float32(2))
    (found,) = train_autoencoders([(bright, PLAIN)], n_jobs=1)
    assert not np.allclose(found.queries, fitted["plain"].queries)
    clipped = replace(job, queries=np.minimum(job.queries * np.float32(2), 255))
    (other,) = train_autoencoders([(clipped, PLAIN)], n_jobs=1)
    assert not np.allclose(found.queries, other.queries)


def test_a_code_in_bytes_costs_little_but_something(fitted):
    found = fitted["plain"]
    assert found.byte_queries != pytest.approx(found.queries, abs=1e-6)
    assert found.byte_queries == pytest.approx(found.queries, abs=0.1)
    assert found.test_errors.mean() != found.byte_error
    assert found.byte_error == pytest.approx(found.test_errors.mean(), rel=0.05)


def test_activation_of_the_code(fitted):
    assert fitted["plain"].codes.min() < 0
    assert fitted["wide"].codes.min() == 0


def test_the_number_of_processes_changes_nothing(job, fitted):
    (again,) = train_autoencoders([(job, PLAIN)], n_jobs=1)
    np.testing.assert_array_equal(again.codes, fitted["plain"].codes)
    np.testing.assert_array_equal(again.samples, fitted["plain"].samples)
