"""Computes what the report's templates print and which sentences they choose: templates hold only words."""

import math
from itertools import pairwise
from typing import Any

import pandas as pd

from reporting.report import exercises

TIMED = ("without", "with", "dae")  # of these, reports/methods.csv has only the minutes
SECTIONS = {"with": "finetune", "without": "baseline"}  # of params.yaml
FILTERS = 60  # at most so many filters are drawn
PERCENT = {"accuracy", "macro_f1"}  # metrics that are written in per cent
DIGITS = {"accuracy": 2, "macro_f1": 2, "log_loss": 3}  # after the point; 4 for all others
FEW_LABELS = 5000  # up to this number, labels are easily learnt by heart
TWINS = ("neural network", "dropout NN + pseudo-label + dAE", "ladder")  # published methods like those of the table
TINY_P = 0.001  # a smaller p value is written as `< 0.001`
BALANCED = 1.5  # classes are about as frequent as one another if none is so many times as frequent as another
ALMOST_SURE = 0.9995  # a larger probability is written as `> 99.9%`


def collect(p: Any, found: dict[str, Any]) -> dict[str, Any]:
    """All facts, from the parameters `p` and from what `load` of the stage report returns."""
    evaluation, reconstruction, others = found["evaluation"], found["reconstruction"], alike(p, found["methods"])
    minutes = others[others["arm"].isin(TIMED)].set_index("arm")["minutes"].to_dict()
    facts = found | {
        "p": p,
        "classes": p.classes,
        "n_labelled": sum(found["labelled_of_class"]),
        "replicates_needed": replicates_needed(p, evaluation["difference"]["accuracy"]["smallest"]),
        "about": [line for line in (p.about.author, p.about.course, p.about.date) if line],
        "passes": {arm: passes(p, getattr(p, section)) for arm, section in SECTIONS.items()},
        "n_filters": min(p.network.units[0], FILTERS),
        "metrics": evaluation,
        "with_": evaluation["with"],
        "without": evaluation["without"],
        "difference": evaluation["difference"]["accuracy"],
        "verdict": evaluation["verdict"],
        "metric_rows": metric_rows(evaluation),
        "methods": methods(p, evaluation, minutes, others[~others["arm"].isin(TIMED)], found["published"]),
        "minutes": minutes,
        "departures": alike(p, found["departures"]).set_index("contrast").to_dict("index"),
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
        "levels": levels(found["noise_levels"]),
        **exercises.facts(p, found["theory"], found["n_pixels"]),
        "arithmetics": arithmetics(found["tolerances"], found["metrics_file"]),
    }
    # an infinite PSNR, where nothing was to be restored, cannot be the best
    restored = [row for row in facts["levels"] if row["denoised"] is not None]
    facts["best_level"] = max(restored, key=lambda row: row["denoised"])
    return facts | {"says": says(p, facts)}


def says(p: Any, facts: dict[str, Any]) -> dict[str, bool]:
    """Which way each result went; the templates choose their sentences by this."""
    r, first, best = facts["r"], facts["levels"][0], facts["best_level"]
    verdicts = set((facts["arithmetics"] or {"verdicts": {}})["verdicts"].values())
    return {
        "has_studies": any(row["kind"] == "study" for row in facts["methods"]),
        "has_pushed": any(row["name"] == "pushed" for row in facts["methods"]),
        "has_published": any(row["kind"] == "published" for row in facts["methods"]),
        "few_labels": p.n_labels <= FEW_LABELS,
        "mnist": p.dataset == "mnist",
        "own": p.dataset == "own",
        "some_unlabelled": facts["n_labelled"] < facts["n_train"],
        "narrows": all(wide > narrow for wide, narrow in pairwise([facts["n_pixels"], *p.network.units])),
        "few_images": facts["n_train"] < 2 * p.n_labels,
        "all_labelled": p.n_labels == facts["n_labelled"],
        "balanced": max(facts["labelled_of_class"]) <= BALANCED * min(facts["labelled_of_class"]),
        "one_of_each": len(p.classes) == 10,
        "mostly_black_or_white": facts["dataset"]["mostly_black_or_white"],
        "denoises": r["psnr"]["noisy"] is not None and more(r["psnr"]["denoised"], r["psnr"]["noisy"]),
        "beats_linear": more(r["psnr"]["denoised"], r["psnr"]["linear"]),
        "clean_is_best": best["level"] == 0,
        "clean_is_worse": first["level"] == 0 and more(best["denoised"], first["denoised"]),
        "beyond_margin": facts["metrics"]["beyond_margin"],
        "wins_almost_surely": (facts["difference"]["win_probability"] or 0) > ALMOST_SURE,
        "p_is_tiny": facts["difference"]["p_value"] < TINY_P,
        "code_beats_pixels": facts["layers"]["trained"][-1]["linear"] > facts["layers"]["pixels"]["linear"],
        "training_improves_code": facts["layers"]["trained"][-1]["linear"] > facts["layers"]["untrained"][-1]["linear"],
        "same_verdict": verdicts == {facts["verdict"]},
        **exercises.says(p, facts),
    }


