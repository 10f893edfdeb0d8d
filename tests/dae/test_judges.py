import numpy as np
import pytest

from dae.judges import frechet_distance, look


def test_frechet_distance_of_sets_that_are_alike_shifted_and_spread():
    features = np.random.default_rng(0).normal(size=(4000, 8))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, features + 3) == pytest.approx(8 * 3**2)
    # spread by a factor of 2 about the mean: the sum over features of (2 s - s) ** 2
    spread = features.mean(axis=0) + 2 * (features - features.mean(axis=0))
    assert frechet_distance(features, spread) == pytest.approx(np.cov(features, rowvar=False).trace())


def test_a_look_is_the_last_hidden_layer_and_the_largest_probability(mnist):
    from dae.core.backend import keras
    from dae.core.networks import build_convolutional_classifier, initial_weights

    units = (4, 6)
    model = build_convolutional_classifier(784, units, 0.5)
    weights = initial_weights(model, 1)
    weights[-1] = np.arange(10, dtype=np.float32)
    model.set_weights(weights)
    images = mnist["test_images"][:30].reshape(30, -1) / np.float32(255)
    first, second = look(weights, units, [images[:20], images[20:]], n_jobs=1)
    assert first.features.shape == (20, 6)
    features = keras.Model(model.input, model.get_layer("encoder_2").output)(images[20:]).numpy()
    assert second.features == pytest.approx(features, abs=1e-5)
    odds = np.exp((features @ weights[-2] + weights[-1]).astype(np.float64))
    assert second.confidences == pytest.approx(odds.max(axis=1) / odds.sum(axis=1), abs=1e-5)
