"""The ladder network: a denoising autoencoder with lateral connections, trained jointly with the classifier.

Rasmus, Berglund, Honkala, Valpola & Raiko, NIPS 2015; names and steps are those of the paper's Algorithm 1. A noisy
encoder classifies the labelled images. A decoder denoises every layer of the unlabelled images, from the layer above
(`u`) and the noisy layer itself (`z`); a clean encoder computes the targets. Every layer has its own connection to the
decoder, so the layers above need not carry details, as they must in an autoencoder.
"""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed

from dae.core.backend import keras, tf
from dae.core.images import scale
from dae.core.networks import N_CLASSES
from dae.core.seeds import derive
from dae.core.training import Loss, Trainer, class_cross_entropy, predict, set_up_tensorflow
from dae.processes import workers
from dae.sampling import UNLABELLED

EPSILON = 1e-6  # added to variances, to avoid a division by 0
POOL = 8  # the pool has the noise of this many steps, and is drawn once an epoch
MEAN_ROW, WEIGHT_ROW = 0, 5  # first row of the mean's and of the weight's parameters in a combinator


class Ladder(keras.Model):
    """The ladder network n_pixels - units - n_classes: from (n, n_pixels) pixels in [0, 1] to (n, n_classes) logits.

    Args:
        n_pixels: width of the input.
        units: widths of the hidden layers.
        noise: standard deviation of the normal noise that the noisy encoder adds to the image and to every layer.
        costs: weight of the denoising cost of each layer, from the image to the output: len(units) + 2 values. The
            decoder ends at the lowest layer with a weight above 0; if only the output has one, this is the paper's
            Gamma model; if none has, only the labels teach the network.
        products: data type of matrix products in training, "float32" or "bfloat16"; all else is float32.
        n_classes: width of the output.
    """

    def __init__(
        self,
        n_pixels: int,
        units: Sequence[int],
        noise: float,
        costs: Sequence[float],
        products: str = "float32",
        n_classes: int = N_CLASSES,
    ):
        super().__init__(name="ladder")
        self.widths = widths = [n_pixels, *units, n_classes]
        self.noise, self.costs, self.top, self.products = noise, list(costs), len(widths) - 1, products
        weighted = [layer for layer, cost in enumerate(costs) if cost > 0]
        self.layers_up = range(1, self.top + 1)
        self.layers_down = range(self.top, min(weighted, default=self.top + 1) - 1, -1)

        def weights(name: str, shapes: dict, **options: Any) -> dict:
            return {k: self.add_weight(name=f"{name}_{k}", shape=v, **options) for k, v in shapes.items()}

        # names as in the paper: the encoder has W, beta, gamma; the decoder V and the combinators a. The moments (mean,
        # variance) are those that `remember` stores.
        wide = {layer: (widths[layer],) for layer in self.layers_up}
        self.W = weights("W", {layer: (widths[layer - 1], widths[layer]) for layer in self.layers_up})
        self.beta, self.gamma = weights("beta", wide), weights("gamma", {self.top: (n_classes,)})
        self.V = weights("V", {layer: (widths[layer + 1], widths[layer]) for layer in self.layers_down[1:]})
        self.a = weights("a", {layer: (10, widths[layer]) for layer in self.layers_down})
        self.mean = weights("mean", wide, trainable=False)
        self.variance = weights("variance", wide, trainable=False)
        self.built = True

    def initial_weights(self, seed: int) -> list[np.ndarray]:
        """Random kernels of variance 1 / fan-in, and combinators that return 0 at first, in the order of `get_weights`.

        The arrays are float32.
        """
        rng = np.random.default_rng(seed)

        def initial(name: str, shape: tuple[int, ...]) -> np.ndarray:
            if name.startswith(("W_", "V_")):
                return rng.normal(0.0, 1 / np.sqrt(shape[0]), shape)
            array = np.full(shape, name.startswith(("gamma_", "variance_")), float)
            if name.startswith("a_"):
                array[[MEAN_ROW + 1, WEIGHT_ROW + 1]] = 1.0  # slopes of the sigmoids
            return array

        return [initial(variable.name, variable.shape).astype(np.float32) for variable in self.weights]

    def noisy_encoder(self, images: tf.Tensor, n_labelled: int, noise: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Encode images with noise.

        Args:
            images: float32 of shape (n, pixels); the first `n_labelled` are labelled. Labelled and unlabelled images
                are normalised separately.
            n_labelled: number of labelled images.
            noise: float32 of shape (n * sum of `widths`,), standard normal.

        Returns:
            Logits of all images, shape (n, n_classes), and the noisy layers of the unlabelled ones, from the image to
            the output.
        """
        n = tf.shape(images)[0]
        pieces = tf.split(noise, [n * width for width in self.widths])

        def add_noise(values: tf.Tensor, layer: int) -> tf.Tensor:
            return values + self.noise * tf.reshape(pieces[layer], (n, self.widths[layer]))

        h = z = add_noise(images, 0)
        layers = [z[n_labelled:]]
        for layer in self.layers_up:
            z = self._product(h, self.W[layer])
            parts = [normalise(part, *moments(part)) for part in (z[:n_labelled], z[n_labelled:])]
            z = add_noise(tf.concat(parts, axis=0), layer)
            h = self._activate(z, layer)
            layers.append(z[n_labelled:])
        return h, layers

    def clean_encoder(self, images: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor], list[tuple]]:
        """Encode images, float32 of shape (n, pixels), without noise.

        Returns:
            Logits of shape (n, n_classes); the normalised layers, from the image to the output; and the moments, mean
            and variance, of each layer above the image.
        """
        h, layers, layer_moments = images, [images], []
        for layer in self.layers_up:
            z = self._product(h, self.W[layer])
            layer_moments.append(moments(z))
            layers.append(normalise(z, *layer_moments[-1]))
            h = self._activate(layers[-1], layer)
        return h, layers, layer_moments

    def denoising_costs(self, logits: tf.Tensor, noisy: list, clean: list, layer_moments: list) -> list[tf.Tensor]:
        """Denoise the layers; returns the weighted mean squared error of each, from the output down.

        Args:
            logits: the noisy encoder's logits of the unlabelled images; the decoder starts from their softmax.
            noisy: the noisy encoder's layers.
            clean, layer_moments: the clean encoder's layers and moments.
        """
        costs, above = [], tf.nn.softmax(logits)
        for layer in self.layers_down:
            u = self._product(above, self.V[layer]) if layer < self.top else above
            above = estimate = combine(noisy[layer], normalise(u, *moments(u)), self.a[layer])
            if layer > 0:
                estimate = normalise(estimate, *layer_moments[layer - 1])
            if self.costs[layer] > 0:
                error = tf.math.squared_difference(estimate, clean[layer])
                costs.append(self.costs[layer] * tf.reduce_mean(error))
        return costs

    def remember(self, images: np.ndarray) -> None:
        """Store the moments of each layer on `images`, uint8 of shape (n, pixels), for later calls of the model."""
        for layer, found in enumerate(self.clean_encoder(scale(images))[2], start=1):
            for variable, value in zip((self.mean[layer], self.variance[layer]), found, strict=True):
                variable.assign(value)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits of the clean encoder, which normalises with the stored moments."""
        h = images
        for layer in self.layers_up:
            h = self._activate(normalise(h @ self.W[layer], self.mean[layer], self.variance[layer]), layer)
        return h

    def _product(self, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.cast(a, self.products) @ tf.cast(b, self.products), tf.float32)

    def _activate(self, z: tf.Tensor, layer: int) -> tf.Tensor:
        """ReLU, or logits at the top. ReLU layers need no scale: the next layer's normalisation would cancel it."""
        return self.gamma[layer] * (z + self.beta[layer]) if layer == self.top else tf.nn.relu(z + self.beta[layer])


def moments(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each unit over the images: from shape (n, units) to two tensors of shape (units,)."""
    mean = tf.reduce_mean(z, axis=0)
    return mean, tf.reduce_mean(tf.math.squared_difference(z, mean), axis=0)


def normalise(z: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
    """Batch normalisation (Ioffe & Szegedy, ICML 2015) without scale and shift."""
    return (z - mean) * tf.math.rsqrt(variance + EPSILON)


def combine(z: tf.Tensor, u: tf.Tensor, a: tf.Tensor) -> tf.Tensor:
    """The combinator g (equation 2 of the paper): estimates z without noise, which is assumed normal given u.

    Args:
        z: noisy values, of shape (n, units).
        u: the normalised signal from the layer above, of the same shape.
        a: parameters of shape (10, units).

    Returns:
        The estimate, of shape (n, units).
    """

    def curve(i: int) -> tf.Tensor:
        return a[i] * tf.sigmoid(a[i + 1] * u + a[i + 2]) + a[i + 3] * u + a[i + 4]

    mu = curve(MEAN_ROW)
    return (z - mu) * curve(WEIGHT_ROW) + mu


def ladder_loss(ladder: Ladder, n_labelled: int) -> Loss:
    """The sum of the costs of classification and denoising; its data are what `with_noise` returns.

    Args:
        ladder: the model.
        n_labelled: each step draws this number of labelled images, in addition to its batch of all images.
    """

    def loss(
        rows: tf.Tensor, seed: tf.Tensor, images: tf.Tensor, labels: tf.Tensor, known: tf.Tensor, pool: tf.Tensor
    ) -> tf.Tensor:
        drawn = tf.random.experimental.stateless_shuffle(known, seed)[:n_labelled]
        unlabelled = scale(tf.gather(images, rows))
        both = tf.concat([scale(tf.gather(images, drawn)), unlabelled], axis=0)
        n_noise = tf.shape(pool)[0] // POOL
        place = tf.random.stateless_uniform((), seed, 0, (POOL - 1) * n_noise, tf.int32)
        logits, noisy = ladder.noisy_encoder(both, n_labelled, pool[place : place + n_noise])
        _, clean, layer_moments = ladder.clean_encoder(unlabelled)
        costs = ladder.denoising_costs(logits[n_labelled:], noisy, clean, layer_moments)
        classification = class_cross_entropy(logits[:n_labelled], tf.gather(labels, drawn))
        return classification + tf.add_n(costs) if costs else classification

    return loss


def with_noise(ladder: Ladder, n_labelled: int) -> Callable[..., tuple[tf.Tensor, ...]]:
    """Return the function that prepares the data of `ladder_loss`, `prepare` of `dae.core.training.Trainer`.

    It adds the row numbers of the labelled images and a pool of normal noise to images and labels. Each step takes its
    noise from a random place in the pool, because drawing new noise would take a fifth of the training time.
    """

    def prepare(seed: tf.Tensor, batch_size: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        n_noise = (n_labelled + batch_size) * sum(ladder.widths)
        known = tf.where(labels != UNLABELLED)[:, 0]
        return images, labels, known, tf.random.stateless_normal((POOL * n_noise,), seed)

    return prepare


@dataclass(frozen=True)
class LadderSettings:
    """How a ladder is built and trained.

    Attributes:
        units, noise, costs, products, n_classes: see `Ladder`.
        batch_size: images a step, from all images.
        labelled_batch_size: labelled images a step, or all of them if there are fewer.
        epochs: passes over all images.
        learning_rate: see `dae.core.training.Trainer.fit`.
    """

    units: tuple[int, ...]
    noise: float
    costs: tuple[float, ...]
    batch_size: int
    labelled_batch_size: int
    epochs: int
    learning_rate: float
    products: str
    n_classes: int = N_CLASSES


@dataclass(frozen=True)
class LadderJob:
    """One ladder to train.

    Attributes:
        images: uint8 array of shape (n, pixels), all training images.
        labels: uint8 array of shape (n,): the known labels, and `UNLABELLED` for all other images.
        test_images: uint8 array of shape (n_test, pixels).
        seed: for the initial weights, the batches and the noise.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    seed: int


@dataclass(frozen=True)
class LadderResult:
    """A trained ladder.

    Attributes:
        probabilities: float32 array of shape (n_test, n_classes).
        seconds: duration of training and prediction on one core.
    """

    probabilities: np.ndarray
    seconds: float


def train_ladders(jobs: Iterable[LadderJob], settings: LadderSettings, n_jobs: int) -> Iterator[LadderResult]:
    """Train a ladder for each job; yields the results in order, each as soon as it is ready.

    Args:
        jobs: the data of each ladder.
        settings: the same for all jobs.
        n_jobs: number of processes, one thread each; it does not change the results.

    Raises:
        ConnectionError: see `dae.processes.workers`.
    """
    calls = (delayed(_train)(job, settings, number) for number, job in enumerate(jobs, start=1))
    return workers(n_jobs)(calls)


def _train(job: LadderJob, settings: LadderSettings, number: int) -> LadderResult:
    set_up_tensorflow()
    start = time.monotonic()
    n_labelled = min(settings.labelled_batch_size, int((job.labels != UNLABELLED).sum()))
    how = settings.units, settings.noise, settings.costs, settings.products, settings.n_classes
    ladder = Ladder(job.images.shape[1], *how)
    steps = math.ceil(len(job.images) / settings.batch_size)
    Trainer(ladder, ladder_loss(ladder, n_labelled), with_noise(ladder, n_labelled)).fit(
        job.images,
        job.labels,
        weights=ladder.initial_weights(derive(job.seed, "weights")),
        batch_size=settings.batch_size,
        steps=settings.epochs * steps,
        learning_rate=settings.learning_rate,
        seed=job.seed,
        log_every=steps,
        on_log=lambda step, loss: print(
            f"ladder {number}: epoch {step // steps}/{settings.epochs}  loss {loss:.3f}", file=sys.stderr, flush=True
        ),
    )
    ladder.remember(job.images[:10_000])  # all images at once would take too much memory
    probabilities = tf.nn.softmax(predict(ladder, scale(job.test_images))).numpy()
    return LadderResult(probabilities, time.monotonic() - start)
