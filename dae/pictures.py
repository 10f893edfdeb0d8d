"""Pictures of one's own digits: made into images like MNIST's, and shown with what the networks make of them."""

import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.transform import resize

from dae.figures import COLOURS

SIDE, BOX = 28, 20  # pixels: of an image, and of the box that a digit fills (LeCun et al., 1998)
SPECK = 0.05  # a blot smaller than this fraction of the largest one is no part of the digit


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """One digit, dark on light or light on dark, prepared as MNIST's were.

    The digit is made light on black whatever the light on the paper, cropped, fitted into 20 by 20 pixels with its
    proportions kept, and placed so that its centre of mass is the centre of the image.

    Args:
        grey: uint8 array of shape (height, width), of any size.

    Returns:
        Uint8 array of shape (28, 28).

    Raises:
        ValueError: the picture is of one shade, so that there is no digit.
    """
    ink = grey / 255
    background = paper(ink)
    if np.median(background) > threshold_otsu(ink):
        ink, background = 1 - ink, 1 - background
    ink = np.maximum(ink - background, 0)
    if ink.max() < 0.05:
        raise ValueError("there is no digit: the picture is of one shade")
    ink /= ink.max()
    ink[ink < threshold_otsu(ink) / 2] = 0

    blots, n = ndimage.label(ink, np.ones((3, 3)))
    sizes = ndimage.sum_labels(ink, blots, range(n + 1))
    ink[(sizes < SPECK * sizes.max())[blots]] = 0
    ((rows, columns),) = ndimage.find_objects((ink > 0).astype(int))
    digit = ink[rows, columns]

    scale = BOX / max(digit.shape)
    shape = [max(1, round(scale * side)) for side in digit.shape]
    digit = np.clip(resize(digit, shape, order=1, anti_aliasing=True), 0, 1)
    digit /= digit.max()
    centre = ndimage.center_of_mass(digit)
    top, left = (int(np.clip(round(SIDE / 2 - c), 0, SIDE - side)) for c, side in zip(centre, digit.shape, strict=True))
    image = np.zeros((SIDE, SIDE))
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return np.round(255 * image).astype(np.uint8)


def paper(grey: np.ndarray) -> np.ndarray:
    """The shade of what a digit stands on: a plane through the picture's border, as light falls unevenly on paper.

    Args:
        grey: float array of shape (height, width), in [0, 1].

    Returns:
        Float array of the same shape.
    """
    rows, columns = np.indices(grey.shape)
    plane = np.stack([np.ones_like(grey), rows / grey.shape[0], columns / grey.shape[1]], axis=-1)
    border = np.ones(grey.shape, bool)
    border[1:-1, 1:-1] = False
    border &= np.abs(grey - np.median(grey[border])) < 0.3  # where the digit does not touch it
    return plane @ np.linalg.lstsq(plane[border], grey[border])[0]


def predictions(
    pictures: list[np.ndarray], seen: np.ndarray, denoised: np.ndarray, probabilities: np.ndarray
) -> Figure:
    """A row for each picture: itself, what the network saw, the dAE's denoising of that, and the probabilities.

    Args:
        pictures: uint8 arrays of shape (height, width).
        seen, denoised: shape (n, 28, 28), pixels in [0, 1].
        probabilities: shape (n, 10).
    """
    figure = Figure(figsize=(8.5, 1.7 * len(pictures) + 0.4))
    axes = figure.subplots(len(pictures), 4, squeeze=False, width_ratios=[1, 1, 1, 2.2])
    titles = ["picture", "network saw", "dAE denoised", "probability (%)"]
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=11)
    for line, picture, *squares, row in zip(axes, pictures, seen, denoised, probabilities, strict=True):
        for axis, image, white in zip(line, [picture, *squares], [255, 1, 1], strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
            axis.set_axis_off()
        colours = [COLOURS["with"] if c == row.argmax() else "#999999" for c in range(len(row))]
        line[3].bar(range(len(row)), 100 * row, color=colours)
        line[3].set_ylim(0, 100)
        line[3].set_xticks(range(len(row)))
    return figure
