"""Small autoencoders of several kinds, trained side by side: what the theory exercises are answered with."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from joblib import delayed
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dae.processes import workers
from dae.seeds import derive

N_SAMPLES = 2000  # images drawn from a trained autoencoder
LEVELS = 255  # steps of a code's unit that is kept in one byte


@dataclass(frozen=True)
class Specification:
    """An autoencoder and its training.

    Attributes:
        units: widths of the encoder's layers, the code last; the decoder is its mirror image.
        activation: of the code: `linear`, or `relu` as of the other hidden layers.
        noise: fraction of the input's pixels masked in training.
        tied: whether the decoder's kernels are the encoder's, transposed.
        variational: whether the code is drawn from a normal distribution that is kept near the standard one.
        steps: of training; 0 leaves the initial weights.
        batch_size, learning_rate, seed: see `dae.training.Trainer.fit`.
    """

    units: tuple[int, ...]
    steps: int
    batch_size: int
    learning_rate: float
    seed: int
    activation: str = "linear"
    noise: float = 0.0
    tied: bool = False
    variational: bool = False


@dataclass(frozen=True)
class Data:
    """What an autoencoder is trained on and looked at with; all images are uint8 of shape (n, pixels).

    Attributes:
        train: images to train on.
        test: other images.
        labelled: images of shape (draws, n_labels, pixels), to train linear probes on; may have no draws.
        labels: uint8 array of shape (draws, n_labels).
        test_labels: uint8 array, for the images in `test`.
        queries: further images to reconstruct.
    """

    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    labelled: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0), np.uint8))
    labels: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))
    queries: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.uint8))


@dataclass(frozen=True)
class Fitted:
    """What a training gives.

    Attributes:
        n_parameters: trained numbers.
        train_error: mean squared error on (at most 5,000) images of the training, without noise.
        test_errors: the same of each test image, float32 of shape (n_test,).
        byte_error: mean squared error on the test images when each unit of the code is kept in one byte.
        codes: of the test images, float32 of shape (n_test, code).
        probes: for each draw of labelled images, the test accuracy of a linear classifier of the codes.
        queries: the queries, reconstructed; float32, in [0, 1].
        samples: float32 of shape (N_SAMPLES, pixels), decoded from codes drawn at random: from the standard normal
            distribution if `variational`, else from the normal distribution with each unit's own mean and deviation.
        seconds: that the training took.
    """

    n_parameters: int
    train_error: float
    test_errors: np.ndarray
    byte_error: float
    codes: np.ndarray
    probes: list[float]
    queries: np.ndarray
    samples: np.ndarray
    seconds: float


def fit_autoencoders(jobs: Iterable[tuple[Specification, Data]], n_jobs: int) -> Iterator[Fitted]:
    """Train autoencoders in processes of one thread; yields them in order, as they are done.

    Args:
        jobs: what to train, on what.
        n_jobs: processes. It does not change the results.
    """
    return workers(n_jobs)(delayed(_fit)(specification, data) for specification, data in jobs)


def probe(features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, test_labels: np.ndarray) -> float:
    """Test accuracy of a linear probe (Alain & Bengio, ICLR workshop 2017): how well classes part along lines.

    A ridge classifier on standardised features; its penalty is chosen by leaving out each labelled example in turn.

    Args:
        features: shape (n, features), with `labels` of shape (n,); test likewise.
    """
    classifier = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=10.0 ** np.arange(-1, 6)))
    return float(classifier.fit(features, labels).score(test_features, test_labels))


def _fit(specification: Specification, data: Data) -> Fitted:
    import time

    from dae.backend import tf
    from dae.networks import initial_weights
    from dae.training import predict, scale, set_up_tensorflow

    set_up_tensorflow()
    tf.get_logger().setLevel("ERROR")  # it warns of many compilations, which differ as they must
    s = specification
    start = time.perf_counter()
    trainer, encoder, decoder = _trainer(data.train.shape[1], s)
    model = trainer.model
    weights = initial_weights(model, derive(s.seed, "weights"))
    if s.steps:
        settings = {"batch_size": s.batch_size, "steps": s.steps, "learning_rate": s.learning_rate}
        trainer.fit(data.train, None, weights=weights, **settings, seed=s.seed, log_every=s.steps)
    else:
        model.set_weights(weights)
    seconds = time.perf_counter() - start

    def encode(images: np.ndarray) -> np.ndarray:
        return predict(encoder, scale(images))[:, : s.units[-1]]

    def decode(codes: np.ndarray) -> np.ndarray:
        return tf.sigmoid(predict(decoder, tf.constant(codes))).numpy()

    def errors(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        return np.square(scale(images).numpy() - reconstructions).mean(axis=1)

    codes = encode(data.test)
    low, high = codes.min(axis=0), codes.max(axis=0)
    step = np.maximum((high - low) / LEVELS, np.float32(1e-12))
    in_bytes = low + np.round((codes - low) / step) * step
    normal = np.random.default_rng(derive(s.seed, "samples")).standard_normal((N_SAMPLES, s.units[-1]), np.float32)
    drawn = normal if s.variational else codes.mean(axis=0) + codes.std(axis=0) * normal
    train = data.train[:5000]
    return Fitted(
        n_parameters=model.count_params(),
        train_error=float(errors(train, decode(encode(train))).mean()),
        test_errors=errors(data.test, decode(codes)),
        byte_error=float(errors(data.test, decode(in_bytes)).mean()),
        codes=codes,
        probes=[
            probe(encode(images), labels, codes, data.test_labels)
            for images, labels in zip(data.labelled, data.labels, strict=True)
        ],
        queries=decode(encode(data.queries)) if len(data.queries) else np.empty((0, 0), np.float32),
        samples=decode(drawn.astype(np.float32)),
        seconds=seconds,
    )


@functools.lru_cache(maxsize=2)
def _trainer(n_pixels: int, specification: Specification):
    """The trainer, whose model is the autoencoder, and the models of its two halves; compiling costs a second."""
    from dae.training import Trainer

    model, encoder, decoder = _build(n_pixels, specification)
    if specification.variational:
        return _variational_trainer(model, encoder, decoder), encoder, decoder
    return Trainer(model, "masking", specification.noise), encoder, decoder


def _build(n_pixels: int, specification: Specification):
    """The autoencoder, and the models of its two halves, on the same layers."""
    from dae.backend import keras
    from dae.networks import build_autoencoder

    units = list(specification.units)
    if specification.variational:
        units[-1] *= 2  # means, then logarithms of the variances
    model = build_autoencoder(n_pixels, units, specification.tied)
    code = model.get_layer(f"encoder_{len(units)}")
    code.activation = keras.activations.get(specification.activation)
    if specification.variational:
        return _build_variational(model.input, code.output, n_pixels, units)
    x = half = keras.Input((units[-1],))
    for depth in range(len(units), 0, -1):
        x = model.get_layer(f"decoder_{depth}")(x)
    return model, keras.Model(model.input, code.output), keras.Model(half, x)


def _build_variational(inputs, code, n_pixels: int, units: list[int]):
    from dae.backend import keras

    x = half = keras.Input((units[-1] // 2,))
    for width in units[-2::-1]:
        x = keras.layers.Dense(width, activation="relu")(x)
    decoder = keras.Model(half, keras.layers.Dense(n_pixels)(x))
    model = keras.Model(inputs, decoder(code[:, : units[-1] // 2]))
    return model, keras.Model(inputs, code), decoder


def _variational_trainer(model, encoder, decoder):
    """A trainer with the loss of the variational autoencoder (Kingma & Welling, ICLR 2014, section 3)."""
    from dae.backend import tf
    from dae.training import Trainer, reconstruction_loss, scale

    class VariationalTrainer(Trainer):
        @tf.function(reduce_retracing=True)
        def _run(self, images, labels, order, rates, start, noise_seed):
            total = 0.0
            for i in tf.range(tf.shape(order)[0]):
                step = start + i
                clean = scale(tf.gather(images, order[i]))
                with tf.GradientTape() as tape:
                    mean, log_variance = tf.split(encoder(clean), 2, axis=1)
                    normal = tf.random.stateless_normal(tf.shape(mean), tf.stack([noise_seed, step]))
                    logits = decoder(mean + tf.exp(log_variance / 2) * normal)
                    divergence = 0.5 * tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1 - log_variance, axis=1)
                    loss = reconstruction_loss(logits, clean) + tf.reduce_mean(divergence) / clean.shape[1]
                self._update(tape.gradient(loss, self.variables), rates[i], tf.cast(step + 1, tf.float32))
                total += loss
            return total / tf.cast(tf.shape(order)[0], tf.float32)

    return VariationalTrainer(model, "masking", 0.0)
