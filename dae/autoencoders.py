"""Small autoencoders of several kinds, trained in parallel processes, as evidence for the theory exercises."""

import functools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import delayed

from dae.codes import linear_probe, neighbours_probe
from dae.core.seeds import derive
from dae.processes import workers

if TYPE_CHECKING:  # TensorFlow is imported only in processes that train
    from dae.core.backend import keras
    from dae.core.training import Loss, Trainer

SEEN = 5000  # training images, at most, that a trained autoencoder is measured with
CHECKS = 20  # entries of the history of a training
LEVELS = 255  # steps between the smallest and the largest value of a code unit stored in one byte


@dataclass(frozen=True)
class AutoencoderSettings:
    """How an autoencoder is built and trained.

    Attributes:
        units: widths of the encoder's layers, the code last; the decoder is its mirror image.
        activation: the code's, `linear`, `relu` or `leaky_relu`; the other hidden layers have `relu`.
        noise: fraction of the input's pixels masked in training, in [0, 1].
        tied: whether the decoder's kernels are the encoder's, transposed.
        variational: whether it is a variational autoencoder, whose code is random, see `variational_loss`.
        squared_error: whether its output is linear and its loss is the mean squared error, as for PCA; else the output
            is a sigmoid and the loss is the cross-entropy. It has no effect on noise, which such a network never sees.
        steps: number of training steps; 0 leaves the initial weights.
        batch_size, learning_rate: see `dae.core.training.Trainer.fit`.
    """

    units: tuple[int, ...]
    steps: int
    batch_size: int
    learning_rate: float
    activation: str = "linear"
    noise: float = 0.0
    tied: bool = False
    variational: bool = False
    squared_error: bool = False


@dataclass(frozen=True)
class AutoencoderJob:
    """One autoencoder to train, and the data to measure it with; all images are uint8 of shape (n, pixels).

    Attributes:
        train: images to train on.
        test: images to encode and reconstruct.
        test_labels: uint8 array of shape (n_test,), the classes of `test`.
        seed: for the initial weights, the batches, the corruption and the samples.
        labelled: uint8 array of shape (draws, n_labels, pixels); each draw trains one probe. There may be no draws.
        labels: uint8 array of shape (draws, n_labels).
        queries: further images to reconstruct; may be empty, and float32 if some pixels are brighter than 255.
        n_samples: number of images to generate.
        keeps_codes: whether the result has the codes of the test images, which take much memory if they are wide.
    """

    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    seed: int
    labelled: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0), np.uint8))
    labels: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))
    queries: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))
    n_samples: int = 0
    keeps_codes: bool = False


@dataclass(frozen=True)
class AutoencoderResult:
    """Measurements of a trained autoencoder on a job's images.

    Attributes:
        n_parameters: number of trained weights.
        losses: mean training loss in nats (or squared error) in each of `CHECKS` parts of the training, or fewer.
        train_error: mean squared error on the first `SEEN` training images (all if there are fewer), without noise.
        test_errors: mean squared error of each test image, float32 of shape (n_test,).
        byte_error: mean squared error on the test images when each unit of the code is rounded to one byte.
        codes: codes of the test images, float32 of shape (n_test, code); without rows if the job does not keep them.
        linear, neighbours: test accuracies of probes of the codes (`dae.codes`), one for each draw of labelled images,
            fractions.
        queries: the reconstructed queries, float32 of shape (n_queries, pixels) in [0, 1].
        byte_queries: the same when each unit of the code is rounded to one byte.
        samples: float32 of shape (n_samples, pixels) in [0, 1], decoded from random codes. These are standard normal
            if `variational`, else normal with the mean and covariance of the codes of `SEEN` training images.
        seconds: duration of the training.
    """

    n_parameters: int
    losses: list[float]
    train_error: float
    test_errors: np.ndarray
    byte_error: float
    codes: np.ndarray
    linear: list[float]
    neighbours: list[float]
    queries: np.ndarray
    byte_queries: np.ndarray
    samples: np.ndarray
    seconds: float


