"""Compare the arms on the test images and reach the verdict: reports/metrics.json, replicates.csv, figures."""

import numpy as np
import pandas as pd

from dae import figures, metrics, statistics
from dae.seeds import derive
from stages._params import Params
from stages._stage import load_array, run, save_figure, save_json, save_table

FOLDERS = {"without": "baseline", "with": "finetune"}
MEASURES = ("accuracy", "error", "macro_f1", "log_loss", "brier", "calibration_error")


def main(params: Params) -> None:
    labels = load_array("data/raw/test_labels.npy")
    probabilities = {arm: load_array(f"data/{folder}/probabilities.npy") for arm, folder in FOLDERS.items()}
    tables = {arm: pd.DataFrame(metrics.evaluate(p, labels)) for arm, p in probabilities.items()}
    correct = {arm: (p.argmax(axis=2) == labels).astype(np.int8) for arm, p in probabilities.items()}
    interval = statistics.two_way_bootstrap(
        correct["with"] - correct["without"],
        params.evaluate.confidence,
        params.evaluate.resamples,
        derive(params.seed, "bootstrap"),
    )

    def summarise(table: pd.DataFrame) -> dict:
        return {measure: summary(table[measure].to_numpy(), params.evaluate.confidence) for measure in MEASURES}

    paired = tables["with"] - tables["without"]
    difference = summarise(paired)
    difference["accuracy"] |= {
        "two_way_low": rounded(interval and interval[0]),
        "two_way_high": rounded(interval and interval[1]),
    }
    recall = {
        arm: {c: rounded(table[f"recall_{c}"].mean()) for c in range(probabilities[arm].shape[2])}
        for arm, table in tables.items()
    }
    save_json(
        "reports/metrics.json",
        {
            "verdict": statistics.decide(interval, params.evaluate.margin),
            "difference": difference,
            **{arm: summarise(table) | {"recall": recall[arm]} for arm, table in tables.items()},
        },
    )
    tidy = pd.concat([table.assign(arm=arm, replicate=range(1, len(table) + 1)) for arm, table in tables.items()])
    save_table("reports/replicates.csv", tidy[["replicate", "arm", *tables["with"].columns]])

    accuracies = {arm: table["accuracy"].to_numpy() for arm, table in tables.items()}
    save_figure(
        "reports/figures/paired.png", figures.paired_accuracies(accuracies, paired["accuracy"].mean(), interval)
    )
    pooled = {arm: metrics.confusion_matrices(p, labels).sum(axis=0) for arm, p in probabilities.items()}
    save_figure("reports/figures/confusion.png", figures.confusions(pooled))
    losses = {
        arm: pd.read_csv(f"reports/history/{folder}.csv").pivot(index="replicate", columns="step", values="loss")
        for arm, folder in FOLDERS.items()
    }
    pretraining = pd.read_csv("reports/history/pretrain.csv")["loss"].to_numpy()
    steps = losses["with"].columns.to_numpy()
    arms = {arm: table.to_numpy() for arm, table in losses.items()}
    save_figure("reports/figures/learning_curves.png", figures.learning_curves(pretraining, arms, steps))


def summary(values: np.ndarray, confidence: float) -> dict[str, float | None]:
    """Mean, standard deviation over replicates and t interval, rounded; None where one replicate gives none."""
    low, high = statistics.t_interval(values, confidence) or (None, None)
    std = values.std(ddof=1) if len(values) > 1 else None
    return {"mean": rounded(values.mean()), "std": rounded(std), "low": rounded(low), "high": rounded(high)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 5)


if __name__ == "__main__":
    run(main)
