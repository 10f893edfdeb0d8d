"""What the study tune draws."""

import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, finish
from reporting.common.words import words_of


def tuning(without: np.ndarray, gains: np.ndarray, chosen: int, language: str) -> Figure:
    """The gain by pre-training against the accuracy of the baseline, a point for each setting tried on both arms.

    Args:
        without, gains: fractions of shape (n,).
        chosen: index of the setting that was chosen for the baseline.
    """
    words = words_of("tune", language)
    figure = Figure(figsize=(7.5, 3.8))
    axis = figure.subplots()
    axis.scatter(100 * without, 100 * gains, color="#444444", s=36, label=words["settings"])
    axis.scatter(100 * without[chosen], 100 * gains[chosen], color=BLUE, s=110, marker="*", label=words["chosen"])
    axis.axhline(0, color="black", linewidth=1)
    axis.set_xlabel(words["cv_baseline"])
    axis.set_ylabel(words["gain"])
    axis.legend(fontsize=9)
    return finish(figure, language)
