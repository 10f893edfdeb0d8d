"""What the study noise_curve draws."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reporting.common.figures import BLUE, GREEN, HEIGHT, ORANGE, PURPLE, SKY, finish, panels
from reporting.common.words import words_of

STYLES = [(BLUE, "o"), (GREEN, "s"), (PURPLE, "^"), (ORANGE, "D"), (SKY, "v")]  # for the corruptions, in their order
ASIDE = 0.012  # of a level


def noise_curve(table: pd.DataFrame, margin: float, language: str) -> list[Figure]:
    """The gain by pre-training against the level of each corruption, and the PSNR of the denoised images.

    Args:
        table: columns corruption, level, psnr_denoised (dB), and the paired `difference` in accuracy from no
            pre-training with its interval from `low` to `high`, fractions. The row of the corruption `none`, a plain
            autoencoder, is drawn as level 0 of each corruption.
        margin: of practical equivalence, a fraction, drawn as a band.
    """
    words = words_of("noise_curve", language)
    figures, (left, right) = panels(HEIGHT, HEIGHT)
    left.axhspan(-100 * margin, 100 * margin, color="#999999", alpha=0.25, linewidth=0, label=words["margin"])
    left.axhline(0, color="black", linewidth=1)
    plain = table[table["corruption"] == "none"]
    drawn = [(kind, name) for kind, name in words["corruptions"].items() if (table["corruption"] == kind).any()]
    for i, ((colour, marker), (corruption, name)) in enumerate(zip(cycle(STYLES), drawn, strict=False)):
        rows = pd.concat([plain, table[table["corruption"] == corruption]])
        style = {"color": colour, "marker": marker, "label": name}
        gain = 100 * rows[["difference", "low", "high"]]
        bars = np.stack([gain["difference"] - gain["low"], gain["high"] - gain["difference"]])
        beside = ASIDE * (i - (len(drawn) - 1) / 2)  # so that bars at the same level do not hide each other
        left.errorbar(rows["level"] + beside, gain["difference"], yerr=bars, capsize=3, **style)
        right.plot(rows["level"], rows["psnr_denoised"], **style)
    left.set_ylabel(words["gain_short"])
    right.set_ylabel(words["psnr"])
    for axis in (left, right):
        axis.set_xlabel(words["level"])
    return [finish(figure, language) for figure in figures]
