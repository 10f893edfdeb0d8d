"""Compare the arms on the test images and reach the verdict: reports/metrics.json, evaluation.json, tables, figures."""

import numpy as np
import pandas as pd

from dae import figures, metrics, statistics
from dae.seeds import derive
from stages._params import Params
from stages._stage import load_array, run, save_figure, save_json, save_table

FOLDERS = {"without": "baseline", "with": "finetune"}
MEASURES = ("accuracy", "error", "macro_f1", "log_loss", "brier", "calibration_error")


def main(params: Params) -> None:
    labels, runs = load_array("data/raw/test_labels.npy"), pd.read_csv("data/split/runs.csv")
    probabilities = {arm: load_array(f"data/{folder}/probabilities.npy") for arm, folder in FOLDERS.items()}
    of_runs = {arm: pd.DataFrame(metrics.evaluate(p, labels)) for arm, p in probabilities.items()}
    correct = {arm: (p.argmax(axis=2) == labels).astype(np.int8) for arm, p in probabilities.items()}
    gains = correct["with"] - correct["without"]

    replicates = ~runs["repeat"].to_numpy()
    confidence = params.evaluate.confidence
    tables = {arm: table[replicates] for arm, table in of_runs.items()}
    paired = tables["with"] - tables["without"]
    difference = {measure: summary(paired[measure].to_numpy(), confidence) for measure in MEASURES}
    accuracy_gains = paired["accuracy"].to_numpy()
    seed, resamples = derive(params.seed, "bootstrap"), params.evaluate.resamples
    interval = statistics.two_way_bootstrap(gains[replicates], confidence, resamples, seed)
    low, high = interval or (None, None)
    difference["accuracy"] |= {
        "two_way_low": rounded(low),
        "two_way_high": rounded(high),
        "p_value": float(f"{statistics.wilcoxon_p_value(accuracy_gains):.2g}"),
        "effect_size": rounded(statistics.effect_size(accuracy_gains), 2),
        "win_probability": rounded(statistics.win_probability(accuracy_gains), 4),
    }
    recall = {
        arm: {c: rounded(table[f"recall_{c}"].mean()) for c in range(probabilities[arm].shape[2])}
        for arm, table in tables.items()
    }
    evaluation = {
        "verdict": statistics.decide(interval, params.evaluate.margin),
        "difference": difference,
        **{
            arm: {measure: summary(table[measure].to_numpy(), confidence) for measure in MEASURES}
            | {"recall": recall[arm]}
            for arm, table in tables.items()
        },
        "spread": spread(gains, runs),
    }
    save_json("reports/evaluation.json", evaluation)
    save_json("reports/metrics.json", headline(evaluation))
    tidy = pd.concat([runs.assign(arm=arm).join(table) for arm, table in of_runs.items()]).drop(columns="seed")
    tidy[["draw", "dae"]] += 1
    save_table("reports/replicates.csv", tidy.rename(columns={"draw": "replicate"}))

    accuracies = {arm: table["accuracy"].to_numpy() for arm, table in tables.items()}
    folder = "reports/figures/evaluate"
    save_figure(f"{folder}/paired", figures.paired_accuracies, accuracies, accuracy_gains.mean(), interval)
    pooled = {arm: metrics.confusion_matrices(p[replicates], labels).sum(axis=0) for arm, p in probabilities.items()}
    save_figure(f"{folder}/confusion", figures.confusions, pooled)
    save_table("reports/confusion.csv", pd.concat([cells(matrix).assign(arm=arm) for arm, matrix in pooled.items()]))
    bins = [reliability(p[replicates], labels).assign(arm=arm) for arm, p in probabilities.items()]
    save_table("reports/calibration.csv", pd.concat(bins))
    losses = {
        arm: pd.read_csv(f"reports/history/{folder}.csv").pivot(index="run", columns="step", values="loss")[replicates]
        for arm, folder in FOLDERS.items()
    }
    pretraining = pd.read_csv("reports/history/pretrain.csv").pivot(index="dae", columns="epoch", values="loss")
    steps = losses["with"].columns.to_numpy()
    arms = {arm: table.to_numpy() for arm, table in losses.items()}
    save_figure(f"{folder}/learning_curves", figures.learning_curves, pretraining.to_numpy(), arms, steps)


def headline(evaluation: dict) -> dict:
    """The few numbers that DVC shows and compares, verdict and paired difference first, as in DVC's own sorting.

    `gain` is the paired difference in accuracy, `acc` accuracy, `ece` the expected calibration error; all fractions.
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


def cells(matrix: np.ndarray) -> pd.DataFrame:
    """A confusion matrix of counts, shape (classes, classes), as a table: a row for each cell, true class first."""
    true, predicted = np.indices(matrix.shape)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    columns = {"true": true, "predicted": predicted, "images": matrix, "share": share}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Mean confidence and accuracy over all replicates' images in each bin of confidence that has any."""
    sums = metrics.reliability(probabilities, labels)
    table = pd.DataFrame({name: values.sum(axis=0) for name, values in sums.items()}).query("images > 0").copy()
    table["confidence"] /= table["images"]
    table["accuracy"] = table.pop("correct") / table["images"]
    return table.astype({"images": int})


def summary(values: np.ndarray, confidence: float) -> dict[str, float | None]:
    """Mean, standard deviation over replicates and t interval, rounded; None where one replicate gives none."""
    low, high = statistics.t_interval(values, confidence) or (None, None)
    std = values.std(ddof=1) if len(values) > 1 else None
    return {"mean": rounded(values.mean()), "std": rounded(std), "low": rounded(low), "high": rounded(high)}


def spread(gains: np.ndarray, runs: pd.DataFrame) -> dict[str, float]:
    """Standard deviations of one run's gain in accuracy, by their source.

    Args:
        gains: shape (runs, test images), +1 where only the pre-trained arm is right, -1 where only the other is.
        runs: the table that the stage split planned.
    """
    factors = {"label_draw": runs["draw"].to_numpy(), "dae": runs["dae"].to_numpy()}
    variances = statistics.variance_components(gains.mean(axis=1), factors)
    variances["initialisation"] = variances.pop("rest")
    variances["test_images"] = gains.mean(axis=0).var(ddof=1) / gains.shape[1]
    return {source: rounded(np.sqrt(variance)) for source, variance in variances.items()}


def rounded(value: float | None, digits: int = 5) -> float | None:
    return None if value is None else round(float(value), digits)


if __name__ == "__main__":
    run(main)
