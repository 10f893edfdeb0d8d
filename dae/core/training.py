"""The training loop of all networks: a model and a loss, compiled into one graph.

Keras describes the networks; the loop is our own, for speed. Images stay uint8 in memory. Each step gathers its rows,
scales and corrupts them inside the graph, and TensorFlow's fused kernel of Adam updates the weights. All random numbers
derive from the seed, and each operation runs on one thread, so equal arguments give the same weights to the byte.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from dae.core.backend import keras, tf
from dae.core.seeds import derive

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # Adam's usual constants

# (rows, seed, *data) to the mean loss of a step, in nats; see `Trainer`
Loss = Callable[..., tf.Tensor]


def set_up_tensorflow(at_once: int = 1) -> None:
    """Make TensorFlow deterministic; call this before TensorFlow computes anything.

    Each operation gets one thread, because the last digits of a sum depend on the number of threads.

    Args:
        at_once: how many operations run at the same time, of one or several trainings; it does not change the results.

    Raises:
        RuntimeError: TensorFlow already runs with other settings.
    """
    threading = tf.config.threading
    if (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()) != (1, at_once):
        threading.set_intra_op_parallelism_threads(1)
        threading.set_inter_op_parallelism_threads(at_once)
    tf.config.experimental.enable_op_determinism()


def cosine_schedule(learning_rate: float, steps: int) -> np.ndarray:
    """The learning rate of each step: float32 array of shape (steps,).

    It falls from `learning_rate` towards 0 along half a cosine (Loshchilov & Hutter, ICLR 2017).
    """
    return (learning_rate * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))).astype(np.float32)


def batches(n: int, batch_size: int, steps: int, seed: int) -> np.ndarray:
    """The row numbers of each step's batch: int32 array of shape (steps, batch_size), in [0, n).

    All n rows are shuffled again and again, and batches are cut from this sequence; one may span two shuffles.
    """
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(n) for _ in range(math.ceil(steps * batch_size / n))]
    return np.concatenate(shuffles)[: steps * batch_size].reshape(steps, batch_size).astype(np.int32)


def pixel_cross_entropy(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over pixels, in nats: an autoencoder's loss. Both tensors have shape (n, pixels)."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits))


def class_cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy over images, in nats: a classifier's loss.

    Args:
        logits: shape (n, classes).
        labels: integers of shape (n,).
    """
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(labels, tf.int32), logits=logits)
    )


def unprepared(seed: tf.Tensor, batch_size: tf.Tensor, *data: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return the data unchanged: the default of `prepare` in `Trainer`."""
    return data


class Trainer:
    """A model with its compiled training loop. Use one trainer for many trainings: compiling takes a second.

    Args:
        model: the Keras model to train.
        loss: function of `(rows, seed, *data)` that returns the mean loss of a step, in nats. `rows` has the row
            numbers of the step's batch, int32 of shape (batch,); `seed` is an int32 tensor of shape (2,), different in
            each step.
        prepare: function of `(seed, batch_size, *data)`, called once for each entry of the history. The loss gets what
            it returns instead of `data`.
        frozen: number of weight arrays, from the model's first, that keep their initial values.
    """

    def __init__(self, model: keras.Model, loss: Loss, prepare: Callable = unprepared, frozen: int = 0):
        self.model, self.loss, self.prepare = model, loss, prepare
        self.variables = [variable.value for variable in model.trainable_variables[frozen:]]
        self.momenta = [tf.Variable(tf.zeros_like(variable)) for variable in self.variables]
        self.velocities = [tf.Variable(tf.zeros_like(variable)) for variable in self.variables]

    def fit(
        self,
        *data: np.ndarray,
        weights: list[np.ndarray],
        batch_size: int,
        steps: int,
        learning_rate: float,
        seed: int,
        log_every: int,
        on_log: Callable[[int, float], None] = lambda step, loss: None,
    ) -> list[tuple[int, float]]:
        """Train from `weights` with Adam and a cosine schedule; afterwards the model has the trained weights.

        Args:
            data: arrays of equal length for the loss, such as images, uint8 of shape (n, pixels), and labels, uint8 of
                shape (n,).
            weights: initial weights, in the order of the model's `get_weights`.
            batch_size: images a step.
            steps: number of steps.
            learning_rate: at the first step; it falls to 0.
            seed: for the batches, the corruption and the dropout.
            log_every: number of steps in one entry of the history.
            on_log: called with each new entry of the history, the step and the loss.

        Returns:
            The history: pairs of the number of steps taken and the mean training loss since the last pair, in nats.
        """
        self._reset(weights, seed)
        order = batches(len(data[0]), batch_size, steps, derive(seed, "batches"))
        rates = cosine_schedule(learning_rate, steps)
        tensors, noise_seed = [tf.constant(array) for array in data], tf.constant(derive(seed, "corruption"))
        history = []
        for start in range(0, steps, log_every):
            chunk = slice(start, min(start + log_every, steps))
            loss = self._run(
                tf.constant(order[chunk]), tf.constant(rates[chunk]), tf.constant(start), noise_seed, *tensors
            )
            history.append((chunk.stop, float(loss)))
            on_log(*history[-1])
        return history

    def _reset(self, weights: list[np.ndarray], seed: int) -> None:
        """Set weights, Adam's state and the seeds of dropout, so that no earlier training has an effect."""
        self.model.set_weights(weights)
        for slot in self.momenta + self.velocities:
            slot.assign(tf.zeros_like(slot))
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([derive(seed, layer.name), 0])

    @tf.function(reduce_retracing=True)
    def _run(
        self, order: tf.Tensor, rates: tf.Tensor, start: tf.Tensor, noise_seed: tf.Tensor, *data: tf.Tensor
    ) -> tf.Tensor:
        data = self.prepare(tf.stack([noise_seed, start]), tf.shape(order)[1], *data)
        total = 0.0
        for i in tf.range(tf.shape(order)[0]):
            step = start + i
            with tf.GradientTape() as tape:
                loss = self.loss(order[i], tf.stack([noise_seed, step]), *data)
            self._update(tape.gradient(loss, self.variables), rates[i], tf.cast(step + 1, tf.float32))
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        """One step of Adam (Kingma & Ba, ICLR 2015) by TensorFlow's fused kernel; Keras needs a dozen operations."""
        powers = {"beta1_power": tf.pow(BETA_1, step), "beta2_power": tf.pow(BETA_2, step)}
        constants = {"beta1": BETA_1, "beta2": BETA_2, "epsilon": EPSILON}
        for variable, m, v, gradient in zip(self.variables, self.momenta, self.velocities, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=m.handle, v=v.handle, lr=rate, grad=gradient, **powers, **constants
            )


def predict(model: keras.Model, images: tf.Tensor, batch_size: int = 2000) -> np.ndarray:
    """The model's outputs, float32 of shape (n, outputs), for images of shape (n, pixels) in [0, 1].

    `batch_size` images are computed at a time, which bounds the memory.
    """
    return np.concatenate(
        [model(images[i : i + batch_size], training=False) for i in range(0, len(images), batch_size)]
    )
