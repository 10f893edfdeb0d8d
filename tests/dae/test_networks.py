import numpy as np
import pytest

from dae.core.networks import (
    build_autoencoder,
    build_classifier,
    build_convolutional_autoencoder,
    build_convolutional_classifier,
    initial_weights,
    untie,
)

UNITS = [12, 5]
PIXELS = np.random.default_rng(0).random((4, 20), np.float32)


@pytest.mark.parametrize("tied", [False, True])
def test_the_autoencoder_gives_logits_of_its_input_and_holds_the_encoder_first(tied):
    model = build_autoencoder(20, UNITS, tied)
    assert model(PIXELS).shape == (4, 20)
    shapes = [weight.shape for weight in model.get_weights()]
    assert shapes[:4] == [(20, 12), (12,), (12, 5), (5,)]
    assert shapes[4:] == ([(12,), (20,)] if tied else [(5, 12), (12,), (12, 20), (20,)])


def test_the_tied_decoder_is_the_encoder_transposed():
    model = build_autoencoder(20, UNITS, tied=True)
    w1, b1, w2, b2, c2, c1 = weights = initial_weights(model, 3)
    model.set_weights(weights)
    hidden = np.maximum(np.maximum(PIXELS @ w1 + b1, 0) @ w2 + b2, 0)
    expected = np.maximum(hidden @ w2.T + c2, 0) @ w1.T + c1
    assert np.allclose(model(PIXELS), expected, atol=1e-5)


def test_untying_keeps_the_function():
    model = build_autoencoder(20, UNITS, tied=True)
    model.set_weights([w + 0.1 for w in initial_weights(model, 3)])
    assert np.allclose(model(PIXELS), untie(model, UNITS)(PIXELS), atol=1e-5)


def test_the_classifier_starts_with_the_shapes_of_the_encoder():
    encoder = build_autoencoder(20, UNITS).get_weights()[:4]
    classifier = build_classifier(20, UNITS, dropout=0.3)
    assert [w.shape for w in classifier.get_weights()[:4]] == [w.shape for w in encoder]
    assert classifier(PIXELS).shape == (4, 10)


def test_initial_weights_follow_he_and_the_seed():
    model = build_classifier(784, [500], dropout=0)
    kernel, bias, *_ = first = initial_weights(model, 1)
    assert kernel.std() == pytest.approx(np.sqrt(2 / 784), rel=0.01)
    assert not bias.any()
    assert all(np.array_equal(a, b) for a, b in zip(first, initial_weights(model, 1), strict=True))
    assert not np.array_equal(kernel, initial_weights(model, 2)[0])


def test_the_convolutional_networks_share_their_encoder():
    units = [4, 6, 10]
    autoencoder = build_convolutional_autoencoder(784, units)
    classifier = build_convolutional_classifier(784, units, 0.3)
    images = np.random.default_rng(0).random((3, 784), np.float32)
    assert autoencoder(images).shape == (3, 784)
    assert classifier(images).shape == (3, 10)
    encoder = [weight.shape for weight in autoencoder.get_weights()[: 2 * len(units)]]
    assert encoder == [(3, 3, 1, 4), (4,), (3, 3, 4, 6), (6,), (7 * 7 * 6, 10), (10,)]
    assert encoder == [weight.shape for weight in classifier.get_weights()[: 2 * len(units)]]
    assert initial_weights(classifier, 1)[2].std() == pytest.approx(np.sqrt(2 / 36), rel=0.15)


@pytest.mark.parametrize("side", [8, 25, 63])
def test_networks_fit_images_of_any_size_and_any_number_of_classes(side):
    images, units = np.random.default_rng(0).random((3, side * side), np.float32), [4, 6, 10]
    assert build_convolutional_autoencoder(side * side, units)(images).shape == images.shape
    assert build_convolutional_classifier(side * side, units, 0.3, n_classes=23)(images).shape == (3, 23)
    assert build_classifier(side * side, units, 0.3, n_classes=2)(images).shape == (3, 2)
