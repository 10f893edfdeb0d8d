from dataclasses import replace

import numpy as np
import pytest

from dae.autoencoders import N_SAMPLES, AutoencoderJob, AutoencoderSettings, train_autoencoders

PLAIN = AutoencoderSettings(units=(64, 16), steps=150, batch_size=64, learning_rate=0.003)


@pytest.fixture(scope="module")
def job(mnist) -> AutoencoderJob:
    train, test = (mnist[f"{part}_images"].reshape(-1, 784) for part in ("train", "test"))
    labels, rows = mnist["train_labels"], np.arange(400).reshape(2, 200)
    probes = {"labelled": train[rows], "labels": labels[rows]}
    return AutoencoderJob(train[:1000], test[:500], mnist["test_labels"][:500], seed=3, **probes, queries=test[:3])


@pytest.fixture(scope="module")
def fitted(job) -> dict:
    kinds = {
        "plain": PLAIN,
        "untrained": replace(PLAIN, steps=0),
        "denoising": replace(PLAIN, noise=0.5),
        "tied": replace(PLAIN, tied=True),
        "variational": replace(PLAIN, variational=True),
        "wide": replace(PLAIN, units=(900,), activation="relu"),
    }
    return dict(zip(kinds, train_autoencoders([(job, kind) for kind in kinds.values()], n_jobs=2), strict=True))


def test_shapes_and_ranges(fitted):
    for name, found in fitted.items():
        code = 900 if name == "wide" else 16
        assert found.codes.shape == (500, code)
        assert found.test_errors.shape == (500,)
        assert found.queries.shape == (3, 784)
        assert found.samples.shape == (N_SAMPLES, 784)
        assert len(found.probes) == 2
        for images in (found.queries, found.samples):
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


def test_a_code_in_bytes_costs_little_but_something(fitted):
    found = fitted["plain"]
    assert found.test_errors.mean() != found.byte_error
    assert found.byte_error == pytest.approx(found.test_errors.mean(), rel=0.05)


def test_activation_of_the_code(fitted):
    assert fitted["plain"].codes.min() < 0
    assert fitted["wide"].codes.min() == 0


def test_the_number_of_processes_changes_nothing(job, fitted):
    (again,) = train_autoencoders([(job, PLAIN)], n_jobs=1)
    np.testing.assert_array_equal(again.codes, fitted["plain"].codes)
    np.testing.assert_array_equal(again.samples, fitted["plain"].samples)
