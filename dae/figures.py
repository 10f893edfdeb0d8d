"""The figures: arrays in, matplotlib figures out, in one style.

Colours are Okabe and Ito's, which colour-blind readers tell apart.
"""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

COLOURS = {"with": "#0072B2", "without": "#D55E00"}
NAMES = {"with": "with pre-training", "without": "without"}
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
mpl.rcParams.update(STYLE)


def reconstructions(original: np.ndarray, kinds: dict[str, np.ndarray], which: Sequence[int]) -> Figure:
    """Rows of images: the originals, then each kind (noisy, denoised, pca); a column for each index in `which`."""
    names = {"noisy": "noisy", "denoised": "denoised\nby the dAE", "pca": "denoised\nby PCA"}
    rows = [("original", original), *((names[kind], images) for kind, images in kinds.items())]
    figure = Figure(figsize=(0.85 * len(which) + 1.2, 0.9 * len(rows)))
    axes = figure.subplots(len(rows), len(which), squeeze=False)
    for line, (name, images) in zip(axes, rows, strict=True):
        for axis, index in zip(line, which, strict=True):
            _show(axis, images[index], "gray", 0, 1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def filters(kernels: np.ndarray, n: int = 60) -> Figure:
    """The `n` filters of largest norm among kernels of shape (units, 28, 28), each on its own symmetric scale."""
    strongest = np.argsort(-np.square(kernels).sum(axis=(1, 2)), kind="stable")[:n]
    columns = 15
    figure = Figure(figsize=(9, 0.62 * -(-len(strongest) // columns)))
    axes = figure.subplots(-(-len(strongest) // columns), columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, unit in zip(axes, strongest, strict=False):
        limit = np.abs(kernels[unit]).max() or 1.0
        _show(axis, kernels[unit], "RdBu_r", -limit, limit)
    return figure


def code_units(activations: np.ndarray, images: np.ndarray, n_units: int = 8, n_images: int = 10) -> Figure:
    """A row for each of the most variable units of the code: the images that most activate it.

    Args:
        activations: shape (n, units).
        images: shape (n, 28, 28), pixels in [0, 1].
    """
    units = np.argsort(-activations.std(axis=0), kind="stable")[:n_units]
    figure = Figure(figsize=(0.75 * n_images + 1.2, 0.78 * len(units)))
    axes = figure.subplots(len(units), n_images, squeeze=False)
    for line, unit in zip(axes, units, strict=True):
        top = np.argsort(-activations[:, unit], kind="stable")[:n_images]
        for axis, index in zip(line, top, strict=False):
            _show(axis, images[index], "gray", 0, 1)
        line[0].set_ylabel(f"unit {unit}", rotation=0, ha="right", va="center")
    return figure


def paired_accuracies(accuracies: dict[str, np.ndarray], mean: float, interval: tuple[float, float] | None) -> Figure:
    """Left, the accuracy of both arms, a line for each replicate; right, the paired differences and their mean.

    Args:
        accuracies: of the arms `without` and `with`, fractions of shape (replicates,).
        mean, interval: of the paired difference, fractions.
    """
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    without, with_ = (100 * accuracies[arm] for arm in ("without", "with"))
    left.plot([0, 1], np.stack([without, with_]), color="#999999", linewidth=0.8, zorder=1)
    for x, (arm, values) in enumerate((("without", without), ("with", with_))):
        left.scatter(np.full(len(values), x), values, color=COLOURS[arm], s=28, zorder=2)
    means = {"without": without.mean(), "with": with_.mean()}
    left.set_xticks([0, 1], [f"{NAMES[arm]}\nmean {means[arm]:.2f} %" for arm in means])
    left.set_xlim(-0.6, 1.6)
    left.set_ylabel("test accuracy (%)")

    differences = np.sort(with_ - without)
    right.axvline(0, color="black", linewidth=1)
    if interval:
        right.axvspan(
            100 * interval[0], 100 * interval[1], color=COLOURS["with"], alpha=0.2, label="interval of the mean"
        )
    right.axvline(100 * mean, color=COLOURS["with"], linewidth=2, label=f"mean {100 * mean:+.2f} points")
    right.scatter(differences, np.arange(1, len(differences) + 1), color="#444444", s=22, label="one replicate")
    right.set_xlabel("gain by pre-training (percentage points)")
    right.set_ylabel("replicates, in order of gain")
    right.yaxis.get_major_locator().set_params(integer=True)
    right.margins(x=0.1, y=0.08)
    right.legend(loc="upper left", fontsize=9, frameon=True, framealpha=1)
    return figure


def confusions(matrices: dict[str, np.ndarray]) -> Figure:
    """Confusion matrices of both arms, in per cent of each true class; matrices of counts, shape (10, 10)."""
    figure = Figure(figsize=(9.5, 5))
    for axis, (arm, matrix) in zip(figure.subplots(1, 2), matrices.items(), strict=True):
        share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=15)
        axis.grid(False)
        for row, column in np.ndindex(share.shape):
            value = share[row, column]
            text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.05 else ""
            axis.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if value > 9 else "black")
        axis.set_xticks(range(10))
        axis.set_yticks(range(10))
        axis.set_title(NAMES[arm], color=COLOURS[arm])
        axis.set_xlabel("predicted class")
        axis.set_ylabel("true class")
    return figure


def learning_curves(pretraining: np.ndarray, arms: dict[str, np.ndarray], steps: np.ndarray) -> Figure:
    """Left, the dAEs' training losses by epoch; right, the classifiers' by step: means, and the range over replicates.

    Args:
        pretraining: shape (dAEs, epochs), nats a pixel.
        arms: for each arm, shape (replicates, len(steps)), nats.
        steps: shape (points,).
    """
    figure = Figure(figsize=(9, 3.3))
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, pretraining.shape[1] + 1), pretraining.T, color="black", marker=".", linewidth=1)
    left.set_xlabel("epoch")
    left.set_ylabel("dAE: cross-entropy (nats/pixel)")
    left.xaxis.get_major_locator().set_params(integer=True)
    for arm, losses in arms.items():
        right.plot(steps, losses.mean(axis=0), color=COLOURS[arm], label=NAMES[arm])
        right.fill_between(steps, losses.min(axis=0), losses.max(axis=0), color=COLOURS[arm], alpha=0.2, linewidth=0)
    right.set_yscale("log")
    right.set_xlabel("training step")
    right.set_ylabel("classifier: cross-entropy (nats)")
    right.legend()
    return figure


def label_curve(table, worth: dict | None) -> Figure:
    """Test error of both arms against the number of labels: means, and the range over replicates.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        worth: n_labels and extra, the labels that pre-training is worth there; drawn as an arrow.
    """
    figure = Figure(figsize=(7.5, 4.5))
    axis = figure.subplots()
    groups = table.groupby("n_labels")
    for arm in ("without", "with"):
        error = {kind: 100 * (1 - getattr(groups[arm], kind)()) for kind in ("mean", "min", "max")}
        axis.plot(error["mean"].index, error["mean"], color=COLOURS[arm], marker="o", label=NAMES[arm])
        axis.fill_between(error["mean"].index, error["max"], error["min"], color=COLOURS[arm], alpha=0.2, linewidth=0)
    if worth:
        n = worth["n_labels"]
        level = 100 * (1 - groups["with"].mean()[n])
        axis.annotate("", (n + worth["extra"], level), (n, level), arrowprops={"arrowstyle": "->", "linewidth": 1.5})
        axis.annotate(
            f"worth {worth['extra']:,} labels",
            (n + worth["extra"], level),
            xytext=(6, 6),
            textcoords="offset points",
            va="bottom",
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = [t for t in (1, 2, 3, 5, 10, 20, 30, 50) if axis.get_ylim()[0] <= t <= axis.get_ylim()[1]]
    axis.set_yticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    counts = list(groups.groups)
    axis.set_xticks(counts, [f"{n:,}" for n in counts], rotation=90)
    axis.set_xlabel("labelled images")
    axis.set_ylabel("test error (%)")
    axis.legend()
    return figure


def noise_curve(table, without: float) -> Figure:
    """Left, accuracy after pre-training against the level of each corruption; right, PSNR of the denoised images.

    Args:
        table: columns corruption, level, accuracy, std (fractions), psnr_denoised (dB); the corruption `none`, a plain
            autoencoder, is drawn as level 0 of all.
        without: accuracy without pre-training.
    """
    figure = Figure(figsize=(9.5, 4))
    left, right = figure.subplots(1, 2)
    colours = {"masking": "#0072B2", "gaussian": "#009E73", "salt_and_pepper": "#CC79A7"}
    markers = {"masking": "o", "gaussian": "s", "salt_and_pepper": "^"}
    plain = table[table["corruption"] == "none"]
    for corruption, colour in colours.items():
        line = np.concatenate([plain, table[table["corruption"] == corruption]])
        level, accuracy, std, psnr = (
            line[:, table.columns.get_loc(name)].astype(float) for name in ("level", "accuracy", "std", "psnr_denoised")
        )
        style = {"color": colour, "marker": markers[corruption], "label": corruption.replace("_", " ")}
        left.plot(level, 100 * accuracy, **style)
        left.fill_between(level, 100 * (accuracy - std), 100 * (accuracy + std), color=colour, alpha=0.12, linewidth=0)
        right.plot(level, psnr, **style)
    left.axhline(100 * without, color=COLOURS["without"], linestyle="--", label="without pre-training")
    left.set_ylabel("test accuracy (%)")
    right.set_ylabel("PSNR of denoised images (dB)")
    for axis in (left, right):
        axis.set_xlabel("level of the noise")
    left.legend(fontsize=9)
    return figure


def _show(axis, image: np.ndarray, colours: str, low: float, high: float) -> None:
    axis.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    axis.spines[:].set_visible(False)
