import numpy as np
import pytest

from dae.core.backend import tf
from dae.core.images import corrupt, random_affine
from stages.common.params import CORRUPTIONS

GREY = tf.fill((200, 784), 0.5)
SEED = tf.constant([7, 3])


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_same_seed_gives_the_same_noise_and_another_gives_other_noise(kind):
    first, again, other = (corrupt(GREY, kind, 0.4, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
def test_pixels_stay_in_range_and_zero_noise_changes_nothing(kind, noise):
    corrupted = corrupt(GREY, kind, noise, SEED).numpy()
    assert corrupted.min() >= 0
    assert corrupted.max() <= 1
    assert np.array_equal(corrupted, GREY) == (noise == 0)


def test_masking_sets_the_given_fraction_to_zero_and_keeps_the_rest():
    corrupted = corrupt(GREY, "masking", 0.3, SEED).numpy()
    assert set(np.unique(corrupted)) == {0.0, 0.5}
    assert (corrupted == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_salt_and_pepper_are_as_frequent():
    corrupted = corrupt(GREY, "salt_and_pepper", 0.3, SEED).numpy()
    assert (corrupted == 0).mean() == pytest.approx(0.15, abs=0.01)
    assert (corrupted == 1).mean() == pytest.approx(0.15, abs=0.01)


def test_gaussian_noise_has_the_given_standard_deviation():
    corrupted = corrupt(GREY, "gaussian", 0.1, SEED).numpy()
    assert corrupted.std() == pytest.approx(0.1, abs=0.002)
    assert corrupted.mean() == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("name", ["blur", "_uniform", "tf"])
def test_an_unknown_corruption_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f"'{name}'; dae/core/corruptions.py has no function of that name"):
        corrupt(GREY, name, 0.5, SEED)


def test_random_movements_are_small_follow_the_seed_and_differ_by_image():
    """A dot at the centre of 28 by 28 pixels stays near it, and every image is moved in its own way."""
    image = np.zeros((28, 28), np.float32)
    image[13:15, 13:15] = 1
    images = tf.constant(np.tile(image.ravel(), (50, 1)))
    first, again, other = (random_affine(images, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    moved = first.reshape(50, 28, 28)
    assert not np.array_equal(moved[0], moved[1])
    rows, columns = np.indices((28, 28))
    mass = moved.sum(axis=(1, 2))
    centres = np.stack([(moved * axis).sum(axis=(1, 2)) / mass for axis in (rows, columns)])
    assert mass == pytest.approx(np.full(50, 4.0), rel=0.35)
    assert np.abs(centres - 13.5).max() < 2.6
    assert 0.8 < (centres - 13.5).std() < 1.6


def test_movements_keep_most_of_a_real_image(mnist):
    images = tf.constant(mnist["test_images"][:200].reshape(200, -1) / np.float32(255))
    moved = random_affine(images, SEED).numpy()
    assert moved.min() >= 0
    assert moved.max() <= 1.0001
    assert moved.sum() == pytest.approx(images.numpy().sum(), rel=0.05)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(images.numpy(), moved, strict=True)]
    assert 0.4 < np.mean(correlations) < 0.95
