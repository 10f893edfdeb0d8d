"""Looks at what the layers of an encoder hold: units that never fire, dimensions that are used, classes that show."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NEIGHBOURS = 5  # of `neighbours_probe`
MOST = 0.95  # share of the variance that `main_components` counts


def layers(encoder: Sequence[np.ndarray], images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the outputs of an encoder's ReLU layers, float32 of shape (n, units) each.

    Args:
        encoder: `[kernel_1, bias_1, ...]`.
        images: float32 of shape (n, pixels), in [0, 1].
    """
    outputs = images
    for kernel, bias in zip(encoder[::2], encoder[1::2], strict=True):
        outputs = np.maximum(outputs @ kernel + bias, 0)
        yield outputs


def dead_units(outputs: np.ndarray) -> int:
    """The number of units that are 0 for all images, from outputs of shape (n, units)."""
    return int((outputs == 0).all(axis=0).sum())


def effective_dimension(outputs: np.ndarray) -> float:
    """The participation ratio of the covariance's eigenvalues l: (sum l)^2 / sum l^2 (Gao et al., bioRxiv, 2017).

    It is the number of units if all vary equally and independently, 1 if all vary together, and 0 if none varies.
    """
    eigenvalues = _eigenvalues(outputs)
    total = eigenvalues.sum()
    return float(total**2 / np.square(eigenvalues).sum()) if total > 0 else 0.0


def main_components(outputs: np.ndarray) -> int:
    """The number of principal components that hold the share `MOST` of the variance of outputs of shape (n, units).

    It is 0 if no unit varies.
    """
    sums = np.cumsum(_eigenvalues(outputs)[::-1])
    return int(np.searchsorted(sums, MOST * sums[-1]) + 1) if sums[-1] > 0 else 0


def linear_probe(features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, test_labels: np.ndarray) -> float:
    """Test accuracy of a linear probe (Alain & Bengio, ICLR workshop 2017): how linearly separable the classes are.

    The probe is a ridge classifier on standardised features; leave-one-out cross-validation chooses its penalty.

    Args:
        features, labels: to train on, of shapes (n, features) and (n,).
        test_features, test_labels: to test on, of shapes (n_test, features) and (n_test,).
    """
    classifier = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=10.0 ** np.arange(-1, 6)))
    return float(classifier.fit(features, labels).score(test_features, test_labels))


def neighbours_probe(
    features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, test_labels: np.ndarray
) -> float:
    """Test accuracy of the vote of the `NEIGHBOURS` nearest labelled features, or of all if there are fewer."""
    classifier = KNeighborsClassifier(min(NEIGHBOURS, len(features)))
    return float(classifier.fit(features, labels).score(test_features, test_labels))


def _eigenvalues(outputs: np.ndarray) -> np.ndarray:
    """Eigenvalues of the covariance of the units, in ascending order, at least 0."""
    covariance = np.atleast_2d(np.cov(outputs.astype(np.float64), rowvar=False))
    return np.maximum(np.linalg.eigvalsh(covariance), 0)
