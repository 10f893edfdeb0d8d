"""Training in one compiled loop.

Keras describes the networks; the loop is our own, for speed: images stay uint8 in memory and each step gathers its
rows, scales and corrupts them inside the graph, and updates with TensorFlow's fused Adam kernel. Everything random
is drawn from the seed, and an operation runs on one thread, so equal arguments give equal weights, to the byte.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dae.backend import keras, tf
from dae.corruption import corrupt, random_affine
from dae.networks import initial_weights
from dae.seeds import derive

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def set_up_tensorflow(at_once: int = 1) -> None:
    """One thread for each operation, as a sum's last digits depend on it, and deterministic kernels. Call it first.

    Args:
        at_once: operations that run at the same time, of one training or of several; it does not change the results.

    Raises:
        RuntimeError: TensorFlow runs already, set up otherwise.
    """
    threading = tf.config.threading
    if (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()) != (1, at_once):
        threading.set_intra_op_parallelism_threads(1)
        threading.set_inter_op_parallelism_threads(at_once)
    tf.config.experimental.enable_op_determinism()


def scale(images: tf.Tensor) -> tf.Tensor:
    """Pixels from uint8 to float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


def cosine_schedule(learning_rate: float, steps: int) -> np.ndarray:
    """Float32 array of shape (steps,): from `learning_rate` down to 0 (Loshchilov & Hutter, ICLR 2017)."""
    return (learning_rate * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))).astype(np.float32)


def batches(n: int, batch_size: int, steps: int, seed: int) -> np.ndarray:
    """Int32 array of shape (steps, batch_size) of row numbers below n: one shuffle of all rows after another."""
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(n) for _ in range(math.ceil(steps * batch_size / n))]
    return np.concatenate(shuffles)[: steps * batch_size].reshape(steps, batch_size).astype(np.int32)


