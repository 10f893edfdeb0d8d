"""Builds the denoising autoencoder and the classifier that reuses its encoder, of dense or convolutional layers."""

import math
from collections.abc import Sequence

import numpy as np

from dae.core.backend import keras

N_CLASSES = 10  # of the published data sets


class TiedDense(keras.layers.Layer):
    """A dense layer that uses the transposed kernel of another dense layer; only its bias is its own.

    Tying halves the number of kernels of a stacked autoencoder (Vincent et al., JMLR 11, 2010).

    Args:
        source: the layer whose kernel is used; it must be built first.
        activation: name of a Keras activation, or None for a linear layer.
        name: the layer's.
    """

    def __init__(self, source: keras.layers.Dense, activation: str | None, name: str):
        super().__init__(name=name)
        self.source = source
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add the bias, one value for each input of `source`."""
        self.bias = self.add_weight(name="bias", shape=(self.source.kernel.shape[0],), initializer="zeros")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Map shape (n, outputs of `source`) to (n, inputs of `source`)."""
        return self.activation(keras.ops.matmul(inputs, keras.ops.transpose(self.source.kernel)) + self.bias)


def build_autoencoder(n_pixels: int, units: Sequence[int], tied: bool = False) -> keras.Model:
    """A stacked autoencoder, n_pixels - units - mirrored units - n_pixels, with ReLU hidden layers.

    Args:
        n_pixels: width of input and output.
        units: widths of the encoder's layers; the last is the width of the code.
        tied: whether each decoder kernel is the transpose of its mirror image in the encoder.

    Returns:
        A model from (n, n_pixels) pixels in [0, 1] to (n, n_pixels) logits; their sigmoid is the reconstruction.
        Its first 2 * len(units) weights are the encoder's: `[kernel_1, bias_1, ...]`.
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
    """Copy a tied `autoencoder` with encoder widths `units` into one of plain dense layers with the same outputs.

    Keras loads the copy without our code.
    """
    weights = autoencoder.get_weights()
    encoder, biases = weights[: 2 * len(units)], weights[2 * len(units) :]
    decoder = [array for kernel, bias in zip(encoder[-2::-2], biases, strict=True) for array in (kernel.T, bias)]
    plain = build_autoencoder(autoencoder.input_shape[1], units)
    plain.set_weights(encoder + decoder)
    return plain


def build_classifier(n_pixels: int, units: Sequence[int], dropout: float, n_classes: int = N_CLASSES) -> keras.Model:
    """A multilayer perceptron: the encoder's layers, each followed by dropout, and a linear output.

    Args:
        n_pixels: width of the input.
        units: widths of the hidden layers.
        dropout: fraction of each hidden layer's units dropped in training, in [0, 1).
        n_classes: width of the output.

    Returns:
        A model from (n, n_pixels) pixels in [0, 1] to (n, n_classes) logits, whose first 2 * len(units) weights have
        the shapes of the encoder's.
    """
    inputs = x = keras.Input((n_pixels,), name="pixels")
    for depth, width in enumerate(units, start=1):
        x = keras.layers.Dense(width, activation="relu", name=f"encoder_{depth}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, name="logits")(x), name="classifier")


def build_convolutional_autoencoder(n_pixels: int, units: Sequence[int]) -> keras.Model:
    """An autoencoder of strided convolutions and a dense code, with a decoder that mirrors them.

    Args:
        n_pixels: of an image, which is a square.
        units: number of filters of each convolution, one or two, then the width of the code. Each convolution halves
            the image's height and width.

    Returns:
        A model; for inputs, outputs and weights see `build_autoencoder`.
    """
    inputs = keras.Input((n_pixels,), name="pixels")
    x = _convolutional_encoder(inputs, units, dropout=0.0)
    whole, halvings, filters = math.isqrt(n_pixels), len(units) - 1, units[-2]
    side = math.ceil(whole / 2**halvings)
    x = keras.layers.Dense(side * side * filters, activation="relu", name=f"decoder_{len(units)}")(x)
    x = keras.layers.Reshape((side, side, filters))(x)
    for depth in range(len(units) - 1, 0, -1):
        width, activation = (units[depth - 2], "relu") if depth > 1 else (1, None)
        x = keras.layers.Conv2DTranspose(
            width, 3, strides=2, padding="same", activation=activation, name=f"decoder_{depth}"
        )(x)
    if surplus := side * 2**halvings - whole:  # halves of odd sides were rounded up
        x = keras.layers.Cropping2D(((0, surplus), (0, surplus)))(x)
    return keras.Model(inputs, keras.layers.Flatten()(x), name="convolutional_autoencoder")


def build_convolutional_classifier(
    n_pixels: int, units: Sequence[int], dropout: float, n_classes: int = N_CLASSES
) -> keras.Model:
    """The convolutional encoder with dropout, and a linear output; see `build_classifier`."""
    inputs = keras.Input((n_pixels,), name="pixels")
    x = _convolutional_encoder(inputs, units, dropout)
    return keras.Model(inputs, keras.layers.Dense(n_classes, name="logits")(x), name="convolutional_classifier")


def _convolutional_encoder(inputs: keras.KerasTensor, units: Sequence[int], dropout: float) -> keras.KerasTensor:
    side = math.isqrt(inputs.shape[1])
    x = keras.layers.Reshape((side, side, 1))(inputs)
    for depth, filters in enumerate(units[:-1], start=1):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", name=f"encoder_{depth}")(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(units[-1], activation="relu", name=f"encoder_{len(units)}")(x)
    return keras.layers.Dropout(dropout, name=f"dropout_{len(units)}")(x)


def initial_weights(model: keras.Model, seed: int) -> list[np.ndarray]:
    """Random weights for `model`, float32, in the order of its `get_weights`.

    Kernels are normal with variance 2 / fan-in, which keeps the size of the signal through ReLU layers
    (He et al., ICCV 2015); biases are 0.
    """
    rng = np.random.default_rng(seed)
    return [
        rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:-1])), shape).astype(np.float32)
        if len(shape) > 1
        else np.zeros(shape, np.float32)
        for shape in (variable.shape for variable in model.trainable_variables)
    ]
