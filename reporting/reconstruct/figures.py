"""What the stage reconstruct draws."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, VERMILION, finish, image_rows, show
from reporting.common.words import words_of


def reconstructions(original: np.ndarray, kinds: dict[str, np.ndarray], which: Sequence[int], language: str) -> Figure:
    """Draw the originals, then a row for each of `kinds` (noisy, denoised, pca); a column for each index in `which`."""
    words = words_of("reconstruct", language)
    return image_rows({words[kind]: images[list(which)] for kind, images in [("original", original), *kinds.items()]})


def filters(kernels: np.ndarray, language: str, n: int = 60) -> Figure:
    """Draw the `n` kernels with the largest norm, of shape (units, 28, 28), each on its own symmetric scale."""
    strongest = np.argsort(-np.square(kernels).sum(axis=(1, 2)), kind="stable")[:n]
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
