"""Both arms at many numbers of labels: where does pre-training stop paying? reports/studies/label_curve.*."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from dae import statistics
from dae.classifiers import ClassifierSettings
from dae.core.seeds import derive
from reporting.label_curve import figures
from stages._classifiers import classifier_settings
from stages._encoders import load_encoders
from stages._figures import save_figure
from stages.common.files import save_json, save_table
from stages.common.params import Params
from studies._params import StudyParams, run_study
from studies._study import Study, digest, paired, question

SECTIONS = {"without": "baseline", "with": "finetune"}  # of params.yaml, one for each arm


def main(params: Params, study_params: StudyParams) -> None:
    """Train and compare both arms at each number of labels; more labels get more steps, at least `min_epochs`."""
    settings = study_params.label_curve
    study = Study(params, 2 * len(settings.n_labels), "studies.label_curve")
    arms: dict[str, Sequence[Sequence[np.ndarray]]] = {"without": [()], "with": load_encoders(params.pretrain.models)}
    tables, rows = [], []
    for n_labels in sorted(settings.n_labels):
        name, replicates = f"label curve {n_labels}", settings.replicates
        drawn = [study.draw(name, r, n_labels) for r in range(replicates)]
        accuracies, steps = {}, {}
        for arm, encoders in arms.items():
            base = classifier_settings(params, SECTIONS[arm])
            # a fixed number of steps would be too few epochs for many labels
            steps[arm] = max(base.steps, math.ceil(settings.min_epochs * n_labels / base.batch_size))
            classifier = replace(base, steps=steps[arm])
            asked = question(
                f"{arm}, {n_labels} labels",
                classifier,
                name=name,
                replicates=replicates,
                stratified=params.split.stratified,
                encoders=[digest(encoder) for encoder in encoders],
            )
            answer = partial(test, study, name, drawn, classifier, encoders)
            accuracies[arm] = np.array(study.cached(asked, answer)["accuracies"])
        gain = paired(accuracies["with"], accuracies["without"], params.evaluate.confidence)
        rows.append(
            {
                "n_labels": n_labels,
                "replicates": replicates,
                "steps": steps["with"],
                "steps_without": steps["without"],
                "without": round(accuracies["without"].mean(), 5),
                "with": round(accuracies["with"].mean(), 5),
                **gain,
                "verdict": statistics.decide((gain["low"], gain["high"]), params.evaluate.margin),
            }
        )
        tables.append(pd.DataFrame(accuracies).assign(n_labels=n_labels, replicate=range(1, replicates + 1)))
    table = pd.concat(tables)
    save_table("reports/studies/label_curve.csv", table[["n_labels", "replicate", "without", "with"]])
    worth = labels_worth(table, params)
    save_json("reports/studies/label_curve.json", {"rows": rows, "pays_up_to": pays_up_to(rows), "worth": worth})
    save_figure(
        "reports/studies/figures/label_curve/label_curve",
        figures.label_curve,
        table,
        rows,
        params.evaluate.margin,
        worth,
    )


def test(
    study: Study,
    name: str,
    draws: Sequence[np.ndarray],
    settings: ClassifierSettings,
    encoders: Sequence[Sequence[np.ndarray]],
) -> dict:
    """The test accuracies of an arm, as an answer to store."""
    return {"accuracies": study.test(name, draws, settings, encoders)}


def pays_up_to(rows: list[dict]) -> int | None:
    """The number of labels up to which every verdict is `better`; None if the first is not.

    `rows` are in the order of the number of labels.
    """
    paying = None
    for row in rows:
        if row["verdict"] != "better":
            break
        paying = row["n_labels"]
    return paying


def labels_worth(table: pd.DataFrame, params: Params) -> dict | None:
    """How many more labels the baseline needs to be as accurate as pre-training with `params.n_labels`.

    The baseline's mean accuracy is interpolated between the numbers of labels, on a logarithmic scale. The interval is
    a percentile bootstrap over the replicates at each number of labels.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        params: the main pipeline's parameters.

    Returns:
        `n_labels`, and `extra` with its interval `low` and `high`, in labels; a bound is None if it is beyond the
        curve. None if the curve has no `params.n_labels`, or the baseline never gets as accurate.
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
        # np.interp needs a curve that does not fall
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