def passes(p: Any, arm: Any) -> float:
    """How many times an arm's training sees each labelled image."""
    return arm.steps * arm.batch_size / p.n_labels


def replicates_needed(p: Any, smallest: float | None) -> int | None:
    """How many replicates would find a difference as small as the margin; None if these do, or it is not known.

    The smallest difference that a t test finds falls about with the square root of the number of replicates.

    Args:
        p: the parameters.
        smallest: the smallest difference that the present replicates find.
    """
    if smallest is None or not p.evaluate.margin or smallest <= p.evaluate.margin:
        return None
    return math.ceil(p.replicates * (smallest / p.evaluate.margin) ** 2)


def alike(p: Any, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table of the studies that have this data set and this number of labels."""
    return table[(table["dataset"] == p.dataset) & (table["n_labels"] == p.n_labels)]


def methods(
    p: Any, evaluation: dict, minutes: dict[str, float], others: pd.DataFrame, published: pd.DataFrame
) -> list[dict]:
    """The rows of the table of methods: the two arms, then the studies' methods and published ones, where they compare.

    Args:
        p: the parameters.
        evaluation: the content of reports/evaluation.json.
        minutes: of a training of each arm, where they are known.
        others: the studies' methods in the table reports/methods.csv, those with this data set and number of labels.
        published: the table studies/published.csv.

    Returns:
        For each method its `name`, `kind` (`arm`, `study` or `published`), number of labels, error and its interval
        (fractions; None where it is not known), `draws` of labels, `minutes` and `source`.
    """
    rows, unknown = [], {"low": None, "high": None, "draws": None, "minutes": None, "source": None}
    for arm in ("without", "with"):
        found = {
            name: evaluation[arm]["error"][key] for name, key in {"error": "mean", "low": "low", "high": "high"}.items()
        }
        found |= {"kind": "arm", "name": arm, "labels": p.n_labels, "draws": p.replicates, "minutes": minutes.get(arm)}
        rows.append(unknown | found)
    rows += [
        unknown | row | {"kind": "study", "name": row["arm"], "labels": row["n_labels"]}
        for row in others.to_dict("records")
    ]
    if p.dataset == "mnist":
        for row in published[published["method"].isin(TWINS)].to_dict("records"):
            errors = {int(key): value for key, value in row.items() if key.isdigit() and pd.notna(value)}
            labels = min(errors, key=lambda n: abs(math.log(n / p.n_labels)))
            found = {"labels": labels, "error": errors[labels] / 100, "source": row["source"]}
            rows.append(unknown | {"kind": "published", "name": row["method"]} | found)
    return rows


def more(psnr: float | None, other: float | None) -> bool:
    """Whether a PSNR is larger than another; None stands for infinity."""
    return other is not None and (psnr is None or psnr > other)


def metric_rows(evaluation: dict) -> list[dict]:
    """A row for each metric: its name, whether it is written in per cent, its digits, and its paired difference.

    The error is left out, as it is what the accuracy lacks, and so is the Brier score, of which no sentence speaks.
    """
    return [
        {"name": name, "percent": name in PERCENT, "digits": DIGITS.get(name, 4), "difference": difference}
        for name, difference in evaluation["difference"].items()
        if name not in ("error", "brier")
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


def levels(table: pd.DataFrame) -> list[dict]:
    """The rows of reports/noise_levels.csv, with None for a PSNR that is infinite."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


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
