"""What the study pushed draws."""

import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, errors_by_labels
from reporting.common.words import words_of


def pushed(table: pd.DataFrame, language: str) -> Figure:
    """Test error of every arm against the number of labels: means over label draws, and each draw.

    Args:
        table: columns n_labels, arm, accuracy (a fraction); a row for each draw.
    """
    styles = {  # those of students are dashed
        "without": (VERMILION, "o", "-"),
        "with": (BLUE, "s", "-"),
        "pushed_alone": (ORANGE, "P", "-"),
        "pushed": (SKY, "P", "-"),
        "pseudo": (BLUE, "^", "--"),
        "pseudo_conv": (BLACK, "v", "--"),
        "ladder_gamma": (BLACK, "*", "-"),
        "ladder": (GREEN, "D", "-"),
        "ladder_conv": (PURPLE, "v", "--"),
    }
    words = words_of("pushed", language)
    figure = Figure(figsize=(10.5, 5))
    axis = figure.subplots()
    for arm, (colour, marker, line) in styles.items():
        rows = table[table["arm"] == arm]
        if rows.empty:
            continue
        error = 100 * (1 - rows.groupby("n_labels")["accuracy"].mean())
        axis.plot(error.index, error, line, color=colour, marker=marker, markersize=8, label=words[arm])
        axis.scatter(rows["n_labels"], 100 * (1 - rows["accuracy"]), color=colour, marker=marker, s=9, alpha=0.5)
    errors_by_labels(axis, sorted(table["n_labels"].unique()), language)
    figure.legend(loc="outside right upper")
    return figure
