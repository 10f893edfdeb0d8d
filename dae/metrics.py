"""Measures how good predicted class probabilities are.

A metric is a function in `METRICS`. It takes `probabilities`, a float array of shape (n, classes), and `labels`, an int
array of shape (n,), and returns a number. The stage evaluate and the reports take its name from `METRICS`.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn import metrics as sklearn_metrics

BINS = 15  # of the reliability diagram, as in Guo et al., ICML 2017
TEMPERATURES = (0.1, 100.0)  # the least and the largest that `fit_temperature` returns


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose most probable class is the true one."""
    return float(sklearn_metrics.accuracy_score(labels, probabilities.argmax(axis=1)))


def error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose most probable class is not the true one."""
    return 1 - accuracy(probabilities, labels)


def macro_f1(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1 of the classes, without weights; F1 is 0 for a class that has no image and is never predicted."""
    classes = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    return float(sklearn_metrics.f1_score(labels, predicted, labels=classes, average="macro", zero_division=0))


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood of the true class, in nats.

    scikit-learn's function clips probabilities at 2e-16. Our classifiers give smaller ones, so its value would be too
    small.
    """
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())


def brier(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance of the probabilities from the truth, in [0, 2] (Brier 1950)."""
    classes = np.arange(probabilities.shape[1])
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)  # scikit-learn requires sums closer to 1 than float32 gives
    return float(sklearn_metrics.brier_score_loss(labels, exact, labels=classes, scale_by_half=False))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error in [0, 1], in equal bins of confidence (Guo et al., ICML 2017)."""
    sums = reliability(probabilities, labels)
    return float(np.abs(sums["confidence"] - sums["correct"]).sum() / len(labels))


METRICS = {f.__name__: f for f in (accuracy, error, macro_f1, log_loss, brier, calibration_error)}


def evaluate(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """All metrics by name, and the recall of each class c as `recall_c`; 0 for a class without images."""
    classes = np.arange(probabilities.shape[1])
    recalls = sklearn_metrics.recall_score(
        labels, probabilities.argmax(axis=1), labels=classes, average=None, zero_division=0
    )
    found = {name: metric(probabilities, labels) for name, metric in METRICS.items()}
    return found | {f"recall_{c}": float(recall) for c, recall in zip(classes, recalls, strict=True)}


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Class probabilities whose logits are divided by `temperature` (Guo et al., ICML 2017): same shape, float32.

    Above 1 it makes them less sure; the most probable class stays the same. The last axis has the classes.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
    return softmax(logits / temperature, axis=-1).astype(np.float32)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature, within `TEMPERATURES`, with which `temper` makes the log loss smallest; rounded to 0.01.

    The images must be other ones than those that the classifier was trained on, and than those it is judged by.
    """

    def loss(power: float) -> float:
        return log_loss(temper(probabilities, np.exp(power)), labels)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return round(float(np.exp(found.x)), 2)


def confusion_matrix(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts of images by true class (rows) and predicted class (columns): int array of shape (classes, classes)."""
    classes = np.arange(probabilities.shape[1])
    return sklearn_metrics.confusion_matrix(labels, probabilities.argmax(axis=1), labels=classes)


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The data of the reliability diagram, in equal bins of confidence (Guo et al., ICML 2017).

    An image's confidence is its largest probability.

    Returns:
        Arrays of shape (BINS,), a value for each bin: `images`, the number of images; `confidence`, the sum of their
        confidences; `correct`, the number of images that are classified correctly.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    of_image = {"images": np.ones_like(confidences), "confidence": confidences}
    of_image["correct"] = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    return {name: np.bincount(bins, values, minlength=BINS) for name, values in of_image.items()}
