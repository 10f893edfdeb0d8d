"""What the stage reconstruct draws."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, ORANGE, PURPLE, SIGNS, SKY, VERMILION, finish, image_rows, panels
from reporting.common.numbers import number
from reporting.common.words import words_of

GREY = "#888888"
EXACT = 59  # dB: a smaller error than that of rounding pixels to 8 bits, of variance 1 / 12, which no image shows


def networks(units: Sequence[int], n_pixels: int, n_classes: int, language: str) -> list[Figure]:
    """Draw the autoencoder and the classifier, a bar for each layer, whose height grows with the number of its units.

    The classifier's hidden layers are the encoder's and have its colour.

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
    widest = max(n_pixels, *units, n_classes)
    figures, axes = panels(2.2, 2.2)
    for axis, (network, layers) in zip(axes, rows.items(), strict=True):
        axis.axis("off")
        axis.set_title(words[network])
        for i, (width, colour) in enumerate(layers):
            height = max(0.08, (width / widest) ** 0.5)
            axis.bar(i, height, bottom=-height / 2, width=0.34, color=colour)
            axis.text(i, -0.6, number(language, width), ha="center", va="top", fontsize=9)
            if i:
                axis.annotate("", (i - 0.18, 0), (i - 0.82, 0), arrowprops={"arrowstyle": "->", "color": "black"})
        last = "decoder" if network == "autoencoder" else "classes"
        first = "noisy_image" if network == "autoencoder" else "image"
        for name, start, end in ((first, 0, 0), ("encoder", 1, len(units)), (last, len(units) + 1, len(layers) - 1)):
            axis.text((start + end) / 2, 0.56, words[name], ha="center", va="bottom", fontsize=9)
        axis.set_ylim(-0.85, 1.0)
        axis.set_xlim(-0.6, len(rows["autoencoder"]) - 0.4)
    return figures


def reconstructions(
    original: np.ndarray, kinds: dict[str, np.ndarray], which: Sequence[int], classes: Sequence[str], language: str
) -> Figure:
    """Draw originals, then a row for each of `kinds` (noisy, denoised, ...); a column for each index in `which`.

    Args:
        original: shape (n, 28, 28), pixels in [0, 1]; so are the kinds.
        classes: the names of the n images' classes; those of the images drawn stand above their columns.
    """
    words, which = words_of("reconstruct", language), list(which)
    rows = [(words[kind], images[which]) for kind, images in [("original", original), *kinds.items()]]
    return image_rows(rows, heads=[classes[i] for i in which])


def filters(kernels: np.ndarray, deviations: np.ndarray, language: str, n: int = 60) -> Figure:
    """Draw the kernels of the `n` units whose input varies most, each on its own symmetric scale.

    Args:
        kernels: shape (units, 28, 28).
        deviations: standard deviation of each unit's input over images, shape (units,).
    """
    strongest = kernels[np.argsort(-deviations, kind="stable")[:n]]
    scaled = strongest / np.maximum(np.abs(strongest).max(axis=(1, 2), keepdims=True), 1e-12)
    rows = [("", scaled[first : first + 12]) for first in range(0, len(scaled), 12)]
    return image_rows(rows, colours=SIGNS, low=-1, columns=12)


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
    word = words_of("reconstruct", language)["unit"]
    return image_rows([(f"{word} {unit}", images[which]) for unit, which in top.items()])


def noise_levels(levels: Sequence[float], psnr: dict[str, Sequence[float]], trained: float, language: str) -> Figure:
    """PSNR of noisy and of denoised test images against the level of the noise.

    Args:
        levels: shape (n,).
        psnr: of `noisy` images, and of those denoised by the dAE (`denoised`), by least squares (`linear`) and by
            `pca`, decibels of shape (n,); None or NaN where it is infinite. Those above `EXACT` are not drawn either.
        trained: the level that the denoisers were trained with, drawn as a line.
    """
    words = words_of("reconstruct", language)
    names = {"denoised": words["by_dae"], "linear": words["linear"], "pca": words["pca"], "noisy": words["left_noisy"]}
    figure = Figure()
    axis = figure.subplots()
    for (kind, name), colour, marker in zip(names.items(), (BLUE, ORANGE, PURPLE, VERMILION), "o^Ds", strict=True):
        found = np.array(psnr[kind], float)
        axis.plot(
            levels, np.where(found > EXACT, np.nan, found), color=colour, marker=marker, label=name.replace("\n", " ")
        )
    axis.axvline(trained, color="black", linestyle="--", linewidth=1, label=words["trained"])
    axis.set_xlabel(words["level"])
    axis.set_ylabel("PSNR (dB)")
    return finish(figure, language)
