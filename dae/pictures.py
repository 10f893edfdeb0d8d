"""Turns pictures of a user's own digits into images like MNIST's, and finds pictures that are hardly a digit."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.morphology import reconstruction

SIDE, BOX = 28, 20  # pixels: of an image, and of the box that a digit fills (LeCun et al., 1998)
LONGER = 200  # pixels: the longer side of a larger picture is shrunk to this length
STROKE = 0.2  # fraction of the longer side: strokes are narrower, shadows are wider
INK = 0.45  # fraction of the strongest ink: paler ink is not part of a stroke
PALE = 0.2  # fraction of the strongest ink: paler pixels are paper, even beside a stroke
STRONGEST = 99.7  # this percentile of the ink counts as the strongest ink; the maximum may be a dark speck
FAINTEST = 0.05  # the strongest ink absorbs at least this fraction of the light; a pencil absorbs 0.15
NOISE = 20  # least ratio of the strongest ink to the noise; about 10 where there is only noise, 40 for a pencil
SPECK = 0.05  # a blot smaller than this fraction of the largest one is not part of the digit
JOIN = 0.1  # fraction of the longest blot's length: blots that are closer to each other belong to one digit
TALL = 0.5  # fraction of the tallest digit's height: lower groups of blots are not counted as digits
NOTHING = "there is no digit in the picture, or it touches the edge; leave some paper around it"
EIGHT = np.ones((3, 3))  # pixels that touch at a corner are connected


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """Prepare a picture of one digit, dark on light or light on dark, as MNIST's images were prepared.

    Uneven light, shadows, ruled lines and noise are removed. The digit becomes light on black. It is cropped, fitted
    into 20 by 20 pixels with its proportions kept, and placed with its centre of mass at the image's centre.

    Args:
        grey: uint8 array of shape (height, width), of any size.

    Returns:
        Uint8 array of shape (28, 28).

    Raises:
        ValueError: there is no digit, or there are several; the message says which.
    """
    scale = min(1, LONGER / max(grey.shape))
    picture = _resized(grey, [scale * n for n in grey.shape])
    picture = ndimage.gaussian_filter(picture, 0.7 * max(picture.shape) / LONGER)  # against noise
    if _is_light_on_dark(picture):
        picture = 255 - picture
    ink, noise = _ink(picture)
    strongest = np.percentile(ink, STRONGEST)
    if not _fills(ink > INK * strongest):  # ink at the edge is not a digit, except in a closely cropped picture
        before, ink = strongest, _without_edge(ink)
        strongest = np.percentile(ink, STRONGEST)
        if strongest < 0.35 * before:  # all strong ink was connected to the edge
            raise ValueError(NOTHING)
    if strongest < max(FAINTEST, NOISE * noise):
        raise ValueError(NOTHING)
    strokes = _without_specks(ink > INK * strongest)
    if (n := _count(strokes)) > 1:
        raise ValueError(f"there are {n} digits in the picture; cut out one")

    # the pale edge of a stroke, one pixel of the final image wide, is part of the digit
    length = max(side.stop - side.start for side in ndimage.find_objects(strokes.astype(int))[0])
    edged = (ndimage.distance_transform_edt(~strokes) <= length / BOX) & (ink > PALE * strongest)
    ((rows, columns),) = ndimage.find_objects(edged.astype(int))
    digit = np.where(edged, np.minimum(ink / strongest, 1), 0)[rows, columns]
    digit = _resized(digit, [BOX / max(digit.shape) * n for n in digit.shape], Image.Resampling.BILINEAR)
    centre = ndimage.center_of_mass(digit)
    top, left = (int(np.clip(round(SIDE / 2 - c), 0, SIDE - n)) for c, n in zip(centre, digit.shape, strict=True))
    image = np.zeros((SIDE, SIDE))
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = digit / digit.max()
    return np.round(255 * image).astype(np.uint8)


def _resized(grey: np.ndarray, shape: Sequence[float], how: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    """Resize to about `shape`, as float32; with BOX each pixel is the mean of those that it replaces."""
    height, width = (max(1, round(n)) for n in shape)
    return np.asarray(Image.fromarray(grey.astype(np.float32)).resize((width, height), how))


def _is_light_on_dark(picture: np.ndarray) -> bool:
    """Whether the digit is lighter than its background.

    Regions connected to the picture's edge, such as a bright corner, are ignored if there is anything else. Weak light
    patches, such as the squares of squared paper, are ignored too.
    """
    scale = min(1, 32 / max(picture.shape))
    small = _resized(picture, [scale * n for n in picture.shape])
    rest = small - ndimage.median_filter(small, [n // 2 + 1 for n in small.shape])
    lighter, darker = (_without_edge(np.maximum(part, 0)) for part in (rest, -rest))
    if max((lighter**3).sum(), (darker**3).sum()) < 0.01 * (np.abs(rest) ** 3).sum():
        return bool((rest**3).sum() > 0)
    return bool((lighter**3).sum() > (darker**3).sum() and lighter.max() > 0.6 * np.abs(rest).max())


def _ink(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The ink at each pixel, as the missing fraction of the paper's light, and the noise in it.

    A morphological closing estimates the paper's light: it fills all that is dark and narrower than STROKE with the
    light around it. So the estimate follows lamps and shadows, with their edges, but not strokes.

    Args:
        picture: dark on light, values from 0 to 255.

    Returns:
        An array of the shape of `picture`, and the median difference between horizontal neighbours in it.
    """
    window = [min(n, round(STROKE * max(picture.shape)) or 1) for n in picture.shape]
    paper = ndimage.grey_closing(picture, window, mode="constant", cval=np.inf)
    ink = 1 - picture / np.maximum(paper, 1)
    return ink, float(np.median(np.abs(np.diff(ink)))) if ink.shape[1] > 1 else 0.0


