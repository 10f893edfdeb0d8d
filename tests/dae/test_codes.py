import numpy as np
import pytest

from dae.codes import (
    NEIGHBOURS,
    dead_units,
    effective_dimension,
    layers,
    linear_probe,
    main_components,
    neighbours_probe,
)


def test_the_layers_are_those_that_keras_computes(mnist):
    from dae.core.backend import keras
    from dae.core.networks import build_autoencoder, initial_weights

    images = mnist["test_images"][:50].reshape(50, -1) / np.float32(255)
    model = build_autoencoder(784, [30, 20, 10])
    encoder = [array + np.float32(0.01) for array in initial_weights(model, 1)[:6]]
    model.set_weights([*encoder, *model.get_weights()[6:]])
    expected = [
        keras.Model(model.input, model.get_layer(f"encoder_{number}").output)(images).numpy() for number in (1, 2, 3)
    ]
    found = list(layers(encoder, images))
    assert [outputs.shape for outputs in found] == [(50, 30), (50, 20), (50, 10)]
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours == 0).any()
        assert np.allclose(ours, theirs, atol=1e-4)


def test_a_unit_is_dead_if_no_image_fires_it():
    assert dead_units(np.array([[0, 0, 2, 0], [0, 1, 2, 0], [0, 0, 2, 0]])) == 2


def mixed(deviations, n=20_000):
    """Independent units of these standard deviations, turned: the covariance's eigenvalues are their squares."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(len(deviations), len(deviations))))
    return (5 + rng.normal(size=(n, len(deviations))) * deviations) @ turn


@pytest.mark.parametrize(
    ("deviations", "dimension", "components"),
    [
        ([1, 1, 1, 1, 1, 1], 6, 6),
        ([3, 3, 0, 0], 2, 2),
        ([2, 1, 1], 2, 3),  # variances 4, 1, 1: 6 ** 2 / 18, and 4 + 1 are 83 % of 6
        ([10, 1, 1], 102**2 / 10_002, 1),
    ],
)
def test_dimensions_of_known_variances(deviations, dimension, components):
    outputs = mixed(deviations)
    assert effective_dimension(outputs) == pytest.approx(dimension, rel=0.02)
    assert main_components(outputs) == components


def test_one_unit_has_one_dimension_and_units_that_do_not_vary_have_none():
    line = np.arange(5.0)[:, None]
    assert (effective_dimension(line), main_components(line)) == (1, 1)
    for still in (0 * line, np.zeros((5, 3), np.float32)):
        assert (effective_dimension(still), main_components(still)) == (0, 0)


@pytest.mark.parametrize(("probe", "crossed_accuracy"), [(linear_probe, (0.3, 0.7)), (neighbours_probe, (0.85, 1))])
def test_probes_separate_linear_classes_and_neighbours_separate_xor_too(probe, crossed_accuracy):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 2))
    half, crossed = (points[:, 0] > 0).astype(int), (points[:, 0] * points[:, 1] > 0).astype(int)
    assert probe(points[:200], half[:200], points[200:], half[200:]) > 0.93
    low, high = crossed_accuracy
    assert low < probe(points[:200], crossed[:200], points[200:], crossed[200:]) < high


def test_the_neighbours_vote():
    features = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [50.0], [51.0], [52.0]])
    labels = np.array([7, 7, 8, 8, 8, 7, 7, 7])
    assert NEIGHBOURS == 5
    assert neighbours_probe(features, labels, np.array([[0.0]]), np.array([8])) == 1  # three of five are 8
    assert neighbours_probe(features, labels, np.array([[51.0]]), np.array([7])) == 1
    # four labelled images all vote, wherever the test image is
    assert neighbours_probe(features[1:5], labels[1:5], np.array([[1.0], [4.0]]), np.array([8, 7])) == 0.5
