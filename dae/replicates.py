"""The same classifier trained in many replicates, in parallel processes of one thread.

The two arms of the comparison differ in one thing: whether a replicate has an encoder to start from.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed

from dae.processes import workers
from dae.seeds import derive


@dataclass(frozen=True)
class Recipe:
    """How a classifier is built and trained, whatever its initial weights.

    Attributes:
        units: widths of the hidden layers.
        dropout: fraction of each hidden layer's units dropped in training.
        masking: fraction of the input's pixels set to 0 in training.
        batch_size, steps, learning_rate: see `dae.training.Trainer.fit`.
        frozen: how many of the hidden layers, from the first, keep their initial weights.
        convolutional: whether all hidden layers but the last are convolutions.
        augment: whether the images are moved a little in training; see `dae.corruption.random_affine`.
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


@dataclass(frozen=True)
class Replicate:
    """One training to be done.

    Attributes:
        images: uint8 array of shape (n_labels, pixels), the labelled images.
        labels: uint8 array of shape (n_labels,).
        test_images: uint8 array of shape (n_test, pixels).
        encoder: kernels and biases to start the first hidden layers from, in turn; none to start all at random.
        seed: of the initial weights, the batches, the masking and the dropout.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    encoder: Sequence[np.ndarray]
    seed: int


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Attributes:
        probabilities: float32 array of shape (n_test, 10).
        history: pairs of step and mean training loss, in nats.
        weights: the trained weights, in the order of the model's `get_weights`.
    """

    probabilities: np.ndarray
    history: list[tuple[int, float]]
    weights: list[np.ndarray]


def train_replicates(replicates: Iterable[Replicate], recipe: Recipe, n_jobs: int) -> Iterator[Trained]:
    """Train a classifier for each replicate; yields them in order, as they are done.

    Args:
        replicates: what to train on, and from.
        recipe: the same for all.
        n_jobs: processes, one thread each. It does not change the results.
    """
    return workers(n_jobs)(delayed(_train)(replicate, recipe) for replicate in replicates)


def _train(replicate: Replicate, recipe: Recipe) -> Trained:
    from dae.networks import initial_weights
    from dae.training import predict, scale

    trainer = _trainer(replicate.images.shape[1], recipe)
    weights = initial_weights(trainer.model, derive(replicate.seed, "weights"))
    weights[: len(replicate.encoder)] = replicate.encoder
    history = trainer.fit(
        replicate.images,
        replicate.labels,
        weights=weights,
        batch_size=recipe.batch_size,
        steps=recipe.steps,
        learning_rate=recipe.learning_rate,
        seed=replicate.seed,
        log_every=max(1, recipe.steps // 40),
    )
    logits = predict(trainer.model, scale(replicate.test_images)).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return Trained(probabilities, history, trainer.model.get_weights())


@functools.lru_cache(maxsize=4)
def _trainer(n_pixels: int, recipe: Recipe):
    from dae.networks import build_classifier, build_convolutional_classifier
    from dae.training import Trainer, set_up_tensorflow

    set_up_tensorflow()
    if recipe.convolutional:
        classifier = build_convolutional_classifier(recipe.units, recipe.dropout)
    else:
        classifier = build_classifier(n_pixels, recipe.units, recipe.dropout)
    return Trainer(classifier, "masking", recipe.masking, frozen=2 * recipe.frozen, augment=recipe.augment)
