"""What the study label_curve draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import BLACK, COLOURS, HEIGHT, error_ticks, finish, label_ticks, panels
from reporting.common.numbers import number
from reporting.common.words import words_of

GAIN = ("difference", "low", "high")


def label_curve(
    table: pd.DataFrame, rows: Sequence[dict], margin: float, worth: dict | None, language: str
) -> list[Figure]:
    """Test error of both arms against the number of labels, means and range over replicates; and the gain.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        rows: for each number of labels `n_labels`, the mean paired `difference` in accuracy and its interval from `low`
            to `high`, fractions.
        margin: of practical equivalence, a fraction, drawn as a band.
        worth: `n_labels`, and `extra`, the number of labels that pre-training is worth there; drawn as a line.
            None if it is not known.
    """
    words = words_of("label_curve", language)
    figures, (axis, below) = panels(HEIGHT, HEIGHT)
    groups = table.groupby("n_labels")
    for arm in ("without", "with"):
        error = {kind: 100 * (1 - getattr(groups[arm], kind)()) for kind in ("mean", "min", "max")}
        axis.plot(error["mean"].index, error["mean"], color=COLOURS[arm], marker="o", label=words[arm])
        axis.fill_between(error["mean"].index, error["max"], error["min"], color=COLOURS[arm], alpha=0.2, linewidth=0)
    if worth:
        n = worth["n_labels"]
        level = 100 * (1 - groups["with"].mean()[n])
        label = words["worth"].format(number(language, worth["extra"]))
        axis.plot([n, n + worth["extra"]], [level, level], color=BLACK, marker="|", label=label)
    error_ticks(axis, "y", language)

    n_labels, gain, low, high = (np.array([row[name] for row in rows]) for name in ("n_labels", *GAIN))
    bars = 100 * np.stack([gain - low, high - gain])
    below.axhspan(-100 * margin, 100 * margin, color="#999999", alpha=0.25, linewidth=0, label=words["margin"])
    below.axhline(0, color="black", linewidth=1)
    below.errorbar(n_labels, 100 * gain, yerr=bars, color=COLOURS["with"], marker="o", linestyle="", capsize=3)
    below.set_ylabel(words["gain_short"])
    for panel in (axis, below):
        label_ticks(panel, list(groups.groups), language)
    return [finish(figure, language) for figure in figures]
