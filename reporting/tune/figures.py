"""What the study tune draws."""

import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import COLOURS, finish
from reporting.common.words import words_of

SHOWN = 25  # percentage points below the best accuracy; configurations that learn nothing would squeeze the others


def search(table: pd.DataFrame, language: str) -> Figure:
    """Accuracy in cross-validation against the learning rate, a point for each configuration with all layers free.

    Args:
        table: the rows of reports/studies/tune.csv.
    """
    words = words_of("tune", language)
    figure = Figure()
    axis = figure.subplots()
    free = table[table["way"] == "free"]
    for arm, marker in (("without", "s"), ("with", "o")):
        tried = free[free["arm"] == arm]
        # those that went on to more draws are drawn larger
        size = 20 + 60 * (tried["draws"] / free["draws"].max())
        axis.scatter(
            tried["learning_rate"], 100 * tried["accuracy"], s=size, color=COLOURS[arm], marker=marker, label=words[arm]
        )
        chosen = tried[tried["chosen"]]
        axis.scatter(
            chosen["learning_rate"],
            100 * chosen["accuracy"],
            s=260,
            facecolors="none",
            edgecolors="black",
            linewidths=1.5,
        )
    axis.scatter([], [], s=160, facecolors="none", edgecolors="black", linewidths=1.5, label=words["chosen"])
    axis.set_xscale("log")
    best = 100 * free["accuracy"].max()
    axis.set_ylim(bottom=max(axis.get_ylim()[0], best - SHOWN))
    axis.set_xlabel(words["learning_rate"])
    axis.set_ylabel(words["accuracy"])
    return finish(figure, language)
