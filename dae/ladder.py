"""The ladder network: a denoising autoencoder with lateral connections, trained jointly with the classifier.

Rasmus, Berglund, Honkala, Valpola & Raiko, NIPS 2015; names and steps are those of the paper's Algorithm 1. A noisy
encoder classifies the labelled images. A decoder cleans every layer of the unlabelled ones, from the layer above (`u`)
and the noisy layer itself (`z`); a clean encoder tells what it should have found. Since every layer has its own way to
the decoder, the layers above need not carry detail, as those of an autoencoder must.
"""

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed

from dae.backend import keras, tf
from dae.networks import N_CLASSES
from dae.processes import workers
from dae.replicates import Replicate
from dae.seeds import derive
from dae.training import Trainer, classification_loss, predict, scale, set_up_tensorflow

UNKNOWN = 255  # the label of an image that has none
EPSILON = 1e-6  # added to variances
POOL = 8  # steps' worth of noise, drawn once an epoch
MU, V = 0, 5  # rows of a combinator's parameters, from which those of its mean and of its weight start


class Ladder(keras.Model):
    """The ladder network n_pixels - units - 10; as a function, from (n, n_pixels) pixels in [0, 1] to (n, 10) logits.

    Args:
        n_pixels: width of the input.
        units: widths of the hidden layers.
        noise: standard deviation of the normal noise that the noisy encoder adds to the image and to every layer.
        costs: weight of the denoising cost of each layer, from the image to the output. There is no decoder below the
            lowest layer with a weight above 0; with weight at the output alone this is the paper's Gamma model.
        products: the type in which training multiplies matrices, "float32" or "bfloat16". All else is float32.
    """

    def __init__(
        self, n_pixels: int, units: Sequence[int], noise: float, costs: Sequence[float], products: str = "float32"
    ):
        super().__init__(name="ladder")
        self.widths = widths = [n_pixels, *units, N_CLASSES]
        self.noise, self.costs, self.top, self.products = noise, list(costs), len(widths) - 1, products
        weighted = [layer for layer, cost in enumerate(costs) if cost > 0]
        self.layers_up = range(1, self.top + 1)
        self.layers_down = range(self.top, min(weighted, default=self.top + 1) - 1, -1)

        def weights(name: str, shapes: dict, **options) -> dict:
            return {k: self.add_weight(name=f"{name}_{k}", shape=v, **options) for k, v in shapes.items()}

        wide = {layer: (widths[layer],) for layer in self.layers_up}
        self.W = weights("W", {layer: (widths[layer - 1], widths[layer]) for layer in self.layers_up})
        self.beta, self.gamma = weights("beta", wide), weights("gamma", {self.top: (N_CLASSES,)})
        self.V = weights("V", {layer: (widths[layer + 1], widths[layer]) for layer in self.layers_down[1:]})
        self.a = weights("a", {layer: (10, widths[layer]) for layer in self.layers_down})
        self.mean = weights("mean", wide, trainable=False)
        self.variance = weights("variance", wide, trainable=False)
        self.built = True

    def initial_weights(self, seed: int) -> list[np.ndarray]:
        """Random kernels of variance 1 / fan-in and combinators that start from 0, in the order of `get_weights`."""
        rng = np.random.default_rng(seed)

        def initial(name: str, shape: tuple[int, ...]) -> np.ndarray:
            if name.startswith(("W_", "V_")):
                return rng.normal(0.0, 1 / np.sqrt(shape[0]), shape)
            array = np.full(shape, name.startswith(("gamma_", "variance_")), float)
            if name.startswith("a_"):
                array[[MU + 1, V + 1]] = 1.0  # slopes of the sigmoids
            return array

        return [initial(variable.name, variable.shape).astype(np.float32) for variable in self.weights]

    def noisy_encoder(self, images: tf.Tensor, n_labelled: int, noise: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Logits of all images, and the noisy layers, from the image to the output, of the unlabelled ones.

        Args:
            images: float32 of shape (n, pixels), the first `n_labelled` of them labelled; both parts are normalised
                apart.
            n_labelled: how many.
            noise: float32 of shape (n * sum of `widths`,), standard normal.
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
        """Logits, the normalised layers, from the image to the output, and the moments of those above the image."""
        h, layers, statistics = images, [images], []
        for layer in self.layers_up:
            z = self._product(h, self.W[layer])
            statistics.append(moments(z))
            layers.append(normalise(z, *statistics[-1]))
            h = self._activate(layers[-1], layer)
        return h, layers, statistics

    def denoising_costs(self, logits: tf.Tensor, noisy: list, clean: list, statistics: list) -> list[tf.Tensor]:
        """The decoder, and the weighted mean squared error of each layer that it cleans, from the output down.

        Args:
            logits: of the noisy encoder, of the unlabelled images; their softmax is what the decoder starts from.
            noisy: the noisy encoder's layers.
            clean, statistics: the clean encoder's layers and moments.
        """
        costs, above = [], tf.nn.softmax(logits)
        for layer in self.layers_down:
            u = self._product(above, self.V[layer]) if layer < self.top else above
            above = estimate = combine(noisy[layer], normalise(u, *moments(u)), self.a[layer])
            if layer > 0:
                estimate = normalise(estimate, *statistics[layer - 1])
            if self.costs[layer] > 0:
                error = tf.math.squared_difference(estimate, clean[layer])
                costs.append(self.costs[layer] * tf.reduce_mean(error))
        return costs

    def remember(self, images: np.ndarray) -> None:
        """Take the moments of these images, uint8 of shape (n, pixels), for those of all images to come."""
        for layer, found in enumerate(self.clean_encoder(scale(images))[2], start=1):
            for variable, value in zip((self.mean[layer], self.variance[layer]), found, strict=True):
                variable.assign(value)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The clean encoder, with the moments remembered."""
        h = images
        for layer in self.layers_up:
            h = self._activate(normalise(h @ self.W[layer], self.mean[layer], self.variance[layer]), layer)
        return h

    def _product(self, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.cast(a, self.products) @ tf.cast(b, self.products), tf.float32)

    def _activate(self, z: tf.Tensor, layer: int) -> tf.Tensor:
        """Rectified, or, at the top, logits. Before a rectifier a scale would be idle: the next layer is normalised."""
        return self.gamma[layer] * (z + self.beta[layer]) if layer == self.top else tf.nn.relu(z + self.beta[layer])


def moments(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of every unit over the images."""
    mean = tf.reduce_mean(z, axis=0)
    return mean, tf.reduce_mean(tf.math.squared_difference(z, mean), axis=0)


def normalise(z: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
    """Batch normalisation (Ioffe & Szegedy, ICML 2015) without scale and shift."""
    return (z - mean) * tf.math.rsqrt(variance + EPSILON)


def combine(z: tf.Tensor, u: tf.Tensor, a: tf.Tensor) -> tf.Tensor:
    """The combinator g: what z was without noise if, given u, it was normal; equation 2 of the paper.

    Args:
        z: noisy values, of shape (n, units).
        u: the signal from above, of the same shape, normalised.
        a: parameters of shape (10, units).
    """

    def curve(i: int) -> tf.Tensor:
        return a[i] * tf.sigmoid(a[i + 1] * u + a[i + 2]) + a[i + 3] * u + a[i + 4]

    mu = curve(MU)
    return (z - mu) * curve(V) + mu


class LadderTrainer(Trainer):
    """Trains a ladder on all images; those without a label have `UNKNOWN` for it.

    Args:
        ladder: the model.
        labelled_batch_size: labelled images a step, drawn afresh at each, beside the batch of all images.
    """

    def __init__(self, ladder: Ladder, labelled_batch_size: int):
        super().__init__(ladder, "gaussian", ladder.noise)
        self.labelled_batch_size = labelled_batch_size

    @tf.function(reduce_retracing=True)
    def _run(self, images, labels, order, rates, start, noise_seed):
        """As of `Trainer`: the mean loss is the classification's and the denoising's together."""
        known = tf.where(labels != UNKNOWN)[:, 0]
        n_labelled, total = self.labelled_batch_size, 0.0
        # a step's noise starts at a random place of the pool: drawing it afresh would take a fifth of the time
        n_noise = (n_labelled + tf.shape(order)[1]) * sum(self.model.widths)
        pool = tf.random.stateless_normal((POOL * n_noise,), tf.stack([noise_seed, start]))
        for i in tf.range(tf.shape(order)[0]):
            seed = tf.stack([noise_seed, start + i])
            drawn = tf.random.experimental.stateless_shuffle(known, seed)[:n_labelled]
            unlabelled = scale(tf.gather(images, order[i]))
            both = tf.concat([scale(tf.gather(images, drawn)), unlabelled], axis=0)
            place = tf.random.stateless_uniform((), seed, 0, (POOL - 1) * n_noise, tf.int32)
            with tf.GradientTape() as tape:
                logits, noisy = self.model.noisy_encoder(both, n_labelled, pool[place : place + n_noise])
                _, clean, statistics = self.model.clean_encoder(unlabelled)
                costs = self.model.denoising_costs(logits[n_labelled:], noisy, clean, statistics)
                loss = classification_loss(logits[:n_labelled], tf.gather(labels, drawn)) + tf.add_n(costs)
            self._update(tape.gradient(loss, self.variables), rates[i], tf.cast(start + i + 1, tf.float32))
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)


@dataclass(frozen=True)
class LadderRecipe:
    """How a ladder is built and trained.

    Attributes:
        units, noise, costs: see `Ladder`.
        batch_size: images a step, of all.
        labelled_batch_size: labelled images a step, or all of them if there are fewer.
        epochs: passes over all images.
        learning_rate: see `dae.training.Trainer.fit`.
        products: see `Ladder`.
    """

    units: tuple[int, ...]
    noise: float
    costs: tuple[float, ...]
    batch_size: int
    labelled_batch_size: int
    epochs: int
    learning_rate: float
    products: str


@dataclass(frozen=True)
class FittedLadder:
    """What a training gives.

    Attributes:
        probabilities: float32 array of shape (n_test, 10).
        history: pairs of step and mean training loss.
        seconds: that the training took, on one core.
    """

    probabilities: np.ndarray
    history: list[tuple[int, float]]
    seconds: float


def train_ladders(replicates: Iterable[Replicate], recipe: LadderRecipe, n_jobs: int) -> Iterator[FittedLadder]:
    """Train a ladder for each replicate in processes of one thread; yields them in order, as they are done.

    Args:
        replicates: `images` are all training images, `labels` those known and `UNKNOWN`; the encoder is not used.
        recipe: the same for all.
        n_jobs: processes. It does not change the results.
    """
    calls = (delayed(_train)(replicate, recipe, number) for number, replicate in enumerate(replicates, start=1))
    return workers(n_jobs)(calls)


def _train(replicate: Replicate, recipe: LadderRecipe, number: int) -> FittedLadder:
    set_up_tensorflow()
    start = time.monotonic()
    images = replicate.images
    n_labelled = int((replicate.labels != UNKNOWN).sum())
    ladder = Ladder(images.shape[1], recipe.units, recipe.noise, recipe.costs, recipe.products)
    steps = math.ceil(len(images) / recipe.batch_size)
    history = LadderTrainer(ladder, min(recipe.labelled_batch_size, n_labelled)).fit(
        images,
        replicate.labels,
        weights=ladder.initial_weights(derive(replicate.seed, "weights")),
        batch_size=recipe.batch_size,
        steps=recipe.epochs * steps,
        learning_rate=recipe.learning_rate,
        seed=replicate.seed,
        log_every=steps,
        on_log=lambda step, loss: print(
            f"ladder {number}: epoch {step // steps}/{recipe.epochs}  loss {loss:.3f}", file=sys.stderr, flush=True
        ),
    )
    ladder.remember(images[:10_000])
    probabilities = tf.nn.softmax(predict(ladder, scale(replicate.test_images))).numpy()
    return FittedLadder(probabilities, history, time.monotonic() - start)
