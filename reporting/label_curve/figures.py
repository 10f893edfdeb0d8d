"""What the study label_curve draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import COLOURS, errors_by_labels, finish
from reporting.common.numbers import number
from reporting.common.words import words_of

GAIN = ("difference", "low", "high")


def label_curve(table: pd.DataFrame, rows: Sequence[dict], margin: float, worth: dict | None, language: str) -> Figure:
    """Above, test error of both arms against the number of labels, means and range over replicates; below, the gain.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        rows: for each number of labels `n_labels`, the mean paired `difference` in accuracy and its interval from `low`
            to `high`, fractions.
        margin: of practical equivalence, a fraction, drawn as a band.
        worth: `n_labels`, and `extra`, the number of labels that pre-training is worth there; drawn as an arrow.
            None if it is not known.
    """
    words = words_of("label_curve", language)
    figure = Figure(figsize=(7.5, 6.2))
    axis, below = figure.subplots(2, 1, height_ratios=[2, 1])
    groups = table.groupby("n_labels")
    for arm in ("without", "with"):
        error = {kind: 100 * (1 - getattr(groups[arm], kind)()) for kind in ("mean", "min", "max")}
        axis.plot(error["mean"].index, error["mean"], color=COLOURS[arm], marker="o", label=words[arm])
        axis.fill_between(error["mean"].index, error["max"], error["min"], color=COLOURS[arm], alpha=0.2, linewidth=0)
    if worth:
        n = worth["n_labels"]
        level = 100 * (1 - groups["with"].mean()[n])
        axis.annotate("", (n + worth["extra"], level), (n, level), arrowprops={"arrowstyle": "->", "linewidth": 1.5})
        axis.annotate(
            words["worth"].format(number(language, worth["extra"])),
            (n + worth["extra"], level),
            xytext=(6, 6),
            textcoords="offset points",
            va="bottom",
        )
    errors_by_labels(axis, list(groups.groups), language)
    axis.legend()

    n_labels, gain, low, high = (np.array([row[name] for row in rows]) for name in ("n_labels", *GAIN))
    bars = 100 * np.stack([gain - low, high - gain])
    below.axhspan(-100 * margin, 100 * margin, color="#999999", alpha=0.25, linewidth=0, label=words["margin"])
    below.axhline(0, color="black", linewidth=1)
    below.errorbar(n_labels, 100 * gain, yerr=bars, color=COLOURS["with"], marker="o", linestyle="", capsize=3)
    below.set_xscale("log")
    below.minorticks_off()
    below.set_xticks(list(groups.groups), [number(language, n) for n in groups.groups], rotation=90)
    below.set_xlim(axis.get_xlim())
    below.set_xlabel(words["labels"])
    below.set_ylabel(words["gain_short"])
    below.legend()
    return finish(figure, language)
