"""How good predicted class probabilities are, for many replicates at once."""

import numpy as np

BINS = 15  # of the reliability diagram, as in Guo et al., ICML 2017


def confusion_matrices(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts of images by true class (rows) and predicted class (columns).

    Args:
        probabilities: float array of shape (replicates, n, classes).
        labels: int array of shape (n,).

    Returns:
        Int array of shape (replicates, classes, classes).
    """
    n_classes = probabilities.shape[2]
    cells = labels.astype(np.int64) * n_classes + probabilities.argmax(axis=2)
    return np.stack([np.bincount(row, minlength=n_classes**2) for row in cells]).reshape(-1, n_classes, n_classes)


def recalls(confusions: np.ndarray) -> np.ndarray:
    """Recall of each class: confusion matrices to shape (replicates, classes); 0 for a class without images."""
    return _diagonals(confusions) / np.maximum(confusions.sum(axis=2), 1)


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Unweighted mean over the classes of F1: confusion matrices to shape (replicates,)."""
    sizes = confusions.sum(axis=1) + confusions.sum(axis=2)
    return (2 * _diagonals(confusions) / np.maximum(sizes, 1)).mean(axis=1)


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean negative log-likelihood of the true class, in nats: shape (replicates,)."""
    of_truth = probabilities[:, np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean(axis=1)


def brier_scores(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean squared distance of the probabilities from the truth, in [0, 2] (Brier 1950): shape (replicates,)."""
    truth = np.eye(probabilities.shape[2])[labels]
    return np.stack([np.square(p - truth).sum(axis=1).mean() for p in probabilities])


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Confidence beside correctness, in equal bins of confidence: the reliability diagram (Guo et al., ICML 2017).

    Args:
        probabilities: float array of shape (replicates, n, classes).
        labels: int array of shape (n,).

    Returns:
        For each replicate and bin, arrays of shape (replicates, BINS): `images`, how many fall into the bin;
        `confidence` and `correct`, the sums over these of the largest probability and of the hits.
    """
    confidences = probabilities.max(axis=2).astype(np.float64)
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    of_image = {"images": np.ones_like(confidences), "confidence": confidences}
    of_image["correct"] = (probabilities.argmax(axis=2) == labels).astype(np.float64)
    return {
        name: np.stack([np.bincount(b, v, minlength=BINS) for b, v in zip(bins, values, strict=True)])
        for name, values in of_image.items()
    }


def calibration_errors(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Expected calibration error in [0, 1], in equal bins of confidence (Guo et al., 2017): shape (replicates,)."""
    sums = reliability(probabilities, labels)
    return np.abs(sums["confidence"] - sums["correct"]).sum(axis=1) / len(labels)


def evaluate(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """All measures of each replicate, by name, each of shape (replicates,); recall of class c is `recall_c`."""
    confusions = confusion_matrices(probabilities, labels)
    accuracy = _diagonals(confusions).sum(axis=1) / len(labels)
    return {
        "accuracy": accuracy,
        "error": 1 - accuracy,
        "macro_f1": macro_f1(confusions),
        "log_loss": log_losses(probabilities, labels),
        "brier": brier_scores(probabilities, labels),
        "calibration_error": calibration_errors(probabilities, labels),
        **{f"recall_{c}": values for c, values in enumerate(recalls(confusions).T)},
    }


def _diagonals(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=1, axis2=2)
