"""Denoising autoencoders (Vincent et al., JMLR 11, 2010), trained at the same time in threads of this process."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dae.core.backend import keras, tf
from dae.core.images import corrupt, rescale, scale
from dae.core.networks import build_autoencoder, build_convolutional_autoencoder, initial_weights
from dae.core.seeds import derive
from dae.core.training import Loss, Trainer, pixel_cross_entropy, predict


@dataclass(frozen=True)
class DaeSettings:
    """How a dAE is built and trained.

    Attributes:
        units: widths of the encoder's layers, see `dae.core.networks`.
        corruption, noise: see `dae.core.images.corrupt`.
        tied: whether the decoder's kernels are the encoder's, transposed; it has no effect on convolutions.
        epochs: passes over the images.
        batch_size: images a step.
        learning_rate: see `dae.core.training.Trainer.fit`.
        convolutional: whether the encoder's layers before the code, and the decoder's that mirror them, are
            convolutions.
        rescaled: whether masked images are given the brightness of clean ones, see `dae.core.images.rescale`.
    """

    units: tuple[int, ...]
    corruption: str
    noise: float
    tied: bool
    epochs: int
    batch_size: int
    learning_rate: float
    convolutional: bool = False
    rescaled: bool = True


@dataclass(frozen=True)
class DaeJob:
    """One dAE to train.

    Attributes:
        images: uint8 array of shape (n, pixels).
        seed: for the initial weights, the batches and the corruption.
    """

    images: np.ndarray
    seed: int


@dataclass(frozen=True)
class DaeResult:
    """A trained dAE.

    Attributes:
        model: from (n, pixels) pixels in [0, 1] to (n, pixels) logits.
        encoder: `[kernel_1, bias_1, ...]` of the encoder's layers.
    """

    model: keras.Model
    encoder: list[np.ndarray]


def denoising_loss(model: keras.Model, corruption: str, noise: float, rescaled: bool = True) -> Loss:
    """The cross-entropy, in nats a pixel, of reconstructing clean images from corrupted ones.

    Its data are `images`, uint8 of shape (n, pixels). Each step draws new noise; see `dae.core.images.corrupt`. For
    `rescaled` see `DaeSettings`.
    """

    def loss(rows: tf.Tensor, seed: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        clean = scale(tf.gather(images, rows))
        noisy = corrupt(clean, corruption, noise, seed)
        inputs = rescale(noisy, corruption, noise) if rescaled else noisy
        return pixel_cross_entropy(model(inputs, training=True), clean)

    return loss


def train_daes(
    jobs: Sequence[tuple[DaeJob, DaeSettings]],
    on_epoch: Callable[[int, int, float, float | None], None] = lambda number, epoch, loss, held_out: None,
    held_out: np.ndarray | None = None,
) -> list[DaeResult]:
    """Train a dAE for each job, each in its own thread; call `set_up_tensorflow` first.

    If TensorFlow may run several operations at once, this is faster than one training after the other with each
    operation spread over the cores.

    Args:
        jobs: the images and seed of each dAE, and how it is built and trained.
        on_epoch: called after each epoch, from any thread, with the dAE's number (from 0), the epoch (from 1), the
            epoch's mean loss and the loss on `held_out` after the epoch, both in nats a pixel.
        held_out: images that no dAE trains on, uint8 of shape (n, pixels), always with the same noise; if None, their
            loss is None.

    Returns:
        The results, in the order of the jobs.
    """
    trainers = [_trainer(job.images.shape[1], settings) for job, settings in jobs]

    def train(number: int) -> DaeResult:
        trainer, (job, settings) = trainers[number], jobs[number]
        steps = math.ceil(len(job.images) / settings.batch_size)

        def log(step: int, loss: float) -> None:
            unseen = None
            if held_out is not None:
                seed = tf.constant([derive(job.seed, "held out"), 0])
                unseen = float(trainer.loss(tf.range(len(held_out)), seed, tf.constant(held_out)))
            on_epoch(number, step // steps, loss, unseen)

        trainer.fit(
            np.ascontiguousarray(job.images),
            weights=initial_weights(trainer.model, derive(job.seed, "weights")),
            batch_size=settings.batch_size,
            steps=settings.epochs * steps,
            learning_rate=settings.learning_rate,
            seed=job.seed,
            log_every=steps,
            on_log=log,
        )
        return DaeResult(trainer.model, trainer.model.get_weights()[: 2 * len(settings.units)])

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(train, range(len(jobs))))


def corrupt_and_denoise(
    model: keras.Model, images: tf.Tensor, corruption: str, noise: float, seed: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Corrupt images and denoise them with a dAE.

    Args:
        model: see `DaeResult`.
        images: clean images, float32 of shape (n, pixels), in [0, 1].
        corruption, noise: see `dae.core.images.corrupt`.
        seed: for the noise.

    Returns:
        `noisy` and `denoised`, float32 arrays of the shape of `images`, in [0, 1].
    """
    noisy = corrupt(images, corruption, noise, tf.constant(seed))
    return {
        "noisy": np.asarray(noisy),
        "denoised": tf.sigmoid(predict(model, rescale(noisy, corruption, noise))).numpy(),
    }


def _trainer(n_pixels: int, settings: DaeSettings) -> Trainer:
    if settings.convolutional:
        model = build_convolutional_autoencoder(n_pixels, settings.units)
    else:
        model = build_autoencoder(n_pixels, settings.units, settings.tied)
    return Trainer(model, denoising_loss(model, settings.corruption, settings.noise, settings.rescaled))
