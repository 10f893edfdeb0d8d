"""Compare the arms on the test images and reach the verdict: reports/metrics.json, evaluation.json, tables, figures."""

import numpy as np
import pandas as pd

from dae import comparison
from dae.core.seeds import derive
from dae.metrics import confusion_matrix
from dae.statistics import Interval
from reporting.evaluate import figures
from stages._figures import save_figure
from stages.common.files import load_array, save_json, save_table
from stages.common.params import Params
from stages.common.process import run

FOLDERS = {"without": "baseline", "with": "finetune"}  # of each arm


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
    evaluation = {
        "verdict": verdict,
        "difference": comparison.paired_difference(tables, interval, confidence),
        **{arm: comparison.summarise_arm(table, confidence) for arm, table in tables.items()},
        "spread": comparison.spread(gains, runs),
    }
    save_json("reports/evaluation.json", evaluation)
    save_json("reports/metrics.json", headline(evaluation))
    save_table("reports/replicates.csv", by_run(runs, measured))
    draw({arm: p[first] for arm, p in probabilities.items()}, labels, tables, interval, first)


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
    labels: np.ndarray,
    tables: dict[str, pd.DataFrame],
    interval: Interval | None,
    first: np.ndarray,
) -> None:
    """Save the figures, and the tables that DVC plots.

    Args:
        probabilities: for each arm, of its replicates, shape (replicates, images, classes).
        labels: of the test images.
        tables: for each arm, the metrics of its replicates.
        interval: two-way interval of the difference in accuracy.
        first: bool array of shape (runs,), true for replicates and false for repeats.
    """
    accuracies = {arm: table["accuracy"].to_numpy() for arm, table in tables.items()}
    mean = (accuracies["with"] - accuracies["without"]).mean()
    folder = "reports/figures/evaluate"
    save_figure(f"{folder}/paired", figures.paired_accuracies, accuracies, mean, interval)
    pooled = {arm: np.sum([confusion_matrix(run, labels) for run in p], axis=0) for arm, p in probabilities.items()}
    save_figure(f"{folder}/confusion", figures.confusions, pooled)
    counts = [comparison.confusion_cells(matrix).assign(arm=arm) for arm, matrix in pooled.items()]
    save_table("reports/confusion.csv", pd.concat(counts))
    bins = [comparison.reliability_table(p, labels).assign(arm=arm) for arm, p in probabilities.items()]
    save_table("reports/calibration.csv", pd.concat(bins))
    losses = {arm: history(name, "run", "step")[first] for arm, name in FOLDERS.items()}
    steps = losses["with"].columns.to_numpy()
    arms = {arm: table.to_numpy() for arm, table in losses.items()}
    pretraining = history("pretrain", "dae", "epoch").to_numpy()
    save_figure(f"{folder}/learning_curves", figures.learning_curves, pretraining, arms, steps)


def history(name: str, row: str, column: str) -> pd.DataFrame:
    """Load training losses as a table with a row for each network and a column for each step or epoch.

    Args:
        name: of the file in reports/history/.
        row, column: the file's columns that give the rows and columns of the table.
    """
    return pd.read_csv(f"reports/history/{name}.csv").pivot(index=row, columns=column, values="loss")


if __name__ == "__main__":
    run(main)
