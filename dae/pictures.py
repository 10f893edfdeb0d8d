"""Pictures of one's own digits: made into images like MNIST's, judged, and shown with what networks make of them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage
from skimage.morphology import reconstruction

from dae.figures import BLUE, VERMILION

SIDE, BOX = 28, 20  # pixels: of an image, and of the box that a digit fills (LeCun et al., 1998)
LONGER = 200  # pixels: a larger picture is shrunk until its longer side has as many
STROKE = 0.2  # of the longer side: no stroke is as wide, and a shadow is wider
INK = 0.45  # of the strongest ink: paler ink is no part of a stroke
PALE = 0.2  # of the strongest ink: what is paler is paper, also beside a stroke
STRONGEST = 99.7  # the percentile of the pixels that counts as the strongest ink, so that a dark speck does not
FAINTEST = 0.05  # fraction of the light that the strongest ink takes, at the least; a pencil takes 0.15
NOISE = 20  # times the noise: the strongest "ink" of noise alone is about 10 times as strong, a pencil's 40 times
SPECK = 0.05  # a blot smaller than this fraction of the largest one is no part of the digit
JOIN = 0.1  # of the longest blot's length: blots that are nearer to each other belong to one digit
TALL = 0.5  # of the tallest blot's height: what is lower is no digit of its own
NOTHING = "there is no digit in the picture, or it touches the edge; leave some paper around it"
EIGHT = np.ones((3, 3))  # pixels that touch at a corner belong together


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """One digit, dark on light or light on dark, prepared as MNIST's were.

    Light, shadows, lines of the paper and noise are taken away. The digit is made light on black, cropped, fitted
    into 20 by 20 pixels with its proportions kept, and placed so that its centre of mass is the image's centre.

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
    if not _fills(ink > INK * strongest):
        before, ink = strongest, _without_edge(ink)
        strongest = np.percentile(ink, STRONGEST)
        if strongest < 0.35 * before:  # only what was taken away stood out
            raise ValueError(NOTHING)
    if strongest < max(FAINTEST, NOISE * noise):
        raise ValueError(NOTHING)
    strokes = _without_specks(ink > INK * strongest)
    if (n := _count(strokes)) > 1:
        raise ValueError(f"there are {n} digits in the picture; cut out one")

    # a stroke's pale edge, a pixel of the image wide, is part of the digit
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


def _resized(grey: np.ndarray, shape: Sequence[float], how=Image.Resampling.BOX) -> np.ndarray:
    """A float32 array of about that shape; each pixel is the mean of those that it stands for."""
    height, width = (max(1, round(n)) for n in shape)
    return np.asarray(Image.fromarray(grey.astype(np.float32)).resize((width, height), how))