def reconstruction_loss(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over pixels, in nats: the autoencoder's loss."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits))


def classification_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy over images, in nats: the classifier's loss."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


class Trainer:
    """A model with its compiled training loop, to be used for many trainings: compiling costs a second, once.

    Args:
        model: from (batch, pixels) in [0, 1] to logits.
        corruption, noise: what is done to every input, afresh in each step; see `dae.corruption.corrupt`.
        frozen: how many of the model's weights, from the first, keep their initial values.
        augment: whether every image is moved a little before that; see `dae.corruption.random_affine`.
    """

    def __init__(self, model: keras.Model, corruption: str, noise: float, frozen: int = 0, augment: bool = False):
        self.model, self.augment = model, augment
        self.variables = [variable.value for variable in model.trainable_variables[frozen:]]
        self.momenta = [tf.Variable(tf.zeros_like(variable)) for variable in self.variables]
        self.velocities = [tf.Variable(tf.zeros_like(variable)) for variable in self.variables]
        self.corruption, self.noise = corruption, noise

    def fit(
        self,
        images: np.ndarray,
        labels: np.ndarray | None,
        *,
        weights: list[np.ndarray],
        batch_size: int,
        steps: int,
        learning_rate: float,
        seed: int,
        log_every: int,
        on_log: Callable[[int, float], None] = lambda step, loss: None,
    ) -> list[tuple[int, float]]:
        """Train from `weights` with Adam and a cosine schedule; the model is left with the trained weights.

        Args:
            images: uint8 array of shape (n, pixels).
            labels: uint8 array of shape (n,) to learn to classify, or None to learn to reconstruct the images.
            weights: initial weights, in the order of the model's `get_weights`.
            batch_size, steps: images a step, and steps in all.
            learning_rate: at the first step; it falls to 0.
            seed: of the batches, the corruption and the dropout.
            log_every: steps whose mean training loss makes one entry of the history.
            on_log: called with the step and the loss as each entry is made.

        Returns:
            The history: pairs of the number of steps taken and the mean training loss since the last pair, in nats.
        """
        self._reset(weights, seed)
        images = tf.constant(images)
        labels = images if labels is None else tf.constant(labels.astype(np.int32))
        order = batches(len(images), batch_size, steps, derive(seed, "batches"))
        rates = cosine_schedule(learning_rate, steps)
        noise_seed = tf.constant(derive(seed, "corruption"))
        history = []
        for start in range(0, steps, log_every):
            chunk = slice(start, min(start + log_every, steps))
            loss = self._run(
                images, labels, tf.constant(order[chunk]), tf.constant(rates[chunk]), tf.constant(start), noise_seed
            )
            history.append((chunk.stop, float(loss)))
            on_log(*history[-1])
        return history

    def _reset(self, weights: list[np.ndarray], seed: int) -> None:
        self.model.set_weights(weights)
        for slot in self.momenta + self.velocities:
            slot.assign(tf.zeros_like(slot))
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([derive(seed, layer.name), 0])

    @tf.function(reduce_retracing=True)
    def _run(self, images, labels, order, rates, start, noise_seed):
        classify = labels.dtype == tf.int32
        total = 0.0
        for i in tf.range(tf.shape(order)[0]):
            step = start + i
            clean = scale(tf.gather(images, order[i]))
            if self.augment:
                clean = random_affine(clean, tf.stack([noise_seed, -step - 1]))
            corrupted = corrupt(clean, self.corruption, self.noise, tf.stack([noise_seed, step]))
            with tf.GradientTape() as tape:
                logits = self.model(corrupted, training=True)
                if classify:
                    loss = classification_loss(logits, tf.gather(labels, order[i]))
                else:
                    loss = reconstruction_loss(logits, clean)
            self._update(tape.gradient(loss, self.variables), rates[i], tf.cast(step + 1, tf.float32))
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def _update(self, gradients, rate, step) -> None:
        """One step of Adam (Kingma & Ba, ICLR 2015) in TensorFlow's fused kernel; Keras's own takes a dozen."""
        powers = {"beta1_power": tf.pow(BETA_1, step), "beta2_power": tf.pow(BETA_2, step)}
        constants = {"beta1": BETA_1, "beta2": BETA_2, "epsilon": EPSILON}
        for variable, m, v, gradient in zip(self.variables, self.momenta, self.velocities, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=m.handle, v=v.handle, lr=rate, grad=gradient, **powers, **constants
            )


def train_autoencoders(
    trainers: Sequence[Trainer],
    images: np.ndarray,
    *,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    on_epoch: Callable[[int, int, float], None] = lambda number, epoch, loss: None,
) -> None:
    """Train autoencoders side by side; their models are left with the trained weights.

    Each is trained by a thread of its own. Where TensorFlow is set up to run several operations at once, that takes
    less time than one training after the other with each operation spread over the cores.

    Args:
        trainers: of each autoencoder.
        images: uint8 array of shape (n, pixels).
        seeds: for each autoencoder, of its initial weights, the batches and the corruption.
        epochs: passes over the images.
        batch_size, learning_rate: see `Trainer.fit`.
        on_epoch: called after each epoch, from any thread, with the autoencoder's number, from 0, the epoch, from 1,
            and the epoch's mean loss.
    """
    images = np.ascontiguousarray(images)
    steps = math.ceil(len(images) / batch_size)

    def train(number: int) -> None:
        trainer, seed = trainers[number], seeds[number]
        trainer.fit(
            images,
            None,
            weights=initial_weights(trainer.model, derive(seed, "weights")),
            batch_size=batch_size,
            steps=epochs * steps,
            learning_rate=learning_rate,
            seed=seed,
            log_every=steps,
            on_log=lambda step, loss: on_epoch(number, step // steps, loss),
        )

    with ThreadPoolExecutor(len(trainers)) as threads:
        list(threads.map(train, range(len(trainers))))


def predict(model: keras.Model, images: tf.Tensor, batch_size: int = 2000) -> np.ndarray:
    """The model's outputs, float32 of shape (n, outputs), for images of shape (n, pixels) in [0, 1]."""
    return np.concatenate(
        [model(images[i : i + batch_size], training=False) for i in range(0, len(images), batch_size)]
    )
