"""The corruptions (Vincent et al., JMLR 11, 2010, section 3.3): each public function here is one, and has its name.

The names allowed in params.yaml are read from this file. Each function takes

    images: float32 tensor of any shape, pixels in [0, 1];
    noise: in (0, 1], how strong the corruption is;
    seed: int32 tensor of shape (2,); the same seed gives the same noise;

and returns a float32 tensor of the shape of `images`, pixels in [0, 1].
"""

from dae.core.backend import tf


def masking(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Set pixels to 0; `noise` is the probability that a pixel is set."""
    return tf.where(_hit(images, noise, seed), 0.0, images)


def gaussian(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Add normal noise and clip to [0, 1]; `noise` is its standard deviation, in units of a pixel's range."""
    return tf.clip_by_value(images + noise * tf.random.stateless_normal(tf.shape(images), seed), 0.0, 1.0)


def salt_and_pepper(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Set pixels to 0 or 1 with equal probability; `noise` is the probability that a pixel is set."""
    uniform = tf.random.stateless_uniform(tf.shape(images), seed)
    salt_or_pepper = tf.cast(uniform < noise / 2, images.dtype)
    return tf.where(uniform < noise, salt_or_pepper, images)


def _hit(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Draw which pixels are hit, each with probability `noise`: bool tensor of the shape of `images`.

    Random numbers take most of a corruption's time, so a pixel takes 8 bits of them where these give `noise` exactly,
    as they do 0.5 and 0.75; else 16 bits, and the probability is rounded to a multiple of 1 / 65536, the least one at
    least.
    """
    kind = tf.uint8 if (256 * noise).is_integer() else tf.uint16
    words = -(-tf.size(images) * kind.size // 4)  # of 32 bits, rounded up
    bits = tf.random.stateless_uniform([words], seed, None, None, tf.uint32)
    numbers = tf.reshape(tf.bitcast(bits, kind), [-1])[: tf.size(images)]
    last = max(0, round(noise * (kind.max + 1)) - 1)  # the largest number that is a hit
    return tf.reshape(numbers <= tf.constant(last, kind), tf.shape(images))
