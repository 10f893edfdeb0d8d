import numpy as np
import pytest

from dae.core.backend import tf
from dae.core.images import corrupt, random_affine, rescale
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


# those that 8 bits give exactly, and those that take 16
@pytest.mark.parametrize("noise", [0.25, 0.5, 0.75, 255 / 256, 0.001, 0.3, 1 / 3, 0.999])
def test_masking_sets_the_given_fraction_to_zero_and_keeps_the_rest(noise):
    grey = tf.fill((1000, 784), 0.5)
    corrupted = corrupt(grey, "masking", noise, SEED).numpy()
    assert set(np.unique(corrupted)) == {0.0, 0.5}
    error = np.sqrt(noise * (1 - noise) / corrupted.size) + 0.5 / 65536  # of the mean, and of the rounding
    assert (corrupted == 0).mean() == pytest.approx(noise, abs=4 * error)


@pytest.mark.parametrize("noise", [0.5, 0.3])
def test_masked_pixels_are_independent_of_their_neighbours_their_images_and_the_step(noise):
    hit = corrupt(GREY, "masking", noise, SEED).numpy() == 0
    others = [corrupt(GREY, "masking", noise, tf.constant(seed)).numpy() == 0 for seed in ([7, 4], [8, 3])]
    flat = hit.ravel()
    pairs = [(flat[lag:], flat[:-lag]) for lag in (1, 2, 3, 4, 784)] + [(flat, other.ravel()) for other in others]
    for one, other in pairs:
        assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(flat.size)
    # each pixel is hit in about as many of the 200 images
    assert hit.mean(axis=0).std() == pytest.approx(np.sqrt(noise * (1 - noise) / 200), rel=0.1)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 783])
@pytest.mark.parametrize("noise", [1.0, 0.3, 0.5])
def test_masking_takes_images_of_any_number_of_pixels(n, noise):
    """The random words have 32 bits, so the last one may be used in part."""
    corrupted = corrupt(tf.fill((1, n), 0.5), "masking", noise, SEED).numpy()
    assert corrupted.shape == (1, n)
    assert set(np.unique(corrupted)) <= ({0.0} if noise == 1 else {0.0, 0.5})


def test_masking_so_weak_that_16_bits_cannot_tell_it_from_none_still_hits_some_pixel():
    hits = (corrupt(tf.fill((4000, 784), 0.5), "masking", 1e-7, SEED).numpy() == 0).sum()
    assert hits == pytest.approx(4000 * 784 / 65536, abs=28)  # four standard deviations about 48


@pytest.mark.parametrize("noise", [0.001, 0.3, 0.5, 0.75, 0.9])
def test_rescaling_gives_masked_images_the_mean_brightness_of_clean_ones(mnist, noise):
    images = tf.constant(mnist["test_images"][:2000].reshape(2000, -1) / np.float32(255))
    masked = corrupt(images, "masking", noise, SEED)
    bright = rescale(masked, "masking", noise).numpy()
    assert bright.mean() == pytest.approx(images.numpy().mean(), rel=0.015)
    assert masked.numpy().mean() == pytest.approx((1 - noise) * images.numpy().mean(), rel=0.015)
    assert np.array_equal(bright == 0, masked.numpy() == 0)


@pytest.mark.parametrize(
    ("kind", "noise"), [("gaussian", 0.5), ("salt_and_pepper", 0.5), ("masking", 0.0), ("masking", 1.0)]
)
def test_other_noise_is_not_rescaled_nor_is_what_has_no_pixel_left(kind, noise):
    noisy = corrupt(GREY, kind, noise, SEED)
    assert np.array_equal(rescale(noisy, kind, noise), noisy)


def test_salt_and_pepper_are_as_frequent():
    corrupted = corrupt(GREY, "salt_and_pepper", 0.3, SEED).numpy()
    assert (corrupted == 0).mean() == pytest.approx(0.15, abs=0.01)
    assert (corrupted == 1).mean() == pytest.approx(0.15, abs=0.01)


def test_gaussian_noise_has_the_given_standard_deviation():
    corrupted = corrupt(GREY, "gaussian", 0.1, SEED).numpy()
    assert corrupted.std() == pytest.approx(0.1, abs=0.002)
    assert corrupted.mean() == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("name", ["blur", "_hit", "tf"])
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
