"""Saves figures and images."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from reporting.common.svg import as_svg
from reporting.common.words import LANGUAGES
from stages.common.files import atomic_write, save_text


def save_figure(path: str, draw: Callable, *arguments: Any) -> None:
    """Draw a figure in each language and save it as SVG.

    Args:
        path: without its ending: `.en.svg`, `.pt.svg` and so on are appended, and before them `.a`, `.b` and so on if
            the figure has several panels.
        draw: function of the arguments and `language` that returns a matplotlib figure, or a list of them, its panels.
        arguments: what `draw` gets.
    """
    for language in LANGUAGES:
        drawn = draw(*arguments, language=language)
        named = dict(zip((".a", ".b", ".c"), drawn, strict=False)) if isinstance(drawn, list) else {"": drawn}
        for panel, figure in named.items():
            save_text(f"{path}{panel}.{language}.svg", as_svg(figure))


def save_image(path: str, pixels: np.ndarray) -> None:
    """Save an array of shape (height, width) with values in [0, 1] as a grey WebP without loss, one pixel a value."""
    with atomic_write(path) as partial:
        image = Image.fromarray(np.round(255 * pixels).astype(np.uint8))
        image.save(partial, "WEBP", lossless=True)
