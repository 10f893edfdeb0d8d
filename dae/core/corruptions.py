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
    return tf.where(_uniform(images, seed) < noise, 0.0, images)


def gaussian(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Add normal noise and clip to [0, 1]; `noise` is its standard deviation, in units of a pixel's range."""
    return tf.clip_by_value(images + noise * tf.random.stateless_normal(tf.shape(images), seed), 0.0, 1.0)


def salt_and_pepper(images: tf.Tensor, noise: float, seed: tf.Tensor) -> tf.Tensor:
    """Set pixels to 0 or 1 with equal probability; `noise` is the probability that a pixel is set."""
    uniform = _uniform(images, seed)
    salt_or_pepper = tf.cast(uniform < noise / 2, images.dtype)
    return tf.where(uniform < noise, salt_or_pepper, images)


def _uniform(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(tf.shape(images), seed)
