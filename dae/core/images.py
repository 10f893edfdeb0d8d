"""Prepares images for a network: scaling, corruption, and small random movements."""

import inspect
import math

from dae.core import corruptions
from dae.core.backend import tf


def scale(images: tf.Tensor) -> tf.Tensor:
    """Convert pixels from uint8, 0 to 255, to float32 in [0, 1]; images of any shape."""
    return tf.cast(images, tf.float32) / 255.0


def corrupt(images: tf.Tensor, corruption: str, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Corrupt images; the same seed gives the same noise.

    Args:
        images: float32 tensor of any shape, pixels in [0, 1].
        corruption: the name of a function in `dae.core.corruptions`.
        noise: in [0, 1], see that function; with 0 the images are returned unchanged.
        seed: int32 tensor of shape (2,).

    Returns:
        Float32 tensor of the shape of `images`, pixels in [0, 1].

    Raises:
        ValueError: there is no such corruption.
    """
    function = getattr(corruptions, corruption, None)
    if corruption.startswith("_") or not inspect.isfunction(function):
        raise ValueError(f"corruption is {corruption!r}; dae/core/corruptions.py has no function of that name")
    return images if noise == 0 else function(images, noise, seed)


def rescale(noisy: tf.Tensor, corruption: str, noise: float) -> tf.Tensor:
    """Give masked images the mean brightness of clean ones, as a network should see them.

    Masking darkens images, so a network that was trained on them would meet clean ones at a brightness that it does not
    know. Divide by the share of pixels kept, as dropout does (Srivastava et al., JMLR 15, 2014).

    Args:
        noisy: what `corrupt` returned.
        corruption, noise: the arguments of `corrupt`.

    Returns:
        The images for a network; those of other corruptions, and those of which all pixels are masked, are unchanged.
    """
    return noisy / (1 - noise) if corruption == "masking" and 0 < noise < 1 else noisy


def random_affine(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Rotate each image by up to 10 degrees, scale its sides by up to 10 %, and shift it by up to 2 pixels.

    Args:
        images: float32 tensor of shape (n, side * side), square images in [0, 1].
        seed: int32 tensor of shape (2,).

    Returns:
        The moved images, bilinearly interpolated, of the same shape; pixels moved in from outside the image are 0.
    """
    n, side = tf.shape(images)[0], math.isqrt(images.shape[1])
    angle, width, height, right, down = tf.unstack(tf.random.stateless_uniform((5, n), seed, -1.0, 1.0))
    angle, width, height = angle * (math.pi / 18), 1 + 0.1 * width, 1 + 0.1 * height
    # output pixel (x, y) is read from the input at (a x + b y + c, d x + e y + f); c and f keep the image's centre in
    # place, apart from the shift
    a, b = tf.cos(angle) * width, -tf.sin(angle) * height
    d, e = tf.sin(angle) * width, tf.cos(angle) * height
    centre = (side - 1) / 2
    c = centre + 2 * right - (a + b) * centre
    f = centre + 2 * down - (d + e) * centre
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.reshape(images, (n, side, side, 1)),
        transforms=tf.stack([a, b, c, d, e, f, tf.zeros(n), tf.zeros(n)], axis=1),
        output_shape=(side, side),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.reshape(moved, tf.shape(images))
