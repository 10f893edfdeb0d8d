"""Compares the two arms: takes arrays of probabilities and tables of metrics, returns rounded numbers and tables."""

from collections.abc import Sequence

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

    For the accuracy it adds the two-way interval, the p value of Wilcoxon's exact test, the effect size, the win
    probability, and the smallest difference that as many replicates find in four of five cases.

    Args:
        tables: metrics of the arms `with` and `without`, a row for each replicate.
        interval: two-way interval of the difference in accuracy, or None.
        confidence: level of the t intervals, in (0, 1).
    """
    paired = tables["with"] - tables["without"]
    found = {name: summary(paired[name].to_numpy(), confidence) for name in metrics.METRICS}
    gains, (low, high) = paired["accuracy"].to_numpy(), interval or (None, None)
    deviation = float(np.std(gains, ddof=1)) if len(gains) > 1 else 0.0
    found["accuracy"] |= {
        "two_way_low": rounded(low),
        "two_way_high": rounded(high),
        "p_value": float(f"{statistics.signed_rank_p_value(gains):.2g}"),
        "effect_size": rounded(statistics.effect_size(gains), 2),
        "win_probability": rounded(statistics.win_probability(gains), 4),
        "smallest": rounded(statistics.smallest_difference(deviation, len(gains), confidence)),
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


def spread(gains: np.ndarray, runs: pd.DataFrame, confidence: float, resamples: int, seed: int) -> dict[str, dict]:
    """Standard deviation that each source of variance gives to the gain in accuracy of one run; fractions.

    The variance of a run's gain is split among the draw of the labelled images, the dAE, all else that a run's seed
    decides, the choice of the test images, and the interaction of test images and runs: which images a run gains
    differs from run to run. Intervals are percentiles of a bootstrap of the label draws, each with all its runs, and of
    the test images. They are rough, and rather too narrow: in simulations, nine of ten 95 % intervals or fewer held the
    true value.

    Args:
        gains: shape (runs, test images), see `two_way_verdict`.
        runs: the table that the stage split planned, a row for each run.
        confidence, resamples, seed: of the intervals.

    Returns:
        For each source `deviation`, `low` and `high`, and for `total` the deviation alone.
    """
    n_images = gains.shape[1]
    by_run, by_image, mean = gains.mean(axis=1), gains.mean(axis=0), gains.mean()
    # two-way analysis of variance with one value for each run and image
    rest = gains - by_run[:, None] - by_image + mean
    interaction = np.square(rest).sum(axis=1) / max(1, n_images - 1)  # of each run
    draws = [np.flatnonzero(runs["draw"] == draw) for draw in runs["draw"].unique()]

    def deviations(chosen: Sequence[np.ndarray], images_drawn: np.ndarray) -> dict[str, float]:
        rows = np.concatenate(chosen)
        factors = {
            "label_draw": np.repeat(np.arange(len(chosen)), list(map(len, chosen))),
            "dae": runs["dae"].to_numpy()[rows],
        }
        found = statistics.variance_components(by_run[rows], factors)
        within = interaction[rows].mean() * len(gains) / max(1, len(gains) - 1) / n_images
        found["seed"] = max(0.0, found.pop("rest") - within)
        images = gains[rows].mean(axis=0)[images_drawn].var(ddof=1) / n_images
        shares = np.bincount(rows) / len(rows)  # of each run in the images' means; the bootstrap may draw it twice
        found["test_images"] = max(0.0, images - within * np.square(shares).sum())
        found["images_by_run"] = within
        return {source: float(np.sqrt(variance)) for source, variance in found.items()}

    best = deviations(draws, np.arange(n_images))
    rng = np.random.default_rng(seed)
    tried = pd.DataFrame(
        [
            deviations(
                [draws[i] for i in rng.integers(0, len(draws), len(draws))], rng.integers(0, n_images, (n_images,))
            )
            for _ in range(resamples)
        ]
    )
    tail = (1 - confidence) / 2
    found = {
        source: {
            "deviation": rounded(value),
            "low": rounded(tried[source].quantile(tail)),
            "high": rounded(tried[source].quantile(1 - tail)),
        }
        for source, value in best.items()
    }
    return found | {"total": {"deviation": rounded(np.sqrt(sum(np.square(list(best.values())))))}}


def confusion_cells(matrix: np.ndarray) -> pd.DataFrame:
    """Turn a confusion matrix of counts, shape (classes, classes), into a table with a row for each cell.

    Its column `share` has the fraction of the true class's images.
    """
    true, predicted = np.indices(matrix.shape)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    columns = {"true": true, "predicted": predicted, "images": matrix, "share": share}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def largest_changes(matrices: dict[str, np.ndarray], replicates: int, n: int = 3) -> dict[str, list[dict]]:
    """The confusions that change most from the arm without to the arm with pre-training, in images a replicate.

    Args:
        matrices: confusion matrices of counts of both arms, see `confusion_cells`, over all replicates.
        replicates: their number.
        n: how many confusions to return of each kind.

    Returns:
        `rarer` and `commoner`: lists of dicts with the `true` and the `predicted` class and the change in `images`.
    """
    change = (matrices["with"] - matrices["without"]) / replicates
    cells = confusion_cells(change).query("true != predicted").sort_values("images", kind="stable")
    cells["images"] = cells["images"].round(2)
    rows = cells[["true", "predicted", "images"]].to_dict("records")
    return {
        "rarer": [row for row in rows[:n] if row["images"] < 0],
        "commoner": [row for row in rows[: -n - 1 : -1] if row["images"] > 0],
    }


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


def rounded(value: float | None, digits: int = 6) -> float | None:
    """Round a value to `digits` digits after the point; None stays None."""
    return None if value is None else round(float(value), digits)
