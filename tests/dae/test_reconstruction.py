import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from dae.reconstruction import (
    fit_linear_denoiser,
    fit_pca,
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
    errors = [np.square(fit_pca(train, n)(train) - train).mean() for n in (1, 20, 200, 784, 1568)]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] == pytest.approx(0, abs=1e-8)
    assert errors[4] == errors[3]
    # fewer images than components asked for
    assert np.square(fit_pca(train[:20], 128)(train[:20]) - train[:20]).mean() == pytest.approx(0, abs=1e-8)


@pytest.fixture(scope="module")
def digits(mnist):
    """Training and test images of 14 x 14 pixels, with noise and without."""
    rng, found = np.random.default_rng(0), {}
    for part, n in (("train", 3000), ("test", 500)):
        clean = mnist[f"{part}_images"][:n].reshape(n, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(n, -1) / 255
        noisy = np.where(rng.random(clean.shape) < 0.5, 0, clean)
        found |= {part: clean.astype(np.float32), f"noisy_{part}": noisy.astype(np.float32)}
    return found


def denoised(digits, rank, train=slice(None)):
    return fit_linear_denoiser(digits["train"][train], digits["noisy_train"][train], rank)(digits["noisy_test"])


def test_with_a_code_as_large_as_the_image_it_is_least_squares(digits):
    inputs, outputs = (digits[name].astype(np.float64) for name in ("noisy_train", "train"))
    centre, clean_centre = inputs.mean(axis=0), outputs.mean(axis=0)
    # singular values are the roots of those of the covariance; pixels lit in hardly any image have small ones
    solution, *_ = np.linalg.lstsq(inputs - centre, outputs - clean_centre, rcond=1e-7**0.5)
    expected = (digits["noisy_test"] - centre) @ solution + clean_centre
    found = denoised(digits, 196)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.clip(expected, 0, 1), abs=1e-3)
    assert np.array_equal(denoised(digits, 500), found)


def test_of_all_affine_maps_through_so_small_a_code_it_is_the_best():
    """Against maps of this rank that gradient descent finds; no pixel is near its limits, so none is clipped."""
    rng = np.random.default_rng(0)
    train = 0.5 + 0.03 * rng.normal(size=(400, 3)) @ rng.normal(size=(3, 6))
    noisy = train + 0.05 * rng.normal(size=(400, 6)) * [1, 3, 1, 1, 0.2, 1]
    found = fit_linear_denoiser(train.astype(np.float32), noisy.astype(np.float32), 2)(noisy.astype(np.float32))
    assert 0 < found.min() < found.max() < 1
    singular = np.linalg.svd(found - found.mean(axis=0), compute_uv=False)
    assert singular[1] > 0.1
    assert singular[2] < 1e-4 * singular[1]  # two numbers decide an image

    from scipy.optimize import minimize

    x, y = noisy - noisy.mean(axis=0), train - train.mean(axis=0)

    def error(flat):
        into, out = flat[:12].reshape(6, 2), flat[12:].reshape(2, 6)
        rest = x @ into @ out - y
        gradient = [x.T @ rest @ out.T, (x @ into).T @ rest]
        return np.square(rest).sum(), 2 * np.concatenate([part.ravel() for part in gradient])

    tries = [minimize(error, rng.normal(size=24), jac=True, options={"gtol": 1e-8}).fun for _ in range(5)]
    assert np.square(found - train).sum() == pytest.approx(min(tries), rel=1e-3)


@pytest.mark.parametrize("rank", [8, 40])
def test_it_denoises_better_than_pca_which_knows_nothing_of_the_noise(digits, rank):
    errors = {
        "noisy": digits["noisy_test"],
        "linear": denoised(digits, rank),
        "pca": fit_pca(digits["train"], rank)(digits["noisy_test"]),
    }
    errors = {name: np.square(images - digits["test"]).mean() for name, images in errors.items()}
    assert errors["linear"] < errors["pca"]
    assert errors["linear"] < errors["noisy"]


def test_a_larger_code_denoises_better(digits):
    errors = [np.square(denoised(digits, rank) - digits["test"]).mean() for rank in (1, 5, 25, 100)]
    assert errors == sorted(errors, reverse=True)


def test_with_every_pixel_masked_the_mean_image_is_all_that_is_known(digits):
    black = np.zeros_like(digits["train"])
    found = fit_linear_denoiser(digits["train"], black, 20)(black[:3])
    assert found == pytest.approx(np.tile(digits["train"].mean(axis=0), (3, 1)), abs=1e-5)
