"""What the stage evaluate draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reporting.common.figures import COLOURS, HEIGHT, ORANGE, SIGNS, WIDTH, finish, is_long, panels
from reporting.common.numbers import number
from reporting.common.words import words_of

MOST_CELLS = 15  # classes, at most, for which the cells of a confusion matrix have room for a number


def paired_accuracies(
    accuracies: dict[str, np.ndarray], mean: float, interval: tuple[float, float] | None, language: str
) -> list[Figure]:
    """The accuracy of both arms, a line for each replicate; the paired differences and their mean.

    Args:
        accuracies: of the arms `without` and `with`, fractions of shape (replicates,).
        mean, interval: mean paired difference and its interval, fractions.
    """
    words = words_of("evaluate", language)
    figures, (left, right) = panels(HEIGHT, HEIGHT)
    without, with_ = (100 * accuracies[arm] for arm in ("without", "with"))
    left.plot([0, 1], np.stack([without, with_]), color="#999999", linewidth=0.8, zorder=1)
    for x, (arm, values) in enumerate((("without", without), ("with", with_))):
        left.scatter(np.full(len(values), x), values, color=COLOURS[arm], s=28, zorder=2)
    means = {"without": without.mean(), "with": with_.mean()}
    left.set_xticks([0, 1], [f"{words[arm]}\n{words['mean']} {number(language, means[arm], 2)}%" for arm in means])
    left.set_xlim(-0.6, 1.6)
    left.set_ylabel(words["accuracy"])

    differences = np.sort(with_ - without)
    right.axvline(0, color="black", linewidth=1)
    if interval:
        right.axvspan(100 * interval[0], 100 * interval[1], color=COLOURS["with"], alpha=0.2, label=words["interval"])
    right.axvline(
        100 * mean,
        color=COLOURS["with"],
        linewidth=2,
        label=f"{words['mean']} {number(language, 100 * mean, 2, '+')} {words['points']}",
    )
    right.scatter(differences, np.arange(1, len(differences) + 1), color="#444444", s=22, label=words["replicate"])
    right.set_xlabel(words["gain"])
    right.set_ylabel(words["order"])
    right.set_yticks(np.unique(np.linspace(1, len(differences), 5).round()))
    right.margins(x=0.1, y=0.08)
    return [finish(figure, language) for figure in figures]


def confusions(matrices: dict[str, np.ndarray], replicates: int, names: Sequence[str], language: str) -> list[Figure]:
    """Confusions without pre-training, and their change by pre-training; both in test images a replicate.

    The larger a number, the stronger is its colour; it is that of the arm that has more of this confusion.

    Args:
        matrices: for each arm, counts over all replicates by true class (rows) and predicted class (columns).
        replicates: their number.
        names: of the classes.
    """
    words = words_of("evaluate", language)
    without, change = matrices["without"] / replicates, (matrices["with"] - matrices["without"]) / replicates
    # a right answer is no confusion
    without, change = (np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix) for matrix in (without, change))
    figures, axes = panels(WIDTH, WIDTH)
    titles = words["confusions"], words["change"]
    for axis, matrix, sign, title in zip(axes, (without, -change), ("", "+"), titles, strict=True):
        largest = np.nanmax(np.abs(matrix)) or 1
        # pale enough for the numbers on it
        axis.imshow(matrix, cmap=SIGNS, vmin=-1.6 * largest, vmax=1.6 * largest, interpolation="none")
        axis.grid(False)
        for row, column in np.ndindex(matrix.shape if len(names) <= MOST_CELLS else (0, 0)):
            value = float(change[row, column] if sign else without[row, column])
            if abs(value) >= 0.5:
                axis.text(column, row, number(language, value, 0, sign), ha="center", va="center", fontsize=9)
        size = None if len(names) <= MOST_CELLS else max(3, 130 / len(names))
        axis.set_xticks(range(len(names)), names, rotation=90 if is_long(names) else 0, fontsize=size)
        axis.set_yticks(range(len(names)), names, fontsize=size)
        axis.set_xlabel(words["predicted_class"])
        axis.set_ylabel(words["true_class"])
        axis.set_title(title)
    return figures


def reliability(bins: pd.DataFrame, language: str) -> list[Figure]:
    """Accuracy against confidence, as the classifiers are and with each arm's temperature.

    Args:
        bins: columns arm, calibrated, images, confidence and accuracy (fractions); a row for each bin.
    """
    words = words_of("evaluate", language)
    figures, axes = panels(HEIGHT, HEIGHT)
    for axis, calibrated in zip(axes, (False, True), strict=True):
        axis.plot([0, 100], [0, 100], color="black", linestyle="--", linewidth=1, label=words["ideal"])
        for arm, marker in (("without", "s"), ("with", "o")):
            found = bins[(bins["arm"] == arm) & (bins["calibrated"] == calibrated)]
            axis.plot(
                100 * found["confidence"], 100 * found["accuracy"], color=COLOURS[arm], marker=marker, label=words[arm]
            )
        axis.set_title(words["calibrated" if calibrated else "as_trained"])
        axis.set_xlabel(words["confidence"])
        axis.set_ylabel(words["accuracy"])
    return [finish(figure, language) for figure in figures]


def learning_curves(
    steps: dict[str, np.ndarray], losses: dict[str, np.ndarray], accuracies: dict[str, np.ndarray], language: str
) -> list[Figure]:
    """The classifiers' training losses and test accuracies by step: mean and range over replicates.

    Args:
        steps: for each arm, shape (points,).
        losses: for each arm, shape (replicates, points), in nats.
        accuracies: likewise, fractions, on a part of the test images.
    """
    words = words_of("evaluate", language)
    figures, (left, right) = panels(HEIGHT, HEIGHT)
    for axis, values in ((left, losses), (right, {arm: 100 * found for arm, found in accuracies.items()})):
        for arm, style in (("without", "--"), ("with", "-")):
            found = values[arm]
            axis.plot(steps[arm], found.mean(axis=0), color=COLOURS[arm], linestyle=style, label=words[arm])
            axis.fill_between(
                steps[arm], found.min(axis=0), found.max(axis=0), color=COLOURS[arm], alpha=0.2, linewidth=0
            )
        axis.set_xlabel(words["step"])
    left.set_yscale("log")
    left.set_ylabel(words["loss"])
    right.set_ylabel(words["accuracy"])
    return [finish(figure, language) for figure in figures]


def pretraining(losses: dict[str, np.ndarray], language: str) -> Figure:
    """The dAEs' losses by epoch, on training images and on images that no dAE trains on; a line for each dAE.

    Args:
        losses: `loss` and `held_out`, of shape (dAEs, epochs), in nats a pixel.
    """
    words = words_of("evaluate", language)
    figure = Figure()
    axis = figure.subplots()
    for kind, colour, style in (("loss", "#444444", "-"), ("held_out", ORANGE, "--")):
        lines = axis.plot(
            np.arange(1, losses[kind].shape[1] + 1), losses[kind].T, color=colour, linestyle=style, marker="."
        )
        lines[0].set_label(words[kind + "_images"])
    axis.set_xlabel(words["epoch"])
    axis.set_ylabel(words["dae_loss"])
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish(figure, language)
