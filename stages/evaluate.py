"""Compare the arms on the test images and reach the verdict: reports/metrics.json, evaluation.json, tables, figures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dae import comparison
from dae.comparison import rounded
from dae.core.seeds import derive
from dae.metrics import calibration_error, confusion_matrix, log_loss, temper
from dae.statistics import Interval
from reporting.evaluate import figures
from stages._figures import save_figure
from stages._watched import EVERY
from stages.common.files import load_array, save_json, save_table
from stages.common.params import Params
from stages.common.process import run

FOLDERS = {"without": "baseline", "with": "finetune"}  # of each arm
FIGURES = "reports/figures/evaluate"


def main(params: Params) -> None:
    """Compute the metrics of all runs, compare the arms, and save numbers, tables and figures."""
    labels, runs = load_array("data/raw/test_labels.npy"), pd.read_csv("data/split/runs.csv")
    probabilities = {arm: load_array(f"data/{folder}/probabilities.npy") for arm, folder in FOLDERS.items()}
    measured = {arm: comparison.measure(p, labels) for arm, p in probabilities.items()}
    correct = {arm: (p.argmax(axis=2) == labels).astype(np.int8) for arm, p in probabilities.items()}
    gains = correct["with"] - correct["without"]

    # repeats serve only to separate the sources of variance; all other numbers use the replicates only
    first = ~runs["repeat"].to_numpy()
    seed, confidence = derive(params.seed, "bootstrap"), params.evaluate.confidence
    verdict, interval = comparison.two_way_verdict(gains[first], **params.evaluate.model_dump(), seed=seed)
    tables = {arm: table[first] for arm, table in measured.items()}
    replicates = {arm: p[first] for arm, p in probabilities.items()}
    temperatures = {arm: getattr(params.temperatures, folder) for arm, folder in FOLDERS.items()}
    calibrated = {arm: temper(p, temperatures[arm]) for arm, p in replicates.items()}
    pooled = {arm: np.sum([confusion_matrix(run, labels) for run in p], axis=0) for arm, p in replicates.items()}
    evaluation = {
        "verdict": verdict,
        "beyond_margin": interval is not None and beyond(interval, params.evaluate.margin),
        "difference": comparison.paired_difference(tables, interval, confidence),
        **{arm: comparison.summarise_arm(table, confidence) for arm, table in tables.items()},
        "calibrated": {
            arm: {"temperature": temperatures[arm]}
            | {
                f.__name__: rounded(float(np.mean([f(run, labels) for run in p])))
                for f in (log_loss, calibration_error)
            }
            for arm, p in calibrated.items()
        },
        "training": {arm: along_training(*watched(arm, labels[::EVERY], first)) for arm in FOLDERS},
        "confusions": comparison.largest_changes(pooled, int(first.sum())),
        "spread": comparison.spread(gains, runs, confidence, params.evaluate.resamples, derive(params.seed, "spread")),
    }
    save_json("reports/evaluation.json", evaluation)
    save_json("reports/metrics.json", headline(evaluation))
    save_table("reports/replicates.csv", by_run(runs, measured))
    draw(replicates, calibrated, pooled, tables, interval, params.classes)
    draw_training(labels[::EVERY], first)


def beyond(interval: Interval, margin: float) -> bool:
    """Whether the whole interval lies on one side of 0, further away than the margin."""
    low, high = interval
    return low > margin or high < -margin


def headline(evaluation: dict) -> dict:
    """The few numbers that DVC shows and compares.

    `gain` is the mean paired difference in accuracy, `gain_low` and `gain_high` its two-way interval, `acc` the mean
    accuracy, `ece` the mean expected calibration error; all are fractions.
    """
    gain = evaluation["difference"]["accuracy"]
    return {
        "verdict": evaluation["verdict"],
        "gain": gain["mean"],
        "gain_low": gain["two_way_low"],
        "gain_high": gain["two_way_high"],
        "with_acc": evaluation["with"]["accuracy"]["mean"],
        "without_acc": evaluation["without"]["accuracy"]["mean"],
        "with_ece": evaluation["with"]["calibration_error"]["mean"],
        "without_ece": evaluation["without"]["calibration_error"]["mean"],
    }


def by_run(runs: pd.DataFrame, measured: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Join the table of runs with their metrics, a row for each run of each arm; replicates and dAEs count from 1."""
    table = pd.concat([runs.assign(arm=arm).join(found) for arm, found in measured.items()]).drop(columns="seed")
    table[["draw", "dae"]] += 1
    return table.rename(columns={"draw": "replicate"})


