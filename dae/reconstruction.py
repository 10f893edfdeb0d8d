"""Measures how close images are to the originals, and reconstructs linearly: baselines for the dAE."""

from collections.abc import Callable

import numpy as np
from skimage.metrics import structural_similarity
from sklearn.decomposition import PCA

# from float32 images of shape (n, pixels) to such images, clipped to [0, 1]
Reconstruct = Callable[[np.ndarray], np.ndarray]
WINDOW = 7  # pixels, scikit-image's default for SSIM
CHUNK = 1000  # images that SSIM compares at a time, which bounds the memory


def mean_squared_errors(originals: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Mean squared error of each image: from two arrays of shape (n, 28, 28), in [0, 1], to shape (n,)."""
    return np.square(originals.astype(np.float64) - images).mean(axis=(1, 2))


def psnr(mean_squared_error: float) -> float | None:
    """Peak signal-to-noise ratio in decibels for pixels in [0, 1]; None if the error is 0 and the ratio infinite."""
    return None if mean_squared_error == 0 else float(-10 * np.log10(mean_squared_error))


def structural_similarities(originals: np.ndarray, images: np.ndarray) -> np.ndarray:
    """SSIM of each image (Wang et al., IEEE TIP 13, 2004): from arrays of shape (n, 28, 28) in [0, 1] to shape (n,).

    Many images are stacked in one column for one call to scikit-image, which is far faster than a call for each image.
    The result is the same: SSIM compares windows of 7 by 7 pixels, and windows that cross an image's edge are left out.
    """
    return np.concatenate(
        [_similarities(originals[i : i + CHUNK], images[i : i + CHUNK]) for i in range(0, len(images), CHUNK)]
    )


def _similarities(originals: np.ndarray, images: np.ndarray) -> np.ndarray:
    n, height, width = originals.shape
    column = (n * height, width)
    _, similarity = structural_similarity(
        originals.reshape(column).astype(np.float64),
        images.reshape(column).astype(np.float64),
        win_size=WINDOW,
        data_range=1.0,
        full=True,
    )
    edge = WINDOW // 2
    return similarity.reshape(n, height, width)[:, edge:-edge, edge:-edge].mean(axis=(1, 2))


def summarise(originals: np.ndarray, images: np.ndarray, classes: np.ndarray) -> list[dict]:
    """PSNR in dB, SSIM in [-1, 1] and MSE of images against originals: over all images, then for each class.

    PSNR is computed from the mean squared error over the images, so it stays finite when single images have no error.

    Args:
        originals, images: shape (n, 28, 28), in [0, 1].
        classes: int array of shape (n,).

    Returns:
        Dicts with the keys class (`all`, then each class that occurs), psnr, ssim and mse.
    """
    errors, similarities = mean_squared_errors(originals, images), structural_similarities(originals, images)
    rows = [("all", np.ones(len(classes), bool)), *((int(c), classes == c) for c in np.unique(classes))]
    return [
        {
            "class": name,
            "psnr": psnr(errors[mask].mean()),
            "ssim": float(similarities[mask].mean()),
            "mse": float(errors[mask].mean()),
        }
        for name, mask in rows
    ]


def fit_pca(train: np.ndarray, n_components: int) -> Reconstruct:
    """Return a function that reconstructs images from principal components: the best linear code of that size.

    Args:
        train: float32 array of shape (n, pixels) in [0, 1], without noise; its components are used.
        n_components: size of the code; if it is larger than n or the number of pixels, the least of these is used.
    """
    pca = PCA(min(n_components, *train.shape), svd_solver="covariance_eigh").fit(train)
    return lambda images: np.clip(pca.inverse_transform(pca.transform(images)), 0.0, 1.0).astype(np.float32)


def fit_linear_denoiser(train: np.ndarray, noisy_train: np.ndarray, n_components: int) -> Reconstruct:
    """Return a function that denoises images by the best affine map that passes through `n_components` numbers.

    It is reduced-rank regression (Izenman, Journal of Multivariate Analysis 5, 1975): least squares, then projection on
    the principal components of what least squares predicts. This is the linear counterpart of a denoising autoencoder.

    Args:
        train: float32 array of shape (n, pixels) in [0, 1], without noise.
        noisy_train: the same images with noise; the map from these to `train` is the best.
        n_components: size of the code; if it is larger than the number of pixels, that number is used.
    """
    centre, clean_centre = noisy_train.mean(axis=0), train.mean(axis=0)
    centred = noisy_train - centre
    gram = (centred.T @ centred).astype(np.float64)
    # pixels that are never lit have no variance, so the inverse is a pseudo-inverse
    weights = np.linalg.pinv(gram, rcond=1e-7, hermitian=True) @ (centred.T @ (train - clean_centre))
    _, directions = np.linalg.eigh(weights.T @ gram @ weights)
    kept = directions[:, -n_components:]

    def denoise(images: np.ndarray) -> np.ndarray:
        return np.clip((images - centre) @ weights @ kept @ kept.T + clean_centre, 0.0, 1.0).astype(np.float32)

    return denoise