def train_autoencoders(
    jobs: Iterable[tuple[AutoencoderJob, AutoencoderSettings]], n_jobs: int
) -> Iterator[AutoencoderResult]:
    """Train an autoencoder for each job; yields the results in order, each as soon as it is ready.

    Args:
        jobs: pairs of a job and its settings.
        n_jobs: number of processes, one thread each; it does not change the results.

    Raises:
        ConnectionError: see `dae.processes.workers`.
    """
    return workers(n_jobs)(delayed(_train)(job, settings) for job, settings in jobs)


def variational_loss(encoder: "keras.Model", decoder: "keras.Model") -> "Loss":
    """The loss of the variational autoencoder (Kingma & Welling, ICLR 2014, section 3), in nats a pixel.

    It is the cross-entropy of the reconstruction plus the divergence of the code from the standard normal distribution.
    Its data are `images`, uint8 of shape (n, pixels).

    Args:
        encoder: model from pixels in [0, 1], of shape (n, pixels), to shape (n, 2 * code): the means of the code's
            units, then the logarithms of their variances.
        decoder: model from codes, of shape (n, code), to logits of shape (n, pixels).
    """
    from dae.core.backend import tf
    from dae.core.images import scale
    from dae.core.training import pixel_cross_entropy

    def loss(rows: tf.Tensor, seed: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        clean = scale(tf.gather(images, rows))
        mean, log_variance = tf.split(encoder(clean), 2, axis=1)
        # mean, deviation and log variance are used twice each: TensorFlow may add up three gradients in any order
        deviation = tf.exp(log_variance / 2)
        logits = decoder(mean + deviation * tf.random.stateless_normal(tf.shape(mean), seed))
        divergence = 0.5 * tf.reduce_sum(deviation**2 + mean**2 - 1 - log_variance, axis=1)
        return pixel_cross_entropy(logits, clean) + tf.reduce_mean(divergence) / clean.shape[1]

    return loss


def random_codes(n: int, codes: np.ndarray, variational: bool, seed: int) -> np.ndarray:
    """Draw codes, to make up images: standard normal if `variational`, else with the mean and covariance of `codes`.

    Args:
        n: number of codes.
        codes: of real images, float32 of shape (m, units).
        variational: whether the decoder is that of a variational autoencoder.
        seed: of the draw.

    Returns:
        Float32 array of shape (n, units).
    """
    rng = np.random.default_rng(seed)
    if variational or not n:
        return rng.standard_normal((n, codes.shape[1]), np.float32)
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    return rng.multivariate_normal(codes.mean(axis=0), covariance, n).astype(np.float32)


def squared_loss(model: "keras.Model") -> "Loss":
    """The mean squared error of reconstructing images; its data are `images`, uint8 of shape (n, pixels)."""
    from dae.core.backend import tf
    from dae.core.images import scale

    def loss(rows: tf.Tensor, seed: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        clean = scale(tf.gather(images, rows))
        return tf.reduce_mean(tf.square(model(clean) - clean))

    return loss


def _train(job: AutoencoderJob, settings: AutoencoderSettings) -> AutoencoderResult:
    from dae.core.backend import tf
    from dae.core.networks import initial_weights
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    tf.get_logger().setLevel("ERROR")  # it warns of repeated compiling, but each kind of autoencoder needs its own
    start = time.perf_counter()
    trainer, encoder, decoder = _trainer(job.train.shape[1], settings)
    weights = initial_weights(trainer.model, derive(job.seed, "weights"))
    losses = []
    if settings.steps:
        history = trainer.fit(
            job.train,
            weights=weights,
            batch_size=settings.batch_size,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            seed=job.seed,
            log_every=-(-settings.steps // CHECKS),
        )
        losses = [loss for _, loss in history]
    else:
        trainer.model.set_weights(weights)
    seconds = time.perf_counter() - start
    measured = _measure(job, settings, encoder, decoder)
    return AutoencoderResult(n_parameters=trainer.model.count_params(), losses=losses, seconds=seconds, **measured)


def _measure(
    job: AutoencoderJob, settings: AutoencoderSettings, encoder: "keras.Model", decoder: "keras.Model"
) -> dict[str, Any]:
    """What a trained autoencoder does with a job's images, by the names of `AutoencoderResult`."""
    from dae.core.backend import tf
    from dae.core.images import scale
    from dae.core.training import predict

    n_units = settings.units[-1]

    def encode(images: np.ndarray) -> np.ndarray:
        return predict(encoder, scale(images))[:, :n_units]

    def decode(codes: np.ndarray) -> np.ndarray:
        if not len(codes):
            return np.empty((0, job.train.shape[1]), np.float32)
        outputs = predict(decoder, tf.constant(codes))
        return np.clip(outputs, 0, 1) if settings.squared_error else tf.sigmoid(outputs).numpy()

    def errors(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        return np.square(scale(images).numpy() - reconstructions).mean(axis=1)

    codes, train = encode(job.test), job.train[:SEEN]
    train_codes = encode(train)
    queries = encode(job.queries) if len(job.queries) else codes[:0]
    low, high = codes.min(axis=0), codes.max(axis=0)
    step = np.maximum((high - low) / LEVELS, np.float32(1e-12))  # above 0 also for a unit that never changes

    def in_bytes(codes: np.ndarray) -> np.ndarray:
        return low + np.round((np.clip(codes, low, high) - low) / step) * step

    labelled = [
        (encode(images), labels, codes, job.test_labels)
        for images, labels in zip(job.labelled, job.labels, strict=True)
    ]
    return {
        "train_error": float(errors(train, decode(train_codes)).mean()),
        "test_errors": errors(job.test, decode(codes)),
        "byte_error": float(errors(job.test, decode(in_bytes(codes))).mean()),
        "codes": codes if job.keeps_codes else codes[:0],
        "linear": [linear_probe(*probed) for probed in labelled],
        "neighbours": [neighbours_probe(*probed) for probed in labelled],
        "queries": decode(queries),
        "byte_queries": decode(in_bytes(queries)),
        "samples": decode(random_codes(job.n_samples, train_codes, settings.variational, derive(job.seed, "samples"))),
    }


@functools.lru_cache(maxsize=2)
def _trainer(n_pixels: int, settings: AutoencoderSettings) -> "tuple[Trainer, keras.Model, keras.Model]":
    """The autoencoder's trainer, and the models of encoder and decoder; cached, because compiling takes a second."""
    from dae.core.training import Trainer
    from dae.denoising import denoising_loss

    model, encoder, decoder = _build(n_pixels, settings)
    if settings.variational:
        loss = variational_loss(encoder, decoder)
    elif settings.squared_error:
        loss = squared_loss(model)
    else:
        loss = denoising_loss(model, "masking", settings.noise)
    return Trainer(model, loss), encoder, decoder


def _build(n_pixels: int, settings: AutoencoderSettings) -> "tuple[keras.Model, keras.Model, keras.Model]":
    """The autoencoder, its encoder and its decoder: three models that share their layers."""
    from dae.core.backend import keras
    from dae.core.networks import build_autoencoder

    units = list(settings.units)
    if settings.variational:
        units[-1] *= 2  # means, then logarithms of the variances
    model = build_autoencoder(n_pixels, units, settings.tied)
    code = model.get_layer(f"encoder_{len(units)}")
    code.activation = keras.activations.get(settings.activation)
    if settings.variational:
        return _build_variational(model.input, code.output, n_pixels, units)
    x = half = keras.Input((units[-1],))
    for depth in range(len(units), 0, -1):
        x = model.get_layer(f"decoder_{depth}")(x)
    return model, keras.Model(model.input, code.output), keras.Model(half, x)


def _build_variational(
    inputs: "keras.KerasTensor", code: "keras.KerasTensor", n_pixels: int, units: list[int]
) -> "tuple[keras.Model, keras.Model, keras.Model]":
    """Like `_build`, for a variational autoencoder: its last encoder layer is twice as wide as its code."""
    from dae.core.backend import keras

    x = half = keras.Input((units[-1] // 2,))
    for width in units[-2::-1]:
        x = keras.layers.Dense(width, activation="relu")(x)
    decoder = keras.Model(half, keras.layers.Dense(n_pixels)(x))
    model = keras.Model(inputs, decoder(code[:, : units[-1] // 2]))
    return model, keras.Model(inputs, code), decoder
