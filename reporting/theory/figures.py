"""What the stage theory_figures draws."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, VERMILION, finish, image_rows
from reporting.common.numbers import number
from reporting.common.words import words_of


def maps(codes: dict[str, np.ndarray], classes: np.ndarray, trust: dict[str, float], language: str) -> Figure:
    """Draw two-dimensional codes of images side by side, with a numeral at each class's median.

    Args:
        codes: `ae_code` and `pca_code`, each of shape (n, 2).
        classes: shape (n,), 0 to 9.
        trust: trustworthiness of each code, in [0, 1].
    """
    words = words_of("theory", language)
    figure = Figure(figsize=(9.5, 4.6))
    colours = mpl.colormaps["tab10"](range(10))
    for axis, (name, points) in zip(figure.subplots(1, 2), codes.items(), strict=True):
        for c in np.unique(classes):
            axis.scatter(*points[classes == c].T, color=colours[c], marker=f"${c}$", s=26, alpha=0.6, linewidths=0)
        for c in np.unique(classes):
            x, y = np.median(points[classes == c], axis=0)
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colours[c], "linewidth": 1.5}
            axis.text(x, y, str(c), ha="center", va="center", fontsize=10, bbox=box)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        axis.set_title(f"{words[name]}\n{words['trustworthiness']} {number(language, trust[name], 3)}", fontsize=11)
    return figure


def samples(rows: dict[str, np.ndarray], language: str) -> Figure:
    """Draw rows of images, each of shape (n, 28, 28) in [0, 1]: `real`, `variational` and `plain`."""
    words = words_of("theory", language)
    return image_rows({words[kind]: images for kind, images in rows.items()})


def anomalies(auroc: dict[str, float], language: str) -> Figure:
    """Draw the area under the ROC curve of the reconstruction error, in [0, 1], for each class left out of training."""
    words = words_of("theory", language)
    figure = Figure(figsize=(7.5, 3))
    axis = figure.subplots()
    values = list(auroc.values())
    axis.bar(list(auroc), values, color=[BLUE if value > 0.5 else VERMILION for value in values], width=0.6)
    for x, value in enumerate(values):
        axis.text(x, value + 0.015, number(language, value, 2), ha="center", fontsize=10)
    axis.axhline(0.5, color="black", linestyle="--", linewidth=1)
    axis.text(len(values) - 0.45, 0.515, words["chance"], ha="left", fontsize=10)
    axis.set_ylim(0, 1.08)
    axis.set_xlim(-0.6, len(values) + 0.4)
    axis.set_xlabel(words["left_out"])
    axis.set_ylabel(words["auroc"])
    axis.grid(visible=False, axis="x")
    return finish(figure, language)


def copies(rows: dict[str, np.ndarray], units: int, language: str) -> Figure:
    """Draw rows of images: `input`, and its reconstructions by the autoencoders `copying` and `denoising`.

    Args:
        rows: images of shape (n, 28, 28) in [0, 1].
        units: number of units in the code of both autoencoders.
    """
    return image_rows(
        {words_of("theory", language)[kind].format(number(language, units)): images for kind, images in rows.items()}
    )


def code_sizes(codes: Sequence[int], images: Sequence[np.ndarray], original: np.ndarray, language: str) -> Figure:
    """Draw the originals, and below them their reconstructions from codes of each size; images of shape (n, 28, 28)."""
    words = words_of("theory", language)
    names = [words["units"].format(number(language, code)) for code in codes]
    return image_rows({words["original"]: original} | dict(zip(names, images, strict=True)))


def sweep(rows: Sequence[dict], pixels: float, n_pixels: int, language: str) -> Figure:
    """Left, PSNR of test images against the size of the code; right, accuracy of a linear probe of the code.

    Args:
        rows: dicts with `code` (its size), `psnr` (decibels) and `probe` (accuracy, a fraction). The last two are dicts
            with `no_noise` and `with_noise`; `psnr` also has `pca_line`, which may be None.
        pixels: accuracy of a probe of the pixels themselves, a fraction.
        n_pixels: the width of the input, drawn as a line.
    """
    words = words_of("theory", language)
    figure = Figure(figsize=(9.5, 4))
    left, right = figure.subplots(1, 2)
    codes = [row["code"] for row in rows]
    lines = {"no_noise": (VERMILION, "s"), "with_noise": (BLUE, "o")}
    for kind, (colour, marker) in lines.items():
        left.plot(codes, [row["psnr"][kind] for row in rows], color=colour, marker=marker, label=words[kind])
        right.plot(codes, [100 * row["probe"][kind] for row in rows], color=colour, marker=marker)
    pca = [(row["code"], row["psnr"]["pca_line"]) for row in rows if row["psnr"]["pca_line"] is not None]
    left.plot(*zip(*pca, strict=True), color="black", linestyle=":", marker=".", label=words["pca_line"])
    right.axhline(100 * pixels, color="black", linestyle="-.", linewidth=1, label=words["pixels_line"])
    left.set_ylabel(words["reconstruction"])
    right.set_ylabel(words["probe"])
    for axis in (left, right):
        axis.axvline(n_pixels, color="#777777", linestyle="--", linewidth=1, label=words["as_wide"])
        axis.set_xscale("log")
        axis.set_xticks(codes, [number(language, code) for code in codes])
        axis.minorticks_off()
        axis.set_xlabel(words["codes"])
        axis.legend(fontsize=9)
    return finish(figure, language)
