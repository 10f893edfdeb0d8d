"""What the study label_curve draws."""

import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import COLOURS, errors_by_labels
from reporting.common.numbers import number
from reporting.common.words import words_of


def label_curve(table: pd.DataFrame, worth: dict | None, language: str) -> Figure:
    """Test error of both arms against the number of labels: means, and the range over replicates.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        worth: `n_labels`, and `extra`, the number of labels that pre-training is worth there; drawn as an arrow.
            None if it is not known.
    """
    words = words_of("label_curve", language)
    figure = Figure(figsize=(7.5, 4.5))
    axis = figure.subplots()
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
    return figure
