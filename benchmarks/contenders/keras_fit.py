"""Keras as in its tutorials: arrays of float32, a layer for the noise, compile, fit, predict."""

import time

import numpy as np

from benchmarks.contenders.common import he_normal, labels, limit_of, scaled, tensorflow_matrix
from benchmarks.tasks import CLASSES, PIXELS, Answer, Limit, Pretraining, Replicates, autoencoder_widths
from dae.core.backend import keras


class Masking(keras.layers.Layer):
    """Sets pixels to 0 in training, and divides by the share of those kept; `noise` is the share set."""

    def __init__(self, noise: float):
        super().__init__()
        self.noise, self.seeds = noise, keras.random.SeedGenerator(1)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return inputs of the same shape, masked in training."""
        if not training:
            return inputs
        drawn = keras.random.uniform(keras.ops.shape(inputs), seed=self.seeds)
        return keras.ops.where(drawn < self.noise, 0.0, inputs) / (1 - self.noise)


def pretrain(task: Pretraining) -> Answer:
    """Train one dAE after the other; compiling is not timed."""
    data = scaled("train", task.n)
    widths, seconds = autoencoder_widths(task.units)[1:-1], 0.0
    for _ in range(task.models):
        noise = {"masking": Masking, "gaussian": keras.layers.GaussianNoise}[task.corruption](task.noise)
        hidden = [dense(width) for width in widths]
        model = keras.Sequential([keras.Input((PIXELS,)), noise, *hidden, dense(PIXELS, "sigmoid")])
        model.compile(adam(task.learning_rate, task.epochs * -(-task.n // task.batch_size)), "binary_crossentropy")
        both = data[: task.batch_size + task.n % task.batch_size]  # compiles for a whole batch and the last one
        model.fit(both, both, batch_size=task.batch_size, verbose=0)
        start = time.perf_counter()
        history = model.fit(data, data, batch_size=task.batch_size, epochs=task.epochs, verbose=0)
        seconds += time.perf_counter() - start
    keras.backend.clear_session()
    return {"seconds": seconds, "loss": history.history["loss"][-1]}


def replicates(task: Replicates) -> Answer:
    """Train one classifier after the other; Keras compiles each model, and this is timed."""
    encoder = he_normal([PIXELS, *task.units], 2)
    x, y = scaled("train", task.n_labels), labels("train", task.n_labels)
    test, truth = scaled("test", task.n_test), labels("test", task.n_test)
    accuracies, start = [], time.perf_counter()
    for _ in range(task.pairs):
        for arm in (encoder, []):
            layers = [layer for width in task.units for layer in (dense(width), keras.layers.Dropout(task.dropout))]
            output = dense(CLASSES, "softmax")
            model = keras.Sequential([keras.Input((PIXELS,)), Masking(task.masking), *layers, output])
            for layer, kernel, bias in zip(layers[::2], arm[::2], arm[1::2], strict=False):  # the second arm has none
                layer.set_weights([kernel, bias])
            model.compile(adam(task.learning_rate, task.steps), "sparse_categorical_crossentropy")
            epochs = task.steps * task.batch_size // task.n_labels
            model.fit(x, y, batch_size=task.batch_size, epochs=epochs, verbose=0)
            accuracies.append((model.predict(test, batch_size=1000, verbose=0).argmax(axis=1) == truth).mean())
    seconds = time.perf_counter() - start
    keras.backend.clear_session()
    return {"seconds": seconds, "accuracy": float(np.mean(accuracies))}


def limit(task: Limit) -> Answer:
    """Multiply with TensorFlow, on its default number of threads."""
    return limit_of(task, tensorflow_matrix)


def dense(width: int, activation: str | None = "relu") -> keras.layers.Dense:
    """A dense layer with He's initial weights, like those of `he_normal`."""
    return keras.layers.Dense(width, activation, kernel_initializer="he_normal")


def adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam, whose rate falls from `learning_rate` to 0 along half a cosine in so many steps."""
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
