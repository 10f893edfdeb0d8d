import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from dae.reconstruction import (
    frechet_distance,
    project_on_principal_components,
    psnr,
    structural_similarities,
    summarise,
)


@pytest.fixture(scope="module")
def pairs(mnist):
    originals = mnist["test_images"][:120] / np.float32(255)
    noise = np.random.default_rng(0).normal(0, 0.2, originals.shape)
    return originals, np.clip(originals + noise, 0, 1).astype(np.float32), mnist["test_labels"][:120]


def test_ssim_of_all_at_once_is_scikit_images_of_each(pairs):
    originals, noisy, _ = pairs
    expected = [
        structural_similarity(a.astype(float), b.astype(float), data_range=1.0)
        for a, b in zip(originals, noisy, strict=True)
    ]
    assert structural_similarities(originals, noisy) == pytest.approx(expected, abs=1e-12)


def test_summary_over_all_images_and_by_class(pairs):
    originals, noisy, classes = pairs
    rows = summarise(originals, noisy, classes)
    assert [row["class"] for row in rows] == ["all", *range(10)]
    assert rows[0]["mse"] == pytest.approx(mean_squared_error(originals, noisy))
    assert rows[0]["psnr"] == pytest.approx(peak_signal_noise_ratio(originals, noisy, data_range=1.0))
    threes = classes == 3
    assert rows[4]["psnr"] == pytest.approx(peak_signal_noise_ratio(originals[threes], noisy[threes], data_range=1.0))


def test_equal_images_have_no_finite_psnr(pairs):
    originals, _, classes = pairs
    assert psnr(0.0) is None
    assert summarise(originals, originals, classes)[0] == {"class": "all", "psnr": None, "ssim": 1.0, "mse": 0.0}


def test_the_projection_is_the_best_linear_code(mnist):
    train = mnist["train_images"][:2000].reshape(2000, -1) / np.float32(255)
    errors = [
        np.square(project_on_principal_components(train, train, n) - train).mean() for n in (1, 20, 200, 784, 1568)
    ]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] == pytest.approx(0, abs=1e-8)
    assert errors[4] == errors[3]


def test_frechet_distance_of_sets_that_are_alike_shifted_and_spread():
    images = np.random.default_rng(0).normal(size=(4000, 8))
    assert frechet_distance(images, images) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(images, images + 3) == pytest.approx(8 * 3**2)
    # spread by a factor of 2 about the mean: the sum over components of (2 s - s) ** 2
    spread = images.mean(axis=0) + 2 * (images - images.mean(axis=0))
    assert frechet_distance(images, spread) == pytest.approx(np.cov(images, rowvar=False).trace())
