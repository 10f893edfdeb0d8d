"""What the study pushed draws."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, WIDTH, error_ticks, finish
from reporting.common.numbers import number
from reporting.common.words import words_of

ARMS = (
    *("without", "with", "pushed_alone", "pushed", "pseudo", "pseudo_conv"),
    *("ladder_gamma", "ladder", "ladder_conv"),
)
STYLES = [(VERMILION, "o"), (BLUE, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P")]  # of numbers of labels


def pushed(table: pd.DataFrame, language: str) -> Figure:
    """Test error of every arm, a row each, for each number of labels: means over label draws, and each draw.

    Args:
        table: columns n_labels, arm, accuracy (a fraction); a row for each draw.
    """
    words = words_of("pushed", language)
    arms = [arm for arm in ARMS if (table["arm"] == arm).any()]
    counts = sorted(table["n_labels"].unique())
    figure = Figure(figsize=(WIDTH, 1 + 0.4 * len(arms)))
    axis = figure.subplots()
    for place, arm in enumerate(arms):
        for n, (colour, marker) in zip(counts, cycle(STYLES), strict=False):
            errors = 100 * (1 - table.loc[(table["arm"] == arm) & (table["n_labels"] == n), "accuracy"])
            axis.scatter(errors, [place] * len(errors), color=colour, marker=marker, s=7, alpha=0.5)
            label = f"{number(language, n)} {words['labels']}" if place == 0 else None
            axis.plot(errors.mean(), place, color=colour, marker=marker, markersize=7, linestyle="", label=label)
        axis.text(0, place - 0.25, words[arm], transform=axis.get_yaxis_transform(), fontsize=9)
    axis.set_ylim(len(arms) - 0.5, -0.8)
    axis.set_yticks(range(len(arms)), [""] * len(arms))
    axis.tick_params(axis="y", length=0)
    error_ticks(axis, "x", language)
    return finish(figure, language)
