"""What tools/predict.py draws."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from reporting.common.figures import BLUE, VERMILION

SIDE = 84  # pixels, of an image on a card


def overview(
    names: Sequence[str], pictures: Sequence[np.ndarray], seen: np.ndarray, denoised: np.ndarray, answers: Sequence[str]
) -> Figure:
    """Draw a card for each picture: itself, what the networks saw, what the dAE made of it, and the answer.

    All images are drawn as one array, because hundreds of axes would take minutes.

    Args:
        names: titles of the cards; long ones are shortened.
        pictures: uint8 arrays of shape (height, width).
        seen, denoised: uint8 arrays of shape (n, side, side), side at most `SIDE`.
        answers: texts of several lines; the first line is written large.
    """
    side, gap, words, title = SIDE, 6, 110, 22  # pixels
    times = SIDE // seen.shape[1]
    width, height = 3 * (side + gap) + words, side + title + 2 * gap
    columns = min(len(names), 1 if len(names) < 4 else 2 if len(names) < 9 else 4)
    rows = -(-len(names) // columns)
    top = 24  # pixels, for the titles of the columns
    canvas = np.full((rows * height + top, columns * width), 255, np.uint8)
    figure = Figure(figsize=(canvas.shape[1] / 100, canvas.shape[0] / 100), layout="none")  # type: ignore[arg-type]
    axis = figure.add_axes((0, 0, 1, 1))
    for column in range(columns):
        for number, head in enumerate(("picture", "seen", "denoised", "answer")):
            axis.text(column * width + number * (side + gap) + gap, top / 2, head, fontsize=9, va="center")
    for number, (name, picture, *images, answer) in enumerate(
        zip(names, pictures, seen, denoised, answers, strict=True)
    ):
        row, column = divmod(number, columns)
        y, x = row * height + top, column * width + gap
        thumbnail = Image.fromarray(picture)
        thumbnail.thumbnail((side, side))
        for image in (np.asarray(thumbnail), *(image.repeat(times, axis=0).repeat(times, axis=1) for image in images)):
            canvas[y + title : y + title + image.shape[0], x : x + image.shape[1]] = image
            x += side + gap
        left, middle = column * width + gap, y + title + side / 2
        axis.text(left, y + title - 5, _shortened(name, 44), fontsize=8, color="#444444")
        first, *rest = answer.splitlines()
        size = 22 if len(first) < 7 else 11
        axis.text(x, middle - 12, first, fontsize=size, va="center", color=VERMILION if len(rest) > 1 else BLUE)
        axis.text(x, middle + 24, "\n".join(rest), fontsize=8, va="center")
    axis.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axis.set_axis_off()
    return figure


def _shortened(name: str, length: int) -> str:
    """The name, or "…" and its end; dollars are escaped, because matplotlib would read mathematics."""
    return (name if len(name) <= length else "…" + name[1 - length :]).replace("$", r"\$")
