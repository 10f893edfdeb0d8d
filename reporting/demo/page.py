"""Makes the page: one HTML file with networks, images, words and code inside, which loads nothing."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from reporting.common.numbers import number
from reporting.common.words import LANGUAGES, words_of
from reporting.pages.markdown import environment

HERE = Path(__file__).parent
COLUMNS = 32  # images side by side in the page's picture of all its images
Layer = tuple[np.ndarray, np.ndarray, np.ndarray]  # kernel of whole numbers, steps (see dae.quantisation) and bias


def page(
    networks: dict[str, Sequence[Layer]],
    images: np.ndarray,
    classes: np.ndarray,
    names: Sequence[str],
    choices: np.ndarray,
    liked: np.ndarray,
    strongest: np.ndarray,
    noise: tuple[str, float],
    preparation: dict[str, float] | None,
    n_labels: int,
) -> str:
    """Make the page.

    Args:
        networks: the layers of `dae` and of the classifiers `with` and `without` pre-training.
        images, classes: test images and their classes, uint8 of shapes (n, side, side) and (n,); the page has those
            that `choices` and `liked` name.
        names: of the classes.
        choices: which test images one can take, by their numbers: shape (sets, classes), a set at a time.
        liked: which test images each unit of the code likes most, by their numbers: shape (units, k).
        strongest: each unit's largest response to a test image, of shape (units,); 0 for a unit that never responds.
        noise: corruption and level that the dAE was trained with.
        preparation: the constants of dae/pictures.py, by their names in small letters; None if the images are no
            digits, and nothing can be drawn.
        n_labels: number of labelled images that the classifiers have learnt from.
    """
    shown, places = np.unique(np.concatenate([choices.ravel(), liked.ravel()]), return_inverse=True)
    data = {
        "networks": {name: [_texts(*layer) for layer in layers] for name, layers in networks.items()},
        "images": _picture(images[shown]),
        "side": images.shape[1],
        "columns": COLUMNS,
        "names": list(names),
        "classes": classes[shown].tolist(),
        "choices": places[: choices.size].reshape(choices.shape).tolist(),
        "liked": places[choices.size :].reshape(liked.shape).tolist(),
        "strongest": [float(value) for value in strongest],
        "preparation": preparation,
    }
    corruption, level = noise
    words = {language: words_of("pages", language) | words_of("demo", language) for language in LANGUAGES}
    for language, own in words.items():
        others = own.pop("others")
        own |= others if preparation is None else {}
        own["intro"] = own["intro"].format(labels=number(language, n_labels))
        own["units_text"] = own["units_text"].format(units=number(language, len(strongest)))
        own["trained"] = own["trained"].format(
            corruption=own["corruptions"][corruption], level=number(language, level, 2)
        )
    template = environment(HERE, HERE.parent / "pages", autoescape=True).get_template("demo.html.j2")
    shown_words = {"languages": LANGUAGES, "words": words, "corruption": corruption, "level": level}
    return template.render(shown_words, data=data, drawn=preparation is not None)


def _texts(kernel: np.ndarray, steps: np.ndarray, bias: np.ndarray) -> dict[str, str | int]:
    """A layer's arrays in base64, little-endian, with the number of bits of a weight."""
    arrays = {"kernel": kernel, "steps": steps.astype(np.float32), "bias": bias.astype(np.float32)}
    texts = {
        name: base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()
        for name, array in arrays.items()
    }
    return {"bits": 8 * kernel.itemsize, **texts}


def _picture(images: np.ndarray) -> str:
    """All images in one PNG, COLUMNS in a row, as a data URI."""
    n, height, width = images.shape
    rows = -(-n // COLUMNS)
    padded = np.zeros((rows * COLUMNS, height, width), np.uint8)
    padded[:n] = images
    pixels = padded.reshape(rows, COLUMNS, height, width).swapaxes(1, 2).reshape(rows * height, COLUMNS * width)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
