"""Pictures as people take them, drawn from images of MNIST: paper, light, pen, camera.

Pictures are uint8 arrays of shape (height, width). Ink is a float array, 1 where the pen was and 0 elsewhere; a sheet
is the fraction of the light that it gives back.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.morphology import skeletonize

SIDE = 300  # pixels, of a picture with one digit


def enlarged(digit: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)) / 255


def written(digit: np.ndarray, rng: np.random.Generator, pen: float | None = None) -> np.ndarray:
    """A digit anywhere on a sheet; its image is 45 to 85 % of the sheet's side, the pen's width a fraction of that."""
    side = rng.integers(135, 255)
    ink = enlarged(digit, side)
    if pen:
        line = skeletonize(ink > 0.5)
        ink = np.clip(pen * side / 2 + 0.5 - ndimage.distance_transform_edt(~line), 0, 1)
    top, left = rng.integers(0, SIDE - side, 2, endpoint=True)
    return np.pad(ink, ((top, SIDE - side - top), (left, SIDE - side - left)))


def lines(rng: np.random.Generator, spacing: float, width: float, down: bool = False) -> np.ndarray:
    """The ink of printed lines across, and down if asked for; they are tilted by up to 3 degrees."""
    tilt = np.tan(np.radians(rng.uniform(-3, 3)))
    y, x = np.indices((SIDE, SIDE))
    ink = np.zeros((SIDE, SIDE))
    for along, position in ((x, y), (-y, x))[: 1 + down]:
        offset = (position + tilt * along + rng.uniform(0, spacing)) % spacing
        ink = np.maximum(ink, np.clip(width / 2 + 0.5 - np.minimum(offset, spacing - offset), 0, 1))
    return ink


def lamp(rng: np.random.Generator) -> np.ndarray:
    """Light that falls off to about a fifth across the sheet, with a bright corner: in (0, 1]."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.indices((SIDE, SIDE)) / (SIDE - 1) - 0.5
    corner_y, corner_x = rng.choice([-0.5, 0.5], 2)
    light = 0.45 * np.exp(-1.6 * (np.cos(angle) * x + np.sin(angle) * y))
    light += 0.4 * np.exp(-((y - corner_y) ** 2 + (x - corner_x) ** 2) / 0.05)
    return light / light.max()


def shadow(rng: np.random.Generator) -> np.ndarray:
    """Half the light on one side of a line near the middle of the sheet."""
    angle, where = rng.uniform(0, 2 * np.pi), rng.uniform(-0.15, 0.15) * SIDE
    y, x = np.indices((SIDE, SIDE)) - SIDE / 2
    return 0.5 + 0.5 * np.clip((np.cos(angle) * x + np.sin(angle) * y - where) / 6 + 0.5, 0, 1)


def photograph(sheet: np.ndarray, rng: np.random.Generator, noise: float = 4) -> np.ndarray:
    """What a camera makes of a sheet: a little blur, and noise of that standard deviation in 255."""
    picture = ndimage.gaussian_filter(225.0 * sheet, 0.8) + rng.normal(0, noise, sheet.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def compressed(picture: np.ndarray) -> np.ndarray:
    """As a small JPEG file has it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=20)
    return np.asarray(Image.open(file))


def clean(digit, rng):
    return np.asarray(Image.fromarray(255 - digit).resize((SIDE, SIDE)))


def on_lines(digit, rng, spacing=80, width=3, down=False):
    paper = 1 - rng.uniform(0.15, 0.4) * lines(rng, spacing, width, down)
    return photograph(np.minimum(paper, 1 - 0.7 * written(digit, rng)), rng)


def faint(digit, rng):
    grain = rng.uniform(0.7, 1, (SIDE, SIDE))
    return photograph(1 - rng.uniform(0.15, 0.25) * grain * written(digit, rng, pen=1 / 22), rng)


def on_a_desk(digit, rng):
    """The sheet's edge can be seen, and a dark desk beside it."""
    whole = np.pad(1 - 0.7 * written(digit, rng), ((0, 0), (rng.integers(10, 60), 0)), constant_values=0.35)
    return photograph(ndimage.rotate(whole, rng.uniform(-3, 3), reshape=False, mode="nearest", order=1), rng)


ONE: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "clean": clean,
    "white on black": lambda digit, rng: 255 - clean(digit, rng),
    "uneven light": lambda digit, rng: photograph((1 - 0.7 * written(digit, rng)) * lamp(rng), rng),
    "shadow across": lambda digit, rng: photograph((1 - 0.7 * written(digit, rng)) * shadow(rng), rng),
    "lined paper": on_lines,
    "squared paper": lambda digit, rng: on_lines(digit, rng, 50, 2, down=True),
    "thin pen": lambda digit, rng: photograph(1 - 0.7 * written(digit, rng, pen=1 / 50), rng),
    "thick pen": lambda digit, rng: photograph(1 - 0.7 * written(digit, rng, pen=1 / 7), rng),
    "faint pencil": faint,
    "small JPEG": lambda digit, rng: compressed(photograph(1 - 0.7 * written(digit, rng), rng)),
    "chalk on a board": lambda digit, rng: photograph((0.15 + 0.6 * written(digit, rng)) * lamp(rng) ** 0.5, rng),
    "sheet on a desk": on_a_desk,
}
NONE: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "noise": lambda rng: photograph(np.ones((SIDE, SIDE)), rng, rng.uniform(1, 12)),
    "shadow": lambda rng: photograph(shadow(rng), rng),
    "uneven light": lambda rng: photograph(lamp(rng), rng),
    "small JPEG": lambda rng: compressed(photograph(lamp(rng), rng, 8)),
    "lined paper": lambda rng: photograph(1 - 0.3 * lines(rng, 80, 3), rng),
    "squared paper": lambda rng: photograph(1 - 0.3 * lines(rng, 50, 2, down=True), rng),
}


def several(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Digits side by side, as in a number, with gaps of 10 to 50 % of their height."""
    parts = []
    for digit in digits:
        ink = enlarged(digit, 130)
        columns = np.flatnonzero((ink > 0.3).any(axis=0))
        parts += [ink[:, columns[0] : columns[-1] + 1], np.zeros((130, rng.integers(9, 46)))]
    number = np.concatenate(parts[:-1], axis=1)
    return photograph(1 - 0.7 * np.pad(number, rng.integers(10, 80, (2, 2))), rng)


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A line through twelve places, one after another."""
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).line([tuple(place) for place in rng.uniform(70, 230, (12, 2))], 255, int(rng.integers(8, 18)))
    return photograph(1 - 0.7 * np.asarray(image) / 255, rng)
