"""One style for all figures. Functions take arrays and a language such as `en`, and return matplotlib figures.

A figure is as wide as a phone shows it well. What has two panels is two figures, which a page sets side by side or, on
a phone, one below the other.

Colours are from the Okabe-Ito palette, which colour-blind readers can tell apart; markers or line styles repeat every
distinction.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import LogFormatter, ScalarFormatter

from reporting.common.numbers import number
from reporting.common.words import words_of

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK = "#000000"
COLOURS = {"with": BLUE, "without": VERMILION}
WIDTH, HEIGHT = 4.2, 2.7  # inches, without a legend; a phone 375 pixels wide shows 9 points as 10 pixels
LINE = 0.2  # inches, of a legend
HALF = 24  # characters of a legend that fit in half of the width
LONG = 28  # characters that fit beside an axis
LONGEST_HEAD = 16  # characters of a name above a column
GAP = 2  # pixels between images
# the sign of a number as a colour, its size as opacity, so that 0 has the colour of the page
SIGNS = LinearSegmentedColormap.from_list(
    "signs", [(0, BLUE), (0.5, BLUE + "00"), (0.5, VERMILION + "00"), (1, VERMILION)]
)
STYLE: dict[Any, Any] = {
    "figure.figsize": (WIDTH, HEIGHT),
    "font.size": 10,
    "legend.fontsize": 9,
    "axes.titlesize": 10,
    "lines.markersize": 5,
    "svg.fonttype": "none",  # text stays text
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


class DecadeFormatter(LogFormatter):
    """Tick labels of a logarithmic axis as plain numbers, such as 0.001."""

    def __init__(self, language: str):
        super().__init__()
        self.language = language

    def __call__(self, x: float, pos: int | None = None) -> str:
        return number(self.language, x, digits(x)) if super().__call__(x, pos) else ""


def digits(x: float) -> int:
    """How many digits after the point a number above 0 with one significant digit has."""
    return max(0, -math.floor(math.log10(x)))


def panels(*heights: float) -> tuple[list[Figure], list[Axes]]:
    """A figure for each height in inches, with the letters A, B, ... by which a caption names them, and their axes."""
    figures = [Figure(figsize=(WIDTH, height)) for height in heights]
    axes = [figure.subplots() for figure in figures]
    for letter, axis in zip("ABCDEF", axes, strict=False):
        axis.set_title(letter, loc="left", fontweight="bold")
    return figures, axes


def finish(figure: Figure, language: str) -> Figure:
    """Put the language's decimal sign on all axes of a figure, and its legend below it, where no point can be.

    The figure grows by the legend, and long labels of y axes get a second line.
    """
    decimal = words_of("common", language)["decimal"]
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatter):
            axis.set_major_formatter(DecadeFormatter(language))
            axis.set_minor_formatter(DecadeFormatter(language))
        elif type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(DecimalFormatter(decimal))
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    if labels:
        columns = 2 if max(map(len, labels)) <= HALF else 1
        figure.set_figheight(figure.get_figheight() + LINE * math.ceil(len(labels) / columns))
        figure.legend(loc="outside lower center", ncols=columns)
    for axes in figure.axes:
        axes.set_ylabel(textwrap.fill(axes.get_ylabel(), LONG))
    return figure


def is_long(names: Sequence[str]) -> bool:
    """Whether names are too long to stand side by side above columns, or below bars."""
    return max(map(len, names), default=0) > 3


def image_rows(
    rows: Sequence[tuple[str, np.ndarray]],
    heads: Sequence[object] = (),
    colours: str | Colormap = "gray",
    low: float = 0,
    columns: int = 10,
) -> Figure:
    """Draw rows of images below their names, all as one picture.

    Args:
        rows: for each row, its name, which may be empty, and images of shape (n, height, width), from `low` to 1.
        heads: what stands above each column; turned upright where a head is long, and cut after `LONGEST_HEAD` letters.
        colours: a colour map.
        columns: so many images fill the width, or as many as the longest row has.
    """
    height, width = (side + GAP for side in rows[0][1].shape[1:])
    columns = max(columns, *(len(images) for _, images in rows))
    points = 72 * WIDTH / (columns * width - GAP)  # for each pixel
    line = math.ceil(13 / points)  # pixels, of a line of text
    names = [str(head)[:LONGEST_HEAD] for head in heads]
    upright = is_long(names)
    top = math.ceil(6 * max(map(len, names)) / points) + GAP if upright else line * (len(names) > 0)
    tops = np.cumsum([top] + [line * bool(name) + height for name, _ in rows])
    canvas = np.full((tops[-1] - GAP, columns * width - GAP), np.nan)
    figure = Figure(figsize=(WIDTH, canvas.shape[0] * points / 72), layout="none")  # type: ignore[arg-type]
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    for (name, images), bottom in zip(rows, tops[1:], strict=True):
        for column, image in enumerate(images):
            canvas[bottom - height : bottom - GAP, column * width : (column + 1) * width - GAP] = image
        axis.text(-0.5, bottom - height - 0.5 - 3 / points, name.replace("\n", " "), fontsize=9)
    for column, head in enumerate(names):
        x, y = (column + 0.5) * width - GAP, top - 0.5 - 3 / points
        axis.text(x, y, head, ha="center", fontsize=9, rotation=90 if upright else 0)
    axis.imshow(canvas, cmap=colours, vmin=low, vmax=1, interpolation="none", aspect="auto")
    return figure


def error_ticks(axes: Axes, which: Literal["x", "y"], language: str) -> None:
    """Make an axis one of test errors in per cent, logarithmic, with ticks for round numbers."""
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    axes.set(**{f"{which}scale": "log"})
    low, high = axis.get_view_interval()
    ticks = [tick for tick in (0.5, 1, 2, 3, 5, 10, 20, 30, 50) if low <= tick <= high]
    axis.set_ticks(ticks, labels=[number(language, tick, digits(tick)) for tick in ticks])
    axis.set_ticks([], minor=True)
    axis.set_label_text(words_of("common", language)["error"])


def label_ticks(axis: Axes, counts: Sequence[int], language: str) -> None:
    """Make the x axis one of numbers of labels, logarithmic, with a tick for each of `counts` that has room for it."""
    ticks: list[int] = []
    for n in sorted(counts):
        if not ticks or math.log(n / ticks[-1]) > 0.05 * math.log(max(counts) / min(counts)):
            ticks.append(n)
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.set_xticks(ticks, [number(language, n) for n in ticks], rotation=90)
    axis.set_xlabel(words_of("common", language)["labels"])
