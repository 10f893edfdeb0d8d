"""Compares the two arms: takes arrays of probabilities and tables of metrics, returns rounded numbers and tables."""

import numpy as np
import pandas as pd

from dae import metrics, statistics


def two_way_verdict(
    gains: np.ndarray, confidence: float, margin: float, resamples: int, seed: int
) -> tuple[statistics.Verdict, statistics.Interval | None]:
    """The verdict on one arm's gain over the other, and the confidence interval that decides it.

    Args:
        gains: shape (replicates, test images): +1 where only the arm with pre-training is right, -1 where only the
            other arm is, else 0.
        confidence, resamples, seed: see `dae.statistics.two_way_bootstrap`, which computes the interval.
        margin: see `dae.statistics.decide`.
    """
    interval = statistics.two_way_bootstrap(gains, confidence, resamples, seed)
    return statistics.decide(interval, margin), interval


def measure(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """A table of metrics, with a row for each run and the columns that `dae.metrics.evaluate` names.

    Args:
        probabilities: shape (runs, images, classes).
        labels: int array of shape (images,).
    """
    return pd.DataFrame([metrics.evaluate(p, labels) for p in probabilities])


def paired_difference(tables: dict[str, pd.DataFrame], interval: statistics.Interval | None, confidence: float) -> dict:
    """Summarise the paired differences, with minus without pre-training, of each metric.

    For the accuracy it adds the two-way interval, Wilcoxon's p value, the effect size and the win probability.

    Args:
        tables: metrics of the arms `with` and `without`, a row for each replicate.
        interval: two-way interval of the difference in accuracy, or None.
        confidence: level of the t intervals, in (0, 1).
    """
    paired = tables["with"] - tables["without"]
    found = {name: summary(paired[name].to_numpy(), confidence) for name in metrics.METRICS}
    gains, (low, high) = paired["accuracy"].to_numpy(), interval or (None, None)
    found["accuracy"] |= {
        "two_way_low": rounded(low),
        "two_way_high": rounded(high),
        "p_value": float(f"{statistics.wilcoxon_p_value(gains):.2g}"),
        "effect_size": rounded(statistics.effect_size(gains), 2),
        "win_probability": rounded(statistics.win_probability(gains), 4),
    }
    return found


def summarise_arm(table: pd.DataFrame, confidence: float) -> dict:
    """Summarise each metric over an arm's replicates, a row each in `table`, and average the recall of each class."""
    found: dict = {name: summary(table[name].to_numpy(), confidence) for name in metrics.METRICS}
    recalls = [name for name in table if name.startswith("recall_")]
    return found | {"recall": {int(name.removeprefix("recall_")): rounded(table[name].mean()) for name in recalls}}


def summary(values: np.ndarray, confidence: float) -> dict[str, float | None]:
    """Mean, standard deviation and t interval of values of shape (replicates,), rounded.

    A single replicate has only a mean; the other values are then None.
    """
    mean = rounded(values.mean())
    if len(values) < 2:
        return {"mean": mean, "std": None, "low": None, "high": None}
    low, high = statistics.t_interval(values, confidence)
    return {"mean": mean, "std": rounded(values.std(ddof=1)), "low": rounded(low), "high": rounded(high)}


def spread(gains: np.ndarray, runs: pd.DataFrame) -> dict[str, float | None]:
    """Standard deviation that each source of variance gives to the gain in accuracy of one run; fractions.

    Args:
        gains: shape (runs, test images), see `two_way_verdict`.
        runs: the table that the stage split planned, a row for each run.
    """
    factors = {"label_draw": runs["draw"].to_numpy(), "dae": runs["dae"].to_numpy()}
    variances = statistics.variance_components(gains.mean(axis=1), factors)
    variances["initialisation"] = variances.pop("rest")
    variances["test_images"] = gains.mean(axis=0).var(ddof=1) / gains.shape[1]
    return {source: rounded(np.sqrt(variance)) for source, variance in variances.items()}


def confusion_cells(matrix: np.ndarray) -> pd.DataFrame:
    """Turn a confusion matrix of counts, shape (classes, classes), into a table with a row for each cell.

    Its column `share` has the fraction of the true class's images.
    """
    true, predicted = np.indices(matrix.shape)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    columns = {"true": true, "predicted": predicted, "images": matrix, "share": share}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def reliability_table(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Mean confidence and accuracy, over the images of all replicates, in each bin of confidence that is not empty.

    Args:
        probabilities: shape (replicates, images, classes).
        labels: int array of shape (images,).
    """
    sums = [metrics.reliability(p, labels) for p in probabilities]
    table = pd.DataFrame({name: sum(found[name] for found in sums) for name in sums[0]}).query("images > 0").copy()
    table["confidence"] /= table["images"]
    table["accuracy"] = table.pop("correct") / table["images"]
    return table.astype({"images": int})


def rounded(value: float | None, digits: int = 5) -> float | None:
    """Round a value to `digits` digits after the point; None stays None."""
    return None if value is None else round(float(value), digits)
