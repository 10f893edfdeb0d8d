"""What the stage theory_figures draws."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reporting.common.figures import BLACK, BLUE, HEIGHT, VERMILION, WIDTH, finish, image_rows, is_long, panels
from reporting.common.numbers import hundredfold, number
from reporting.common.words import words_of

IN_A_ROW = 10  # images
SHORT = 0.2  # a bar that has no room for its number
DRAWN = 600  # points of a map; more would hide each other


def maps(
    codes: dict[str, np.ndarray], classes: np.ndarray, names: Sequence[str], kept: dict[str, dict], language: str
) -> list[Figure]:
    """Draw two-dimensional codes of images, the first `DRAWN` as their classes' numbers, and at its median each name.

    Args:
        codes: `ae_code` and `pca_code`, each of shape (n, 2).
        classes: shape (n,), numbers of the classes, from 0.
        names: of the classes.
        kept: for each code `trustworthiness`, in [0, 1], and `neighbours`, the accuracy of nearest neighbours, whose
            `mean` is a fraction.
    """
    words = words_of("theory", language)
    figures, axes = panels(WIDTH, WIDTH)
    colours = mpl.colormaps["tab10"](np.arange(len(names)) % 10)
    for axis, (name, points) in zip(axes, codes.items(), strict=True):
        for c in np.unique(classes):
            few = points[:DRAWN][classes[:DRAWN] == c]
            look = {"color": colours[c], "marker": f"${c}$", "s": 26, "alpha": 0.6, "linewidths": 0}
            axis.scatter(few[:, 0], few[:, 1], **look)
        for c in np.unique(classes):
            x, y = np.median(points[classes == c], axis=0)
            style = "round,pad=0.15" if len(names[c]) > 2 else "circle,pad=0.15"
            box = {"boxstyle": style, "facecolor": "white", "edgecolor": colours[c], "linewidth": 1.5}
            axis.text(x, y, names[c], ha="center", va="center", fontsize=10, bbox=box)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        trust = number(language, kept[name]["trustworthiness"], 3)
        neighbours = number(language, hundredfold(kept[name]["neighbours"]["mean"]), 1)
        axis.set_title("\n".join([words[name], *words["kept"].format(neighbours, trust).split(", ")]))
    return figures


def samples(sets: dict[str, np.ndarray], language: str) -> Figure:
    """Draw images of shape (n, 28, 28) in [0, 1], ten in a row: of `variational` all, a row of the other sets."""
    words, rows = words_of("theory", language), []
    for kind, images in sets.items():
        shown = images if kind == "variational" else images[:IN_A_ROW]
        for start in range(0, len(shown), IN_A_ROW):
            rows.append((words[kind] if start == 0 else "", shown[start : start + IN_A_ROW]))
    return image_rows(rows)


def compression(rows: dict[str, np.ndarray], n_bytes: int, language: str) -> Figure:
    """Draw rows of images, each of shape (n, 28, 28) in [0, 1]: `original`, `by_autoencoder` and `by_pca`.

    Args:
        rows: the images by the name of the row.
        n_bytes: size of the code of an image.
    """
    words = words_of("theory", language)
    return image_rows([(words[kind].format(number(language, n_bytes)), images) for kind, images in rows.items()])


def anomalies(auroc: dict[str, float], by_ink: dict[str, float], names: Sequence[str], language: str) -> Figure:
    """Draw the area under the ROC curve, in [0, 1], for each class left out of the training.

    Args:
        auroc: of the reconstruction error.
        by_ink: of the reconstruction error divided by the image's ink.
        names: of all classes; the keys of both dicts are the numbers of those left out.
    """
    words = words_of("theory", language)
    figure = Figure()
    axis = figure.subplots()
    values = list(auroc.values())
    colours = [BLUE if value > 0.5 else VERMILION for value in values]
    left_out = [names[int(c)] for c in auroc]
    axis.bar(left_out, values, color=colours, width=0.6, label=words["by_error"])
    axis.plot(left_out, list(by_ink.values()), "D", color="white", markeredgecolor=BLACK, label=words["by_ink"])
    for x, value in enumerate(values):
        text = number(language, value, 2)
        inside = value > SHORT
        y, colour = (0.03, "white") if inside else (value + 0.03, BLACK)
        axis.text(x, y, text, ha="center", va="bottom", rotation=90, fontsize=10, fontweight="bold", color=colour)
    axis.axhline(0.5, color="black", linestyle="--", linewidth=1, label=words["chance"])
    axis.set_ylim(0, 1.08)
    axis.tick_params("x", rotation=90 if is_long(left_out) else 0)
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
    words = words_of("theory", language)
    return image_rows([(words[kind].format(number(language, units)), images) for kind, images in rows.items()])


def code_sizes(codes: Sequence[int], images: Sequence[np.ndarray], original: np.ndarray, language: str) -> Figure:
    """Draw the originals, and below them their reconstructions from codes of each size; images of shape (n, 28, 28)."""
    words = words_of("theory", language)
    names = [words["units"].format(number(language, code)) for code in codes]
    return image_rows([(words["original"], original), *zip(names, images, strict=True)])


def sweep(rows: Sequence[dict], pixels: dict, linear: dict, n_pixels: int, language: str) -> list[Figure]:
    """Against the size of the code: PSNR of images, and accuracies of a linear probe and of nearest neighbours.

    Lines are means, bands go from the lowest to the highest value.

    Args:
        rows: dicts with `code` (its size), `no_noise`, `with_noise` and `pca`, which may be None. Each of these has
            `train` and `test` (PSNR in decibels), `linear` and `neighbours` (accuracies, fractions), and each of them
            `mean`, `low` and `high`.
        pixels: `linear` and `neighbours` of the pixels themselves.
        linear: the `code` and the PSNR of `test` images of a linear network.
        n_pixels: the width of the input, drawn as a line.
    """
    words = words_of("theory", language)
    figures, axes = panels(HEIGHT, HEIGHT, HEIGHT)
    codes = [row["code"] for row in rows]
    looks = {
        "no_noise": (VERMILION, "s", "-", words["no_noise"]),
        "with_noise": (BLUE, "o", "-", words["with_noise"]),
        "pca": (BLACK, ".", ":", words["pca_line"]),
    }
    for axis, measure in zip(axes, ("test", "linear", "neighbours"), strict=True):
        scale = 1 if measure == "test" else 100
        for kind, (colour, marker, line, name) in looks.items():
            known = [row for row in rows if row[kind] is not None]
            x = [row["code"] for row in known]
            low, mean, high = ([scale * row[kind][measure][end] for row in known] for end in ("low", "mean", "high"))
            axis.plot(x, mean, color=colour, marker=marker, linestyle=line, label=name)
            axis.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        axis.axvline(n_pixels, color="#777777", linestyle="--", linewidth=1, label=words["as_wide"])
        axis.set_xscale("log")
        axis.set_xticks(codes, [number(language, code) for code in codes])
        axis.minorticks_off()
        axis.set_xlabel(words["codes"])
        axis.set_title(words[f"{measure}_title"], fontsize=11)
        if measure != "test":
            axis.axhline(100 * pixels[measure]["mean"], color=BLACK, linestyle="-.", linewidth=1, label=words["pixels"])
    axes[0].plot(linear["code"], linear["test"]["mean"], "D", color="white", markeredgecolor=BLACK, label=words["net"])
    return [finish(figure, language) for figure in figures]
