"""Judges made-up images by a classifier of real ones: how sure it is of them, and how far their features lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from scipy.special import softmax

from dae.processes import workers


@dataclass(frozen=True)
class Look:
    """What a classifier makes of n images.

    Attributes:
        features: outputs of the last hidden layer, float64 array of shape (n, units).
        confidences: the largest class probability of each image, float64 array of shape (n,).
    """

    features: np.ndarray
    confidences: np.ndarray


def look(weights: Sequence[np.ndarray], units: Sequence[int], sets: Sequence[np.ndarray], n_jobs: int) -> list[Look]:
    """What a convolutional classifier makes of several sets of images.

    Args:
        weights, units: see `dae.classifiers.ClassifierResult` and `dae.core.networks.build_convolutional_classifier`.
        sets: float32 arrays of shape (n, pixels), in [0, 1].
        n_jobs: see `dae.processes.workers`, which make the only call.

    Raises:
        ConnectionError: see `dae.processes.workers`.
    """
    (found,) = workers(n_jobs)([delayed(_look)(weights, units, sets)])
    return found


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """Distance between two sets as distributions of their features: 0 if means and covariances are equal.

    It is the squared Fréchet distance between normal distributions fitted to both (Heusel et al., NIPS 2017).

    Args:
        features, others: float64 arrays of shapes (n, features) and (m, features), of more rows than features.
    """
    (mean, covariance), (other_mean, other_covariance) = (
        (found.mean(axis=0), np.cov(found, rowvar=False)) for found in (features, others)
    )
    # the sum of these roots is the trace of the product's square root; the eigenvalues of two covariances' product are
    # real and at least 0, except for rounding
    roots = np.sqrt(np.maximum(np.linalg.eigvals(covariance @ other_covariance).real, 0))
    return float(np.square(mean - other_mean).sum() + np.trace(covariance + other_covariance) - 2 * roots.sum())


def _look(weights: Sequence[np.ndarray], units: Sequence[int], sets: Sequence[np.ndarray]) -> list[Look]:
    from dae.core.backend import keras, tf
    from dae.core.networks import build_convolutional_classifier
    from dae.core.training import predict, set_up_tensorflow

    set_up_tensorflow()
    model = build_convolutional_classifier(sets[0].shape[1], units, dropout=0.0, n_classes=len(weights[-1]))
    model.set_weights(weights)
    both = keras.Model(model.input, keras.ops.concatenate([model.layers[-2].output, model.output], axis=1))
    found = []
    for images in sets:
        features, logits = np.split(predict(both, tf.constant(images)).astype(np.float64), [units[-1]], axis=1)
        found.append(Look(features, softmax(logits, axis=1).max(axis=1)))
    return found
