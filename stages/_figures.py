"""Saves figures and images."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from reporting.common.words import LANGUAGES
from stages.common.files import atomic_write


def save_figure(path: str, draw: Callable, *arguments: Any) -> None:
    """Draw a figure in each language and save it as PNG, without metadata that could change.

    Args:
        path: without its ending: `.en.png`, `.pt.png` and so on are appended.
        draw: function of the arguments and `language` that returns a matplotlib figure.
        arguments: what `draw` gets.
    """
    for language in LANGUAGES:
        with atomic_write(f"{path}.{language}.png") as partial:
            draw(*arguments, language=language).savefig(partial, dpi=150, metadata={"Software": None})


def save_image(path: str, pixels: np.ndarray) -> None:
    """Save an array of shape (height, width) with values in [0, 1] as a grey PNG, one pixel a value."""
    with atomic_write(path) as partial:
        Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(partial, optimize=True)
