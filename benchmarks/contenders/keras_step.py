"""Keras in the fastest form of its guides: a `train_step` of one's own on images in memory, many steps a call."""

import time
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from benchmarks.contenders.common import he_normal, images, labels, limit_of, scaled, tensorflow_matrix
from benchmarks.contenders.keras_fit import adam, dense
from benchmarks.tasks import CLASSES, PIXELS, Answer, Limit, Pretraining, Replicates, autoencoder_widths
from dae.core.backend import keras, tf

AT_ONCE = 100  # steps in one call of the compiled function; an epoch's last call may take fewer


class FromRows(keras.Model):
    """A network that trains on row numbers: each step gathers, scales and corrupts its images inside the graph.

    Args:
        layers: of the network, from pixels in [0, 1], of shape (n, pixels), to logits.
        corrupt: function from clean to corrupted pixels, float32 of shape (n, pixels).
        data: uint8 arrays: images of shape (n, pixels), and labels of shape (n,) if the network is a classifier.
    """

    def __init__(self, layers: Sequence[keras.Layer], corrupt: Callable[[tf.Tensor], tf.Tensor], *data: np.ndarray):
        inputs = keras.Input((PIXELS,))
        super().__init__(inputs, reduce(lambda x, layer: layer(x), layers, inputs))
        self.corrupt, self.data = corrupt, [tf.constant(array) for array in data]

    def train_step(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """Take a step on the images with these numbers, int32 of shape (batch,); returns the epoch's mean loss."""
        pixels, *targets = (tf.gather(array, rows) for array in self.data)
        clean = tf.cast(pixels, tf.float32) / 255
        with tf.GradientTape() as tape:
            logits = self(self.corrupt(clean), training=True)
            loss = self.compute_loss(y=targets[0] if targets else clean, y_pred=logits)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        (mean,) = self.metrics
        mean.update_state(loss)
        return {"loss": mean.result()}


def pretrain(task: Pretraining) -> Answer:
    """Train one dAE after the other; compiling is not timed."""
    data, widths, seconds = images("train", task.n), autoencoder_widths(task.units), 0.0
    rows = _shuffled(task.n).batch(task.batch_size).prefetch(tf.data.AUTOTUNE)
    corrupt = {"masking": _masking, "gaussian": _gaussian}[task.corruption](task.noise)
    for _ in range(task.models):
        model = FromRows([*map(dense, widths[1:-1]), dense(PIXELS, None)], corrupt, data)
        _compile(model, keras.losses.BinaryCrossentropy(from_logits=True), task.learning_rate, task.epochs * len(rows))
        model.fit(rows.take(2), shuffle=False, verbose=0)  # compiles
        start = time.perf_counter()
        history = model.fit(rows, epochs=task.epochs, shuffle=False, verbose=0)
        seconds += time.perf_counter() - start
    keras.backend.clear_session()
    return {"seconds": seconds, "loss": history.history["loss"][-1]}


def replicates(task: Replicates) -> Answer:
    """Train one classifier after the other; Keras compiles each model, and this is timed."""
    encoder = he_normal([PIXELS, *task.units], 2)
    data = images("train", task.n_labels), labels("train", task.n_labels)
    test, truth = scaled("test", task.n_test), labels("test", task.n_test)
    accuracies, start = [], time.perf_counter()
    for _ in range(task.pairs):
        for arm in (encoder, []):
            layers = [layer for width in task.units for layer in (dense(width), keras.layers.Dropout(task.dropout))]
            model = FromRows([*layers, dense(CLASSES, None)], _masking(task.masking), *data)
            for layer, kernel, bias in zip(layers[::2], arm[::2], arm[1::2], strict=False):  # the second arm has none
                layer.set_weights([kernel, bias])
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            _compile(model, loss, task.learning_rate, task.steps)
            rows = _shuffled(task.n_labels).repeat().batch(task.batch_size).take(task.steps)
            model.fit(rows.prefetch(tf.data.AUTOTUNE), shuffle=False, verbose=0)
            accuracies.append((model.predict(test, batch_size=1000, verbose=0).argmax(axis=1) == truth).mean())
    seconds = time.perf_counter() - start
    keras.backend.clear_session()
    return {"seconds": seconds, "accuracy": float(np.mean(accuracies))}


def limit(task: Limit) -> Answer:
    """Multiply with TensorFlow, on its default number of threads."""
    return limit_of(task, tensorflow_matrix)


def _shuffled(n: int) -> tf.data.Dataset:
    """The numbers below n, int32, shuffled anew in each pass."""
    return tf.data.Dataset.from_tensor_slices(tf.range(n)).shuffle(n)


def _masking(noise: float) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda clean: tf.where(tf.random.uniform(tf.shape(clean)) < noise, 0.0, clean) / (1 - noise)


def _gaussian(noise: float) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda clean: tf.clip_by_value(clean + tf.random.normal(tf.shape(clean), stddev=noise), 0.0, 1.0)


def _compile(model: keras.Model, loss: keras.losses.Loss, learning_rate: float, steps: int) -> None:
    model.compile(adam(learning_rate, steps), loss, steps_per_execution=AT_ONCE, jit_compile=False)
