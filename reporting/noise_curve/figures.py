"""What the study noise_curve draws."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, COLOURS, GREEN, ORANGE, PURPLE, SKY, finish
from reporting.common.words import words_of

STYLES = [(BLUE, "o"), (GREEN, "s"), (PURPLE, "^"), (ORANGE, "D"), (SKY, "v")]  # for the corruptions, in their order


def noise_curve(table: pd.DataFrame, without: float, language: str) -> Figure:
    """Left, accuracy after pre-training against the level of each corruption; right, PSNR of the denoised images.

    Args:
        table: columns corruption, level, accuracy, std (fractions), psnr_denoised (dB). The row of the corruption
            `none`, a plain autoencoder, is drawn as level 0 of each corruption.
        without: accuracy without pre-training, a fraction.
    """
    words = words_of("noise_curve", language)
    figure = Figure(figsize=(9.5, 4))
    left, right = figure.subplots(1, 2)
    plain = table[table["corruption"] == "none"]
    for (colour, marker), (corruption, name) in zip(cycle(STYLES), words["corruptions"].items(), strict=False):
        rows = table[table["corruption"] == corruption]
        if rows.empty:
            continue
        line = np.concatenate([plain, rows])
        level, accuracy, std, psnr = (
            line[:, table.columns.get_loc(name)].astype(float) for name in ("level", "accuracy", "std", "psnr_denoised")
        )
        style = {"color": colour, "marker": marker, "label": name}
        left.plot(level, 100 * accuracy, **style)
        left.fill_between(level, 100 * (accuracy - std), 100 * (accuracy + std), color=colour, alpha=0.12, linewidth=0)
        right.plot(level, psnr, **style)
    left.axhline(100 * without, color=COLOURS["without"], linestyle="--", label=words["without"])
    left.set_ylabel(words["accuracy"])
    right.set_ylabel(words["psnr"])
    for axis in (left, right):
        axis.set_xlabel(words["level"])
    left.legend(fontsize=9)
    return finish(figure, language)
