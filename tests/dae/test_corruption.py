import numpy as np
import pytest

from dae.backend import tf
from dae.corruption import corrupt

KINDS = ["masking", "gaussian", "salt_and_pepper"]
GREY = tf.fill((200, 784), 0.5)
SEED = tf.constant([7, 3])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_noise_and_another_gives_other_noise(kind):
    first, again, other = (corrupt(GREY, kind, 0.4, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", KINDS)
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


def test_an_unknown_corruption_is_refused_by_name():
    with pytest.raises(ValueError, match="'blur'"):
        corrupt(GREY, "blur", 0.5, SEED)