def _without_edge(ink: np.ndarray) -> np.ndarray:
    """Remove ink that is connected to the picture's edge: ruled lines, corners in shadow, the desk.

    Morphological reconstruction finds the strongest path of ink from each pixel to the edge. The strength of a path is
    that of its weakest pixel; it is subtracted from the ink. A digit that crosses a line is stronger than the line, and
    keeps the difference.
    """
    edge = np.full_like(ink, ink.min())
    for border in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        edge[border] = ink[border]
    return ink - reconstruction(edge, ink)


def _fills(strokes: np.ndarray) -> bool:
    """Whether the largest blot fills the picture, as a closely cropped digit does."""
    blots, _ = ndimage.label(strokes, EIGHT)
    sizes = np.bincount(blots.ravel(), minlength=2)[1:]
    rows, columns = (np.flatnonzero((blots == sizes.argmax() + 1).any(axis=axis)) for axis in (1, 0))
    return bool(sizes.max() > 0.2 * strokes.size) and all(
        np.ptp(where) > 0.85 * n for where, n in zip((rows, columns), strokes.shape, strict=True)
    )


def _without_specks(strokes: np.ndarray) -> np.ndarray:
    """Remove blots smaller than SPECK times the largest one."""
    blots, _ = ndimage.label(strokes, EIGHT)
    sizes = np.bincount(blots.ravel())
    sizes[0] = 0
    return (sizes >= SPECK * sizes.max())[blots]


def _count(strokes: np.ndarray) -> int:
    """The number of digits: groups of nearby blots that are tall enough for a digit."""
    blots, _ = ndimage.label(strokes, EIGHT)
    length = max(side.stop - side.start for found in ndimage.find_objects(blots) for side in found)
    groups, _ = ndimage.label(ndimage.distance_transform_edt(~strokes) <= JOIN * length / 2, EIGHT)
    heights = [rows.stop - rows.start for rows, _ in ndimage.find_objects(np.where(strokes, groups, 0))]
    return sum(height >= TALL * max(heights) for height in heights)


def as_square(grey: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture so that its longer side has `side` pixels, and pad it to a square with its border's median grey.

    Args:
        grey: uint8 array of shape (height, width), of any size.
        side: pixels.

    Returns:
        Uint8 array of shape (side, side).
    """
    height, width = (max(1, round(n * side / max(grey.shape))) for n in grey.shape)
    if grey.shape != (height, width):
        grey = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    square = np.full((side, side), np.median(border), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = grey
    return square


def oddities(images: np.ndarray, denoised: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Three measures of how little each image looks like a digit; larger is odder.

    They are the mean squared change that the dAE makes, the fraction of the ink that the dAE removes, and 1 minus the
    largest probability.

    Args:
        images, denoised: shape (n, pixels), in [0, 1].
        probabilities: shape (n, classes).

    Returns:
        Float array of shape (n, 3).
    """
    changed = np.square(denoised - images).mean(axis=1)
    lost = np.maximum(images - denoised, 0).sum(axis=1) / np.maximum(images.sum(axis=1), 1e-9)
    return np.stack([changed, lost, 1 - probabilities.max(axis=1)], axis=1)
