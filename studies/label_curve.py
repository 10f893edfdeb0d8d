"""Both arms at many numbers of labels: where does pre-training stop paying? reports/studies/label_curve.*."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from dae import figures, statistics
from dae.seeds import derive
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import load_encoders, save_figure, save_json, save_table
from studies._params import StudyParams
from studies._run import run_study
from studies._study import Study, digest, question


def main(params: Params, study_params: StudyParams) -> None:
    settings = study_params.label_curve
    study = Study(params, 2 * len(settings.n_labels), "studies.label_curve")
    arms = {"without": [()], "with": load_encoders(params.pretrain.models)}
    base, tables, rows = recipe_of(params), [], []
    for n_labels in sorted(settings.n_labels):
        replicates = settings.replicates_with(n_labels)
        steps = max(base.steps, math.ceil(settings.min_epochs * n_labels / base.batch_size))
        recipe, name = replace(base, steps=steps), f"label curve {n_labels}"
        drawn = [study.draw(name, r, n_labels) for r in range(replicates)]
        accuracies = {}
        for arm, encoders in arms.items():
            asked = question(
                f"{arm}, {n_labels} labels",
                recipe,
                name=name,
                replicates=replicates,
                stratified=params.split.stratified,
                encoders=[digest(encoder) for encoder in encoders],
            )
            answer = study.keep(asked, lambda e=encoders: {"accuracies": study.test(name, drawn, recipe, e)})  # noqa: B023
            accuracies[arm] = np.array(answer["accuracies"])
        gains = accuracies["with"] - accuracies["without"]
        interval = statistics.t_interval(gains, params.evaluate.confidence)
        rows.append(
            {
                "n_labels": n_labels,
                "replicates": replicates,
                "steps": steps,
                "without": round(accuracies["without"].mean(), 5),
                "with": round(accuracies["with"].mean(), 5),
                "difference": round(gains.mean(), 5),
                "low": round(interval[0], 5),
                "high": round(interval[1], 5),
                "verdict": statistics.decide(interval, params.evaluate.margin),
            }
        )
        tables.append(pd.DataFrame(accuracies).assign(n_labels=n_labels, replicate=range(1, replicates + 1)))
    table = pd.concat(tables)
    save_table("reports/studies/label_curve.csv", table[["n_labels", "replicate", "without", "with"]])
    worth = labels_worth(table, params)
    save_json("reports/studies/label_curve.json", {"rows": rows, "pays_up_to": pays_up_to(rows), "worth": worth})
    save_figure("reports/studies/figures/label_curve/label_curve", figures.label_curve, table, worth)


def pays_up_to(rows: list[dict]) -> int | None:
    """The largest number of labels such that the verdict is better there and at all smaller ones; None if nowhere."""
    paying = None
    for row in rows:
        if row["verdict"] != "better":
            break
        paying = row["n_labels"]
    return paying


def labels_worth(table: pd.DataFrame, params: Params) -> dict | None:
    """How many labels the baseline needs to be as good as pre-training is with `params.n_labels`, with an interval.

    Read off the line between the baseline's mean accuracies over the logarithm of the number of labels. The interval
    comes from drawing the replicates anew at every number of labels. None where the curve lacks `params.n_labels`, or
    the baseline never gets there.
    """
    n_labels = params.n_labels
    groups = dict(list(table.groupby("n_labels")))
    if n_labels not in groups:
        return None
    rng = np.random.default_rng(derive(params.seed, "worth"))

    def equal(resample: bool) -> float:
        means = {}
        for n, group in groups.items():
            rows = rng.integers(0, len(group), len(group)) if resample else np.arange(len(group))
            means[n] = group[["without", "with"]].to_numpy()[rows].mean(axis=0)
        baseline = np.maximum.accumulate([mean[0] for mean in means.values()])
        return float(np.exp(np.interp(means[n_labels][1], baseline, np.log(list(means)), right=np.inf)))

    best = equal(resample=False)
    if not np.isfinite(best):
        return None
    tail = (1 - params.evaluate.confidence) / 2
    low, high = np.quantile([equal(resample=True) for _ in range(params.evaluate.resamples)], [tail, 1 - tail])
    extra = {"extra": best, "low": low, "high": high}
    return {"n_labels": n_labels} | {k: round(v - n_labels) if np.isfinite(v) else None for k, v in extra.items()}


if __name__ == "__main__":
    run_study(main)