def draw(
    probabilities: dict[str, np.ndarray],
    calibrated: dict[str, np.ndarray],
    pooled: dict[str, np.ndarray],
    tables: dict[str, pd.DataFrame],
    interval: Interval | None,
    classes: Sequence[str],
) -> None:
    """Save the figures of the test images, and the tables that DVC plots.

    Args:
        probabilities: for each arm, of its replicates, shape (replicates, images, classes).
        calibrated: the same at the arms' temperatures.
        pooled: for each arm, the confusion matrix of all its replicates.
        tables: for each arm, the metrics of its replicates.
        interval: two-way interval of the difference in accuracy.
        classes: their names.
    """
    labels = load_array("data/raw/test_labels.npy")
    accuracies = {arm: table["accuracy"].to_numpy() for arm, table in tables.items()}
    mean = (accuracies["with"] - accuracies["without"]).mean()
    save_figure(f"{FIGURES}/paired", figures.paired_accuracies, accuracies, mean, interval)
    save_figure(f"{FIGURES}/confusion", figures.confusions, pooled, len(accuracies["with"]), classes)
    counts = [comparison.confusion_cells(matrix).assign(arm=arm) for arm, matrix in pooled.items()]
    save_table("reports/confusion.csv", pd.concat(counts))
    bins = pd.concat(
        [
            comparison.reliability_table(p, labels).assign(arm=arm, calibrated=done)
            for done, found in ((False, probabilities), (True, calibrated))
            for arm, p in found.items()
        ]
    )
    save_table("reports/calibration.csv", bins)
    save_figure(f"{FIGURES}/reliability", figures.reliability, bins)


def draw_training(labels: np.ndarray, first: np.ndarray) -> None:
    """Save the figures of the trainings.

    Args:
        labels: of the watched test images.
        first: bool array of shape (runs,), true for replicates and false for repeats.
    """
    found = {arm: watched(arm, labels, first) for arm in FOLDERS}
    steps, accuracies = ({arm: values[i] for arm, values in found.items()} for i in (0, 1))
    losses = {arm: history(name, "run", "step", "loss")[first].to_numpy() for arm, name in FOLDERS.items()}
    save_figure(f"{FIGURES}/learning_curves", figures.learning_curves, steps, losses, accuracies)
    pretraining = {kind: history("pretrain", "dae", "epoch", kind).to_numpy() for kind in ("loss", "held_out")}
    save_figure(f"{FIGURES}/pretraining", figures.pretraining, pretraining)


def watched(arm: str, labels: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy on the watched test images during an arm's trainings.

    Args:
        arm: its name.
        labels: of the watched images.
        first: bool array of shape (runs,), true for replicates and false for repeats.

    Returns:
        The steps at which they were classified, shape (points,), and the accuracies, shape (replicates, points).
    """
    steps = history(FOLDERS[arm], "run", "step", "loss").columns.to_numpy()
    return steps, (load_array(f"data/{FOLDERS[arm]}/watched.npy")[first] == labels).mean(axis=2)


def along_training(steps: np.ndarray, accuracies: np.ndarray) -> dict[str, float | None]:
    """The mean accuracy during the training: its highest value, the step of that, and the last value."""
    means = accuracies.mean(axis=0)
    return {"highest": rounded(means.max()), "step": int(steps[means.argmax()]), "last": rounded(means[-1])}


def history(name: str, row: str, column: str, value: str) -> pd.DataFrame:
    """Load training losses as a table with a row for each network and a column for each step or epoch.

    Args:
        name: of the file in reports/history/.
        row, column, value: the file's columns that give the rows, columns and values of the table.
    """
    return pd.read_csv(f"reports/history/{name}.csv").pivot(index=row, columns=column, values=value)


if __name__ == "__main__":
    run(main)
