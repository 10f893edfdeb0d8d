"""What is done to images on their way into a network: noise, and small random movements."""

import math

from dae.backend import tf


def corrupt(images: tf.Tensor, corruption: str, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Corrupt images as Vincent et al. (JMLR 11, 2010, section 3.3) do; the same seed gives the same noise.

    Args:
        images: float32 tensor of any shape, pixels in [0, 1].
        corruption: `masking` sets pixels to 0; `salt_and_pepper` sets pixels to 0 or 1, each as likely;
            `gaussian` adds normal noise and clips to [0, 1].
        noise: in [0, 1]; the probability that a pixel is hit (`masking`, `salt_and_pepper`) or the standard
            deviation in units of a pixel's range (`gaussian`). 0 leaves the images as they are.
        seed: int32 tensor of shape (2,).

    Returns:
        Float32 tensor of the shape of `images`, pixels in [0, 1].

    Raises:
        ValueError: `corruption` is none of the three.
    """
    if noise == 0:
        return images
    shape = tf.shape(images)
    if corruption == "gaussian":
        return tf.clip_by_value(images + noise * tf.random.stateless_normal(shape, seed), 0.0, 1.0)
    uniform = tf.random.stateless_uniform(shape, seed)
    if corruption == "masking":
        return tf.where(uniform < noise, 0.0, images)
    if corruption == "salt_and_pepper":
        salt_or_pepper = tf.cast(uniform < noise / 2, images.dtype)
        return tf.where(uniform < noise, salt_or_pepper, images)
    raise ValueError(f"corruption is {corruption!r}; allowed are masking, gaussian and salt_and_pepper")


def random_affine(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Turn each image by up to 10 degrees, scale its sides by up to 10 %, and shift it by up to 2 pixels.

    Args:
        images: float32 tensor of shape (n, side * side), square images in [0, 1].
        seed: int32 tensor of shape (2,).

    Returns:
        The moved images, bilinearly interpolated, of the same shape; 0 where nothing was.
    """
    n, side = tf.shape(images)[0], math.isqrt(images.shape[1])
    angle, width, height, right, down = tf.unstack(tf.random.stateless_uniform((5, n), seed, -1.0, 1.0))
    angle, width, height = angle * (math.pi / 18), 1 + 0.1 * width, 1 + 0.1 * height
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
