"""What the stage evaluate draws."""

import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import COLOURS, finish
from reporting.common.numbers import number
from reporting.common.words import words_of


def paired_accuracies(
    accuracies: dict[str, np.ndarray], mean: float, interval: tuple[float, float] | None, language: str
) -> Figure:
    """Left, the accuracy of both arms, a line for each replicate; right, the paired differences and their mean.

    Args:
        accuracies: of the arms `without` and `with`, fractions of shape (replicates,).
        mean, interval: mean paired difference and its interval, fractions.
    """
    words = words_of("evaluate", language)
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    without, with_ = (100 * accuracies[arm] for arm in ("without", "with"))
    left.plot([0, 1], np.stack([without, with_]), color="#999999", linewidth=0.8, zorder=1)
    for x, (arm, values) in enumerate((("without", without), ("with", with_))):
        left.scatter(np.full(len(values), x), values, color=COLOURS[arm], s=28, zorder=2)
    means = {"without": without.mean(), "with": with_.mean()}
    left.set_xticks([0, 1], [f"{words[arm]}\n{words['mean']} {number(language, means[arm], 2)} %" for arm in means])
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
    right.yaxis.get_major_locator().set_params(integer=True)
    right.margins(x=0.1, y=0.08)
    right.legend(loc="upper left", fontsize=9, frameon=True, framealpha=1)
    return finish(figure, language)


def confusions(matrices: dict[str, np.ndarray], language: str) -> Figure:
    """Draw both arms' confusion matrices in per cent of each true class, from matrices of counts, shape (10, 10)."""
    words = words_of("evaluate", language)
    figure = Figure(figsize=(9.5, 5))
    for axis, (arm, matrix) in zip(figure.subplots(1, 2), matrices.items(), strict=True):
        share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=15)
        axis.grid(False)
        for row, column in np.ndindex(share.shape):
            value = share[row, column]
            text = number(language, value, 0 if value >= 9.95 else 1) if value >= 0.05 else ""
            axis.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if value > 9 else "black")
        axis.set_xticks(range(10))
        axis.set_yticks(range(10))
        axis.set_title(words[arm], color=COLOURS[arm])
        axis.set_xlabel(words["predicted_class"])
        axis.set_ylabel(words["true_class"])
    return figure


def learning_curves(pretraining: np.ndarray, arms: dict[str, np.ndarray], steps: np.ndarray, language: str) -> Figure:
    """Left, the dAEs' training losses by epoch; right, the classifiers' by step, mean and range over replicates.

    Args:
        pretraining: shape (dAEs, epochs), in nats a pixel.
        arms: for each arm, shape (replicates, points), in nats.
        steps: shape (points,).
    """
    words = words_of("evaluate", language)
    figure = Figure(figsize=(9, 3.3))
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, pretraining.shape[1] + 1), pretraining.T, color="black", marker=".", linewidth=1)
    left.set_xlabel(words["epoch"])
    left.set_ylabel(words["dae_loss"])
    left.xaxis.get_major_locator().set_params(integer=True)
    for arm, losses in arms.items():
        right.plot(steps, losses.mean(axis=0), color=COLOURS[arm], label=words[arm])
        right.fill_between(steps, losses.min(axis=0), losses.max(axis=0), color=COLOURS[arm], alpha=0.2, linewidth=0)
    right.set_yscale("log")
    right.set_xlabel(words["step"])
    right.set_ylabel(words["loss"])
    right.legend()
    return finish(figure, language)
