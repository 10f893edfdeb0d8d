"""What the stage reconstruct draws."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, SKY, VERMILION, finish, image_rows, show
from reporting.common.numbers import number
from reporting.common.words import words_of

GREY = "#888888"


def networks(units: Sequence[int], n_pixels: int, n_classes: int, language: str) -> Figure:
    """Draw both networks as rows of bars, a bar for each layer, whose height grows with the number of its units.

    Above, the autoencoder; below, the classifier, whose hidden layers are the encoder's and have its colour.

    Args:
        units: widths of the encoder's layers.
        n_pixels: width of the input.
        n_classes: width of the classifier's output.
    """
    words = words_of("reconstruct", language)
    decoder = [*reversed(units[:-1]), n_pixels]
    rows = {
        "autoencoder": [(n_pixels, GREY), *((n, BLUE) for n in units), *((n, SKY) for n in decoder)],
        "classifier": [(n_pixels, GREY), *((n, BLUE) for n in units), (n_classes, VERMILION)],
    }
    figure = Figure(figsize=(1.15 * len(rows["autoencoder"]) + 0.6, 4.2))
    for axis, (network, layers) in zip(figure.subplots(2, 1, sharex=True), rows.items(), strict=True):
        axis.axis("off")
        axis.set_title(words[network], loc="left", fontsize=11)
        for i, (width, colour) in enumerate(layers):
            height = max(0.08, (width / n_pixels) ** 0.5)
            axis.bar(i, height, bottom=-height / 2, width=0.34, color=colour)
            axis.text(i, -0.68, number(language, width), ha="center", va="top")
            if i:
                axis.annotate("", (i - 0.22, 0), (i - 0.78, 0), arrowprops={"arrowstyle": "->", "color": "black"})
        last = "decoder" if network == "autoencoder" else "classes"
        first = "noisy_image" if network == "autoencoder" else "image"
        for name, start, end in ((first, 0, 0), ("encoder", 1, len(units)), (last, len(units) + 1, len(layers) - 1)):
            axis.text((start + end) / 2, 0.62, words[name], ha="center", va="bottom", fontsize=10)
        axis.set_ylim(-1.0, 0.95)
    return figure


def reconstructions(original: np.ndarray, kinds: dict[str, np.ndarray], which: Sequence[int], language: str) -> Figure:
    """Draw the originals, then a row for each of `kinds` (noisy, denoised, pca); a column for each index in `which`."""
    words = words_of("reconstruct", language)
    return image_rows({words[kind]: images[list(which)] for kind, images in [("original", original), *kinds.items()]})


def filters(kernels: np.ndarray, deviations: np.ndarray, language: str, n: int = 60) -> Figure:
    """Draw the kernels of the `n` units whose input varies most, each on its own symmetric scale.

    Args:
        kernels: shape (units, 28, 28).
        deviations: standard deviation of each unit's input over images, shape (units,).
    """
    strongest = np.argsort(-deviations, kind="stable")[:n]
    columns = 15
    figure = Figure(figsize=(9, 0.62 * -(-len(strongest) // columns)))
    axes = figure.subplots(-(-len(strongest) // columns), columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, unit in zip(axes, strongest, strict=False):
        limit = np.abs(kernels[unit]).max() or 1.0
        show(axis, kernels[unit], "RdBu_r", -limit, limit)
    return figure


def code_units(
    activations: np.ndarray, images: np.ndarray, language: str, n_units: int = 8, n_images: int = 10
) -> Figure:
    """Draw a row for each unit of the code that varies most: the images that activate it most.

    Args:
        activations: shape (n, units).
        images: shape (n, 28, 28), pixels in [0, 1].
    """
    units = np.argsort(-activations.std(axis=0), kind="stable")[:n_units]
    top = {unit: np.argsort(-activations[:, unit], kind="stable")[:n_images] for unit in units}
    return image_rows(
        {f"{words_of('reconstruct', language)['unit']} {unit}": images[which] for unit, which in top.items()}
    )


def noise_levels(levels: Sequence[float], psnr: dict[str, Sequence[float]], trained: float, language: str) -> Figure:
    """PSNR of noisy and of denoised test images against the level of the noise.

    Args:
        levels: shape (n,).
        psnr: of `noisy` and `denoised` images, decibels of shape (n,); None or NaN where it is infinite.
        trained: the level that the dAE was trained with, drawn as a line.
    """
    words = words_of("reconstruct", language)
    figure = Figure(figsize=(7.5, 3.6))
    axis = figure.subplots()
    axis.plot(levels, psnr["denoised"], color=BLUE, marker="o", label=words["by_dae"])
    axis.plot(levels, psnr["noisy"], color=VERMILION, marker="s", label=words["left_noisy"])
    axis.axvline(trained, color="black", linestyle="--", linewidth=1, label=words["trained"])
    axis.set_xlabel(words["level"])
    axis.set_ylabel("PSNR (dB)")
    axis.legend()
    return finish(figure, language)
