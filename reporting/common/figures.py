"""One style for all figures. Functions take arrays and a language such as `en`, and return matplotlib figures.

Colours are from the Okabe-Ito palette, which colour-blind readers can tell apart; markers or line styles repeat every
distinction.
"""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import ScalarFormatter

from reporting.common.numbers import number
from reporting.common.words import words_of

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK = "#000000"
COLOURS = {"with": BLUE, "without": VERMILION}
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
mpl.rcdefaults()  # a user's matplotlibrc must have no effect
mpl.rcParams.update(STYLE)
# only the fonts that come with matplotlib: those of the system may have another version
fontManager.ttflist = [font for font in fontManager.ttflist if font.fname.startswith(mpl.get_data_path())]


class DecimalFormatter(ScalarFormatter):
    """Tick labels with the decimal sign `decimal` instead of a point."""

    def __init__(self, decimal: str):
        super().__init__()
        self.decimal = decimal

    def __call__(self, x: float, pos: int | None = None) -> str:
        return super().__call__(x, pos).replace(".", self.decimal)


def finish(figure: Figure, language: str) -> Figure:
    """Put the language's decimal sign on all axes of a figure, and return it."""
    decimal = words_of("common", language)["decimal"]
    if decimal != ".":
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(DecimalFormatter(decimal))
    return figure


def image_rows(rows: dict[str, np.ndarray]) -> Figure:
    """Draw a row for each array of images, of shape (n, 28, 28) with pixels in [0, 1], beside its name."""
    n = max(map(len, rows.values()))
    figure = Figure(figsize=(0.85 * n + 1.4, 0.9 * len(rows)))
    for line, (name, images) in zip(figure.subplots(len(rows), n, squeeze=False), rows.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            show(axis, image, "gray", 0, 1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def show(axis: Axes, image: np.ndarray, colours: str, low: float, high: float) -> None:
    """Draw an image of shape (height, width), without ticks; the colour map `colours` goes from `low` to `high`."""
    axis.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    axis.spines[:].set_visible(False)


def errors_by_labels(axis: Axes, counts: list[int], language: str) -> None:
    """Set up logarithmic axes: test error in per cent against number of labels, with a tick for each of `counts`."""
    words = words_of("common", language)
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = [t for t in (0.5, 1, 2, 3, 5, 10, 20, 30, 50) if axis.get_ylim()[0] <= t <= axis.get_ylim()[1]]
    axis.set_yticks(ticks, [number(language, t, int(t < 1)) for t in ticks])
    axis.minorticks_off()
    axis.set_xticks(counts, [number(language, n) for n in counts], rotation=90)
    axis.set_xlabel(words["labels"])
    axis.set_ylabel(words["error"])