def _is_light_on_dark(picture: np.ndarray) -> bool:
    """Whether what stands out of the picture is lighter than what is around it.

    What hangs together with the picture's edge does not count, such as a bright corner, if there is anything else. Nor
    do weak light patches, such as squares of paper between their lines.
    """
    scale = min(1, 32 / max(picture.shape))
    small = _resized(picture, [scale * n for n in picture.shape])
    rest = small - ndimage.median_filter(small, [n // 2 + 1 for n in small.shape])
    lighter, darker = (_without_edge(np.maximum(part, 0)) for part in (rest, -rest))
    if max((lighter**3).sum(), (darker**3).sum()) < 0.01 * (np.abs(rest) ** 3).sum():
        return bool((rest**3).sum() > 0)
    return bool((lighter**3).sum() > (darker**3).sum() and lighter.max() > 0.6 * np.abs(rest).max())


def _ink(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The fraction of the paper's light that is missing at each pixel, and the noise in it.

    The paper's light is what is left when all that is dark and narrower than STROKE is filled with the light around.
    So it follows lamps and shadows, with their edges, and passes over pens.

    Args:
        picture: dark on light, values from 0 to 255.
    """
    window = [min(n, round(STROKE * max(picture.shape)) or 1) for n in picture.shape]
    paper = ndimage.grey_closing(picture, window, mode="constant", cval=np.inf)
    ink = 1 - picture / np.maximum(paper, 1)
    return ink, float(np.median(np.abs(np.diff(ink)))) if ink.shape[1] > 1 else 0.0


def _without_edge(ink: np.ndarray) -> np.ndarray:
    """The ink without what hangs together with the picture's edge: lines of the paper, corners in shadow, the desk.

    From each pixel is taken the strength of the strongest way of ink that leads from it to the edge. A digit that
    crosses a line is stronger than the line, and keeps the difference.
    """
    edge = np.full_like(ink, ink.min())
    for border in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        edge[border] = ink[border]
    return ink - reconstruction(edge, ink)


def _fills(strokes: np.ndarray) -> bool:
    """Whether the largest blot is a digit that was cut out closely, so that it fills the picture to its edge."""
    blots, _ = ndimage.label(strokes, EIGHT)
    sizes = np.bincount(blots.ravel(), minlength=2)[1:]
    rows, columns = (np.flatnonzero((blots == sizes.argmax() + 1).any(axis=axis)) for axis in (1, 0))
    return bool(sizes.max() > 0.2 * strokes.size) and all(
        np.ptp(where) > 0.85 * n for where, n in zip((rows, columns), strokes.shape, strict=True)
    )


def _without_specks(strokes: np.ndarray) -> np.ndarray:
    blots, _ = ndimage.label(strokes, EIGHT)
    sizes = np.bincount(blots.ravel())
    sizes[0] = 0
    return (sizes >= SPECK * sizes.max())[blots]


def _count(strokes: np.ndarray) -> int:
    """How many digits there are: groups of blots that are near each other, if they are tall enough for a digit."""
    blots, _ = ndimage.label(strokes, EIGHT)
    length = max(side.stop - side.start for found in ndimage.find_objects(blots) for side in found)
    groups, _ = ndimage.label(ndimage.distance_transform_edt(~strokes) <= JOIN * length / 2, EIGHT)
    heights = [rows.stop - rows.start for rows, _ in ndimage.find_objects(np.where(strokes, groups, 0))]
    return sum(height >= TALL * max(heights) for height in heights)


def oddities(images: np.ndarray, denoised: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Three signs that an image is hardly a digit; the larger, the odder.

    They are: by how much the dAE changes the image (mean square), which fraction of the ink the dAE takes away, and
    how far the largest probability is from 1.

    Args:
        images, denoised: shape (n, pixels), in [0, 1]; no image is empty.
        probabilities: shape (n, classes).

    Returns:
        Float array of shape (n, 3).
    """
    changed = np.square(denoised - images).mean(axis=1)
    lost = np.maximum(images - denoised, 0).sum(axis=1) / images.sum(axis=1)
    return np.stack([changed, lost, 1 - probabilities.max(axis=1)], axis=1)


def overview(
    names: Sequence[str], pictures: Sequence[np.ndarray], seen: np.ndarray, denoised: np.ndarray, answers: Sequence[str]
) -> Figure:
    """A card for each picture: itself, what the network saw, the dAE's denoising of that, and the answer.

    All images are one array, since hundreds of axes would take minutes.

    Args:
        names: over the cards, shortened if need be.
        pictures: uint8 arrays of shape (height, width).
        seen, denoised: uint8 arrays of shape (n, 28, 28).
        answers: of a line or two; the first is written large.
    """
    side, gap, words, title = 3 * SIDE, 6, 110, 22  # pixels
    width, height = 3 * (side + gap) + words, side + title + 2 * gap
    columns = min(len(names), 1 if len(names) < 4 else 2 if len(names) < 9 else 4)
    rows = -(-len(names) // columns)
    top = 24  # for the heads
    canvas = np.full((rows * height + top, columns * width), 255, np.uint8)
    figure = Figure(figsize=(canvas.shape[1] / 100, canvas.shape[0] / 100), layout="none")
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
        for image in (np.asarray(thumbnail), *(image.repeat(3, axis=0).repeat(3, axis=1) for image in images)):
            canvas[y + title : y + title + image.shape[0], x : x + image.shape[1]] = image
            x += side + gap
        left, middle = column * width + gap, y + title + side / 2
        axis.text(left, y + title - 5, _shortened(name, 44), fontsize=8, color="#444444")
        first, *rest = answer.splitlines()
        axis.text(x, middle - 12, first, fontsize=22, va="center", color=VERMILION if len(rest) > 1 else BLUE)
        axis.text(x, middle + 24, "\n".join(rest), fontsize=8, va="center")
    axis.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axis.set_axis_off()
    return figure


def _shortened(name: str, length: int) -> str:
    """The name, or its end after "…"; a dollar is no mathematics."""
    return (name if len(name) <= length else "…" + name[1 - length :]).replace("$", r"\$")
