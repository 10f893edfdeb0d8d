"""Times a training step of the project's own code, and each of its pieces separately."""

import time
from collections.abc import Callable

from benchmarks.contenders.common import images, labels, rate, tensorflow_matrix
from benchmarks.tasks import PIXELS, Answer, Step, autoencoder_widths, classifier_widths, operations, products
from dae.classifiers import classification_loss
from dae.core.backend import tf
from dae.core.images import corrupt, rescale, scale
from dae.core.networks import build_autoencoder, build_classifier
from dae.core.training import Trainer, batches, class_cross_entropy, pixel_cross_entropy, set_up_tensorflow
from dae.denoising import denoising_loss


def step(task: Step) -> Answer:
    """Measure the `whole` step and its pieces, in milliseconds.

    `gradients` computes network and loss, forwards and backwards; `products` are the matrix products in it.
    """
    set_up_tensorflow()
    if task.classify:
        model = build_classifier(PIXELS, task.units, task.dropout)
        trainer = Trainer(model, classification_loss(model, task.noise, augment=False))
        data, widths = [images("train", task.n), labels("train", task.n)], classifier_widths(task.units)
    else:
        model = build_autoencoder(PIXELS, task.units)
        trainer = Trainer(model, denoising_loss(model, "masking", task.noise))
        data, widths = [images("train", task.n)], autoencoder_widths(task.units)
    shapes = products(widths, task.batch_size)
    found = {name: _milliseconds(piece, task.steps) for name, piece in _pieces(task, trainer, data).items()}
    found["products"] = 1e3 * operations(shapes) / rate(shapes, tensorflow_matrix, seconds=0.5)
    weights = model.get_weights()
    for _ in range(2):  # the first training compiles
        start = time.perf_counter()
        trainer.fit(
            *data,
            weights=weights,
            batch_size=task.batch_size,
            steps=task.steps,
            learning_rate=1e-3,
            seed=1,
            log_every=task.steps,
        )
        found["whole"] = 1e3 * (time.perf_counter() - start) / task.steps
    return found


def _pieces(task: Step, trainer: Trainer, data: list) -> dict[str, Callable[[tf.Tensor], tf.Tensor]]:
    """Each piece of a step as a function of the step's number.

    Each returns a number that it computes, because TensorFlow leaves out what has no effect. Adam returns a constant:
    TensorFlow never leaves out the change of a variable.
    """
    order = tf.constant(batches(task.n, task.batch_size, task.steps, 1))
    pixels = tf.constant(data[0])
    batch = scale(pixels[: task.batch_size])
    target = tf.constant(data[1][: task.batch_size]) if task.classify else batch
    loss_of = class_cross_entropy if task.classify else pixel_cross_entropy
    constant = [tf.ones_like(variable) for variable in trainer.variables]

    def gradients(i: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(trainer.model(batch, training=True), target)
        return tf.add_n([tf.reduce_sum(gradient[:1]) for gradient in tape.gradient(loss, trainer.variables)])

    def adam(i: tf.Tensor) -> tf.Tensor:
        trainer._update(constant, 1e-6, tf.cast(i + 1, tf.float32))
        return tf.constant(0.0)

    def corruption(i: tf.Tensor) -> tf.Tensor:
        return rescale(corrupt(batch, "masking", task.noise, tf.stack([1, i])), "masking", task.noise)[0, 0]

    return {
        "rows, scaled": lambda i: scale(tf.gather(pixels, order[i]))[0, 0],
        "corruption": corruption,
        "gradients": gradients,
        "Adam": adam,
    }


def _milliseconds(piece: Callable[[tf.Tensor], tf.Tensor], steps: int) -> float:
    """Milliseconds a step, in a compiled loop of `steps` steps."""

    @tf.function
    def loop() -> tf.Tensor:
        total = 0.0
        for i in tf.range(steps):
            total += piece(i)
        return total

    loop()  # compiles
    start = time.perf_counter()
    loop()
    return 1e3 * (time.perf_counter() - start) / steps
