"""Trains classifiers in parallel processes of one thread each; their hidden layers start from an encoder or at random.

A pixel that is 0 in every labelled image, such as one at the border, gives its weights no gradient, and they keep their
initial values. Training leaves such pixels out; the trained network has all of them.
"""

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from joblib import delayed
from scipy.special import softmax

from dae.processes import workers

if TYPE_CHECKING:  # TensorFlow is imported only in processes that train
    from dae.core.backend import keras
    from dae.core.training import Loss, Trainer


WIDTHS = 64  # pixels; the widths of trained networks are multiples of it


@dataclass(frozen=True)
class ClassifierSettings:
    """How a classifier is built and trained, except for its initial weights.

    Attributes:
        units: widths of the hidden layers.
        dropout: fraction of each hidden layer's units dropped in training, in [0, 1).
        masking: fraction of the input's pixels set to 0 in training, in [0, 1].
        batch_size, steps, learning_rate: see `dae.core.training.Trainer.fit`.
        frozen: number of hidden layers, from the first, that keep their initial weights.
        convolutional: whether all hidden layers except the last are convolutions.
        augment: whether training images are moved a little at random, see `dae.core.images.random_affine`.
        rescaled: whether masked images are given the brightness of clean ones, see `dae.core.images.rescale`.
        n_classes: number of classes; all labels are below it.
    """

    units: tuple[int, ...]
    dropout: float
    masking: float
    batch_size: int
    steps: int
    learning_rate: float
    frozen: int = 0
    convolutional: bool = False
    augment: bool = False
    rescaled: bool = True
    n_classes: int = 10


@dataclass(frozen=True)
class ClassifierJob:
    """One classifier to train.

    Attributes:
        images: uint8 array of shape (n_labels, pixels), the labelled images.
        labels: uint8 array of shape (n_labels,).
        test_images: uint8 array of shape (n_test, pixels).
        encoder: `[kernel_1, bias_1, ...]`, initial weights of the first hidden layers; if empty, all are random.
        seed: for the random initial weights, the batches, the masking and the dropout.
        watched: uint8 array of shape (n_watched, pixels), images to classify during the training too.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    encoder: Sequence[np.ndarray]
    seed: int
    watched: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))


@dataclass(frozen=True)
class ClassifierResult:
    """A trained classifier.

    Attributes:
        probabilities: class probabilities of the test images, float32 array of shape (n_test, classes).
        history: pairs of the number of steps taken and the mean training loss in nats, see
            `dae.core.training.Trainer.fit`.
        weights: the trained weights, in the order of the model's `get_weights`.
        watched: the predicted classes of the watched images at each entry of the history, uint8 array of shape
            (entries, n_watched).
    """

    probabilities: np.ndarray
    history: list[tuple[int, float]]
    weights: list[np.ndarray]
    watched: np.ndarray


def train_classifiers(
    jobs: Iterable[tuple[ClassifierJob, ClassifierSettings]], n_jobs: int
) -> Iterator[ClassifierResult]:
    """Train a classifier for each job; yields the results in order, each as soon as it is ready.

    Args:
        jobs: pairs of a job and its settings.
        n_jobs: number of processes, one thread each; it does not change the results.

    Raises:
        ConnectionError: see `dae.processes.workers`.
    """
    return workers(n_jobs)(delayed(_train)(job, settings) for job, settings in jobs)


def classification_loss(model: "keras.Model", masking: float, augment: bool, rescaled: bool = True) -> "Loss":
    """The cross-entropy, in nats, of classifying masked images.

    Its data are `images`, uint8 of shape (n, pixels), and `labels`, uint8 of shape (n,).

    Args:
        model: from pixels in [0, 1], of shape (n, pixels), to logits of shape (n, classes).
        masking, augment, rescaled: see `ClassifierSettings`.
    """
    from dae.core.backend import tf
    from dae.core.images import corrupt, random_affine, rescale, scale
    from dae.core.training import class_cross_entropy

    def loss(rows: tf.Tensor, seed: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        inputs = scale(tf.gather(images, rows))
        if augment:
            inputs = random_affine(inputs, tf.stack([seed[0], -seed[1] - 1]))  # masking has this seed in no step
        masked = corrupt(inputs, "masking", masking, seed)
        logits = model(rescale(masked, "masking", masking) if rescaled else masked, training=True)
        return class_cross_entropy(logits, tf.gather(labels, rows))

    return loss


def _train(job: ClassifierJob, settings: ClassifierSettings) -> ClassifierResult:
    from dae.core.images import scale
    from dae.core.networks import initial_weights
    from dae.core.seeds import derive
    from dae.core.training import predict

    if (most := job.labels.max()) >= settings.n_classes:
        raise ValueError(f"a label is {most}; allowed are those below n_classes, {settings.n_classes}")
    used, model = _used(job.images, settings), _model(job.images.shape[1], settings)
    weights = initial_weights(model, derive(job.seed, "weights"))
    weights[: len(job.encoder)] = job.encoder
    kernel, others = weights[0].copy(), weights[1:]
    images = job.images[:, used]
    trainer = _trainer(images.shape[1], settings)
    watched: list[np.ndarray] = []

    def classify(seen: np.ndarray) -> np.ndarray:
        """Logits of images by the network as it is now, given all of its pixels."""
        kernel[used], *others = trainer.model.get_weights()
        model.set_weights([kernel, *others])
        return predict(model, scale(seen))

    def watch(step: int, loss: float) -> None:
        if len(job.watched):
            watched.append(classify(job.watched).argmax(axis=1).astype(np.uint8))

    history = trainer.fit(
        images,
        job.labels,
        weights=[kernel[used], *others],
        batch_size=settings.batch_size,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        seed=job.seed,
        log_every=max(1, settings.steps // 40),
        on_log=watch,
    )
    classes = np.array(watched, np.uint8).reshape(len(history), len(job.watched))
    probabilities = softmax(classify(job.test_images).astype(np.float64), axis=1).astype(np.float32)
    return ClassifierResult(probabilities, history, model.get_weights(), classes)


def _used(images: np.ndarray, settings: ClassifierSettings) -> np.ndarray | slice:
    """The pixels that training needs, in order: those that are not 0 in some image.

    There are more of them, to the next multiple of `WIDTHS`, so that trainings share compiled networks; and all where
    neighbours matter.
    """
    n_pixels = images.shape[1]
    if settings.convolutional or settings.augment:
        return slice(None)
    zero = ~images.any(axis=0)
    n_used = min(n_pixels, WIDTHS * math.ceil(max(1, n_pixels - zero.sum()) / WIDTHS))
    return np.sort(np.argsort(zero, kind="stable")[:n_used])


@functools.lru_cache(maxsize=4)
def _model(n_pixels: int, settings: ClassifierSettings) -> "keras.Model":
    """The network of these settings."""
    from dae.core.networks import build_classifier, build_convolutional_classifier
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    if settings.convolutional:
        return build_convolutional_classifier(n_pixels, settings.units, settings.dropout, settings.n_classes)
    return build_classifier(n_pixels, settings.units, settings.dropout, settings.n_classes)


@functools.lru_cache(maxsize=4)
def _trainer(n_pixels: int, settings: ClassifierSettings) -> "Trainer":
    """The trainer for these settings; each process caches it for its next jobs, because compiling takes a second."""
    from dae.core.training import Trainer

    model = _model.__wrapped__(n_pixels, settings)
    loss = classification_loss(model, settings.masking, settings.augment, settings.rescaled)
    return Trainer(model, loss, frozen=2 * settings.frozen)
