"""Measures how close images are to the originals, and reconstructs linearly: baselines for the dAE."""

import numpy as np
from skimage.metrics import structural_similarity
from sklearn.decomposition import PCA

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


def project_on_principal_components(train: np.ndarray, images: np.ndarray, n_components: int) -> np.ndarray:
    """Reconstruct images from the training set's principal components: the best linear code of `n_components`.

    Args:
        train: float32 array of shape (n, pixels) in [0, 1], without noise.
        images: float32 array of shape (m, pixels).
        n_components: size of the code; if it is larger than the number of pixels, that number is used.

    Returns:
        Float32 array of shape (m, pixels), clipped to [0, 1].
    """
    pca = PCA(min(n_components, train.shape[1]), svd_solver="covariance_eigh").fit(train)
    return np.clip(pca.inverse_transform(pca.transform(images)), 0.0, 1.0).astype(np.float32)


def denoise_linearly(train: np.ndarray, noisy_train: np.ndarray, images: np.ndarray, n_components: int) -> np.ndarray:
    """Denoise images by the best affine map from noisy to clean images that passes through `n_components` numbers.

    It is reduced-rank regression (Izenman, Journal of Multivariate Analysis 5, 1975): least squares, then projection on
    the principal components of what least squares predicts. This is the linear counterpart of a denoising autoencoder.

    Args:
        train: float32 array of shape (n, pixels) in [0, 1], without noise.
        noisy_train: the same images with noise.
        images: noisy images to denoise, float32 of shape (m, pixels).
        n_components: size of the code; if it is larger than the number of pixels, that number is used.

    Returns:
        Float32 array of shape (m, pixels), clipped to [0, 1].
    """
    centre, clean_centre = noisy_train.mean(axis=0), train.mean(axis=0)
    centred = noisy_train - centre
    gram = (centred.T @ centred).astype(np.float64)
    # pixels that are never lit have no variance, so the inverse is a pseudo-inverse
    weights = np.linalg.pinv(gram, rcond=1e-7, hermitian=True) @ (centred.T @ (train - clean_centre))
    _, directions = np.linalg.eigh(weights.T @ gram @ weights)
    kept = directions[:, -n_components:]
    return np.clip((images - centre) @ weights @ kept @ kept.T + clean_centre, 0.0, 1.0).astype(np.float32)


def frechet_distance(images: np.ndarray, others: np.ndarray, n_components: int = 50) -> float:
    """Distance between two sets of images as distributions: 0 if their means and covariances are equal.

    It is the squared Fréchet distance between normal distributions fitted to both sets, as in Heusel et al. (NIPS
    2017), but on the first principal components of `images` instead of a network's features.

    Args:
        images, others: float arrays of shape (n, pixels), with more rows than components.
        n_components: number of principal components; at most the number of pixels is used.
    """
    pca = PCA(min(n_components, images.shape[1]), svd_solver="covariance_eigh").fit(images)
    (mean, covariance), (other_mean, other_covariance) = (
        (features.mean(axis=0), np.cov(features, rowvar=False))
        for features in (pca.transform(images), pca.transform(others))
    )
    # the sum of these roots is the trace of the product's square root; the eigenvalues of two covariances' product are
    # real and at least 0, except for rounding
    roots = np.sqrt(np.maximum(np.linalg.eigvals(covariance @ other_covariance).real, 0))
    return float(np.square(mean - other_mean).sum() + np.trace(covariance + other_covariance) - 2 * roots.sum())
