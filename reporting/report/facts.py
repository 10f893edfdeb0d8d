"""Computes what the report's templates print and which sentences they choose: templates hold only words."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

PERCENT = {"accuracy", "error", "macro_f1"}  # metrics that are written in per cent
DIGITS = {"accuracy": 2, "error": 2, "macro_f1": 2, "log_loss": 3}  # after the point; 4 for all others
FEW_LABELS = 5000  # up to this number, labels are easily learnt by heart
TINY_P = 0.001  # a smaller p value is written as `< 0.001`
OVERFITTED = 2  # a test error above this multiple of the training error shows overfitting


def collect(p: Any, found: dict[str, Any]) -> dict[str, Any]:
    """All facts, from the parameters `p` and from what `load` of the stage report returns."""
    evaluation, theory, reconstruction = found["evaluation"], found["theory"], found["reconstruction"]
    facts = found | {
        "p": p,
        "metrics": evaluation,
        "with_": evaluation["with"],
        "without": evaluation["without"],
        "difference": evaluation["difference"]["accuracy"],
        "verdict": evaluation["verdict"],
        "metric_rows": metric_rows(evaluation),
        "spread_shares": shares(evaluation["spread"]),
        "told_apart": [source for source, row in evaluation["spread"].items() if row.get("low", 0) > 0],
        "calibrated": evaluation["calibrated"],
        "training": evaluation["training"],
        "confusions": evaluation["confusions"],
        "layers": layers(found["layers"]),
        "r": reconstruction,
        "n_runs": found["losses"]["with"]["run"].nunique(),
        "repeats": min(p.split.repeats, p.replicates),
        "wins": wins(found["replicates"]),
        **by_class(evaluation, found["reconstruction_table"]),
        "pretraining": found["losses"]["pretrain"].groupby("epoch")[["loss", "held_out"]].mean().to_dict("list"),
        "final_loss": {arm: final_loss(found["losses"][arm], p.replicates) for arm in ("with", "without")},
        "n_parameters": n_parameters([found["n_pixels"], *p.network.units]),
        "levels": levels(found["noise_levels"]),
        "t": theory,
        **theory_facts(theory),
        "n_overcomplete": 2 * found["n_pixels"],
        "n_probed": min(p.n_labels, 2000),
        "arithmetics": arithmetics(found["tolerances"], found["metrics_file"]),
    }
    # an infinite PSNR, where nothing was to be restored, cannot be the best
    restored = [row for row in facts["levels"] if row["denoised"] is not None]
    facts["best_level"] = max(restored, key=lambda row: row["denoised"])
    return facts | {"says": says(p, facts)}


def says(p: Any, facts: dict[str, Any]) -> dict[str, bool]:
    """Which way each result went; the templates choose their sentences by this."""
    t, r, first, best = facts["t"], facts["r"], facts["levels"][0], facts["best_level"]
    copying, denoising, untrained = facts["copying"], facts["denoising"], facts["untrained"]
    largest = facts["largest"]
    many_free, many_tied, few_free, few_tied = t["tied"]
    verdicts = set((facts["arithmetics"] or {"verdicts": {}})["verdicts"].values())
    return {
        "few_labels": p.n_labels <= FEW_LABELS,
        "mostly_black_or_white": facts["dataset"]["mostly_black_or_white"],
        "denoises": r["psnr"]["noisy"] is not None and more(r["psnr"]["denoised"], r["psnr"]["noisy"]),
        "beats_linear": more(r["psnr"]["denoised"], r["psnr"]["linear"]),
        "clean_is_best": best["level"] == 0,
        "clean_is_worse": first["level"] == 0 and more(best["denoised"], first["denoised"]),
        "beyond_margin": facts["metrics"]["beyond_margin"],
        "p_is_tiny": facts["difference"]["p_value"] < TINY_P,
        "code_beats_pixels": facts["layers"]["trained"][-1]["linear"] > facts["layers"]["pixels"]["linear"],
        "training_improves_code": facts["layers"]["trained"][-1]["linear"] > facts["layers"]["untrained"][-1]["linear"],
        "training_hurts": untrained["probe"] >= copying["probe"],
        "anomaly_looks_normal": facts["hardest"][1] < 0.5,
        "map_beats_pca": t["trustworthiness"]["ae_code"] > t["trustworthiness"]["pca_code"],
        "variational_is_closer": t["frechet"]["variational"] < t["frechet"]["plain"],
        "copying_spoils": more(copying["psnr"], denoising["psnr"]) and copying["probe"] < denoising["probe"],
        "undercomplete": p.network.units[-1] < facts["n_pixels"],
        "wide_copies": largest["probe"]["no_noise"] < largest["probe"]["with_noise"]
        and more(largest["psnr"]["no_noise"], largest["psnr"]["with_noise"]),
        "tying_helps_many": many_tied["test"] < many_free["test"],
        "tying_helps_few": few_tied["test"] < few_free["test"],
        "tied_overfits": few_tied["test"] > OVERFITTED * few_tied["train"],
        "same_verdict": verdicts == {facts["verdict"]},
    }


def more(psnr: float | None, other: float | None) -> bool:
    """Whether a PSNR is larger than another; None stands for infinity."""
    return other is not None and (psnr is None or psnr > other)


def metric_rows(evaluation: dict) -> list[dict]:
    """A row for each metric: its name, whether it is written in per cent, its digits, and its paired difference."""
    return [
        {"name": name, "percent": name in PERCENT, "digits": DIGITS.get(name, 4), "difference": difference}
        for name, difference in evaluation["difference"].items()
    ]


def shares(spread: dict[str, dict]) -> dict[str, float]:
    """Each source's share of the variance of a run's gain, from the standard deviations of the sources."""
    total = spread["total"]["deviation"] ** 2 or 1
    return {source: found["deviation"] ** 2 / total for source, found in spread.items() if source != "total"}


def layers(table: pd.DataFrame) -> dict[str, Any]:
    """Rows of reports/layers.csv: `pixels`; and a dict for each layer of `untrained` and, averaged, of `trained` dAEs.

    The last also has `all_dead`, the number of dead units of each dAE.
    """
    trained = table[table["dae"] != "untrained"]
    means = trained.drop(columns="dae").groupby("layer").mean().reset_index().to_dict("records")
    for row in means:
        row["all_dead"] = trained.loc[trained["layer"] == row["layer"], "dead"].tolist()
    untrained = table[table["dae"] == "untrained"].sort_values("layer").to_dict("records")
    return {"pixels": means[0], "trained": means[1:], "untrained": untrained[1:]}


def final_loss(losses: pd.DataFrame, replicates: int) -> float:
    """Mean over replicates of the last training loss, in nats; repeats come after the replicates and do not count."""
    return losses[losses["run"] <= replicates].groupby("run")["loss"].last().mean()


def wins(replicates: pd.DataFrame) -> int:
    """The number of replicates in which the arm with pre-training is more accurate."""
    runs = replicates.query("not repeat").pivot(index="replicate", columns="arm", values="accuracy")
    return int((runs["with"] > runs["without"]).sum())


def by_class(evaluation: dict, reconstruction: pd.DataFrame) -> dict[str, Any]:
    """What differs from class to class: recall, and the PSNR of the reconstruction."""
    recall, other = evaluation["with"]["recall"], evaluation["without"]["recall"]
    gains = {c: recall[c] - other[c] for c in recall}
    table = reconstruction[reconstruction["class"] != "all"]
    return {
        "recall_gains": gains,
        "most": max(gains, key=gains.__getitem__),
        "least": min(gains, key=gains.__getitem__),
        "by_class": table.pivot_table(index="class", columns="images", values="psnr"),
    }


def n_parameters(widths: list[int]) -> dict[str, int]:
    """Number of trained weights of a stacked autoencoder, tied and untied, from the widths of input and encoder."""
    kernels, biases = sum(map(math.prod, pairwise(widths))), sum(widths[1:]) + sum(widths[:-1])
    return {"tied": kernels + biases, "untied": 2 * kernels + biases}


def levels(table: pd.DataFrame) -> list[dict]:
    """The rows of reports/noise_levels.csv, with None for a PSNR that is infinite."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def theory_facts(theory: dict) -> dict[str, Any]:
    """The autoencoders that the theory section mentions more than once."""
    aurocs = sorted(theory["auroc"].items(), key=lambda item: item[1])
    many_free, many_tied, few_free, few_tied = theory["tied"]
    return {
        **{name: theory["overcomplete"][name] for name in ("copying", "denoising", "untrained")},
        **{"many_free": many_free, "many_tied": many_tied, "few_free": few_free, "few_tied": few_tied},
        "smallest": theory["sweep"][0],
        "largest": theory["sweep"][-1],
        "easiest": aurocs[-1],
        "hardest": aurocs[0],
        "mean_auroc": float(np.mean(list(theory["auroc"].values()))),
    }


def arithmetics(measured: dict, metrics: dict) -> dict | None:
    """How much the metrics change with other processor instructions, as `python -m tools.verify --arithmetic` measured.

    Args:
        measured: the content of tolerances.json: for each metric, its value with each arithmetic, and its tolerance.
        metrics: the present content of reports/metrics.json.

    Returns:
        `runs`, the names of the arithmetics; `verdicts`, the verdict with each; and `rows`, for each metric that is a
        number: its `name`, its `values` (the committed one, then those of `runs`) and its `tolerance`. None if other
        results were measured than those in `metrics`.
    """
    found = {name: measured.get(f"reports/metrics.json: {name}", {}) for name in metrics}
    if any(found[name].get("committed") != value for name, value in metrics.items()):
        return None
    runs = [key for key in found["verdict"] if key not in ("committed", "tolerance")]
    return {
        "runs": runs,
        "verdicts": {run: found["verdict"][run] for run in runs},
        "rows": [
            {"name": name, "values": [row[run] for run in ("committed", *runs)], "tolerance": row["tolerance"]}
            for name, row in found.items()
            if row["tolerance"] is not None
        ],
    }
