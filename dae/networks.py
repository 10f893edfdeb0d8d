"""The two networks: the denoising autoencoder, and the classifier that reuses its encoder."""

from collections.abc import Sequence

import numpy as np

from dae.backend import keras

N_CLASSES = 10
SIDE = 28  # pixels, of an image


class TiedDense(keras.layers.Layer):
    """A dense layer whose kernel is another dense layer's, transposed; only its bias is its own.

    Tying halves the number of kernels of a stacked autoencoder (Vincent et al., JMLR 11, 2010).
    """

    def __init__(self, source: keras.layers.Dense, activation: str | None, name: str):
        super().__init__(name=name)
        self.source = source
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.bias = self.add_weight(name="bias", shape=(self.source.kernel.shape[0],), initializer="zeros")

    def call(self, inputs):
        return self.activation(keras.ops.matmul(inputs, keras.ops.transpose(self.source.kernel)) + self.bias)


def build_autoencoder(n_pixels: int, units: Sequence[int], tied: bool = False) -> keras.Model:
    """A stacked autoencoder, n_pixels - units - mirrored units - n_pixels, with rectified hidden layers.

    Args:
        n_pixels: width of input and output.
        units: widths of the encoder's layers; the last is the code's.
        tied: whether each decoder kernel is the transpose of its mirror image in the encoder.

    Returns:
        A model from (n, n_pixels) pixels in [0, 1] to (n, n_pixels) logits; their sigmoid is the reconstruction.
        Its first 2 * len(units) weights are the encoder's kernels and biases, in turn.
    """
    inputs = x = keras.Input((n_pixels,), name="pixels")
    encoder = []
    for depth, width in enumerate(units, start=1):
        encoder.append(keras.layers.Dense(width, activation="relu", name=f"encoder_{depth}"))
        x = encoder[-1](x)
    for depth in range(len(units), 0, -1):
        activation = "relu" if depth > 1 else None
        if tied:
            x = TiedDense(encoder[depth - 1], activation, name=f"decoder_{depth}")(x)
        else:
            width = units[depth - 2] if depth > 1 else n_pixels
            x = keras.layers.Dense(width, activation=activation, name=f"decoder_{depth}")(x)
    return keras.Model(inputs, x, name="denoising_autoencoder")


def untie(autoencoder: keras.Model, units: Sequence[int]) -> keras.Model:
    """The same function as a tied `autoencoder`, with plain dense layers alone, so that Keras loads it unaided."""
    weights = autoencoder.get_weights()
    encoder, biases = weights[: 2 * len(units)], weights[2 * len(units) :]
    decoder = [array for kernel, bias in zip(encoder[-2::-2], biases, strict=True) for array in (kernel.T, bias)]
    plain = build_autoencoder(autoencoder.input_shape[1], units)
    plain.set_weights(encoder + decoder)
    return plain


def build_classifier(n_pixels: int, units: Sequence[int], dropout: float) -> keras.Model:
    """A multilayer perceptron with the encoder's layers, dropout after each, and a linear output.

    Returns:
        A model from (n, n_pixels) pixels in [0, 1] to (n, 10) logits, whose first 2 * len(units) weights have the
        shapes of the encoder's.
    """
    inputs = x = keras.Input((n_pixels,), name="pixels")
    for depth, width in enumerate(units, start=1):
        x = keras.layers.Dense(width, activation="relu", name=f"encoder_{depth}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    return keras.Model(inputs, keras.layers.Dense(N_CLASSES, name="logits")(x), name="classifier")


def build_convolutional_autoencoder(units: Sequence[int]) -> keras.Model:
    """An autoencoder of square images with strided convolutions, a dense code, and the mirror image of both.

    Args:
        units: filters of the convolutions, each of which halves the image's sides, and last the code's width.

    Returns:
        As of `build_autoencoder`, for images of 28 by 28 pixels.
    """
    inputs = keras.Input((SIDE * SIDE,), name="pixels")
    x = _convolutional_encoder(inputs, units, dropout=0.0)
    side, filters = SIDE // 2 ** (len(units) - 1), units[-2]
    x = keras.layers.Dense(side * side * filters, activation="relu", name=f"decoder_{len(units)}")(x)
    x = keras.layers.Reshape((side, side, filters))(x)
    for depth in range(len(units) - 1, 0, -1):
        width, activation = (units[depth - 2], "relu") if depth > 1 else (1, None)
        x = keras.layers.Conv2DTranspose(
            width, 3, strides=2, padding="same", activation=activation, name=f"decoder_{depth}"
        )(x)
    return keras.Model(inputs, keras.layers.Flatten()(x), name="convolutional_autoencoder")


def build_convolutional_classifier(units: Sequence[int], dropout: float) -> keras.Model:
    """The convolutional encoder, with dropout, and a linear output; as `build_classifier` otherwise."""
    inputs = keras.Input((SIDE * SIDE,), name="pixels")
    x = _convolutional_encoder(inputs, units, dropout)
    return keras.Model(inputs, keras.layers.Dense(N_CLASSES, name="logits")(x), name="convolutional_classifier")


def _convolutional_encoder(inputs, units: Sequence[int], dropout: float):
    x = keras.layers.Reshape((SIDE, SIDE, 1))(inputs)
    for depth, filters in enumerate(units[:-1], start=1):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", name=f"encoder_{depth}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(units[-1], activation="relu", name=f"encoder_{len(units)}")(x)
    return keras.layers.Dropout(dropout, name=f"dropout_{len(units)}")(x)


def initial_weights(model: keras.Model, seed: int) -> list[np.ndarray]:
    """Random weights for `model`, in the order of its `get_weights`.

    Kernels are normal with variance 2 / fan-in, which keeps the signal's size through rectified layers
    (He et al., ICCV 2015); biases are 0.
    """
    rng = np.random.default_rng(seed)
    return [
        rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:-1])), shape).astype(np.float32)
        if len(shape) > 1
        else np.zeros(shape, np.float32)
        for shape in (variable.shape for variable in model.trainable_variables)
    ]
