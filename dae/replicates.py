"""One arm of the comparison: the same classifier trained in many replicates, in parallel processes of one thread.

The two arms differ in one argument, the encoder's initial weights.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from dae.seeds import derive


@dataclass(frozen=True)
class Recipe:
    """How every classifier is built and trained, whatever its initial weights.

    Attributes:
        units: widths of the hidden layers.
        dropout: fraction of each hidden layer's units dropped in training.
        masking: fraction of the input's pixels set to 0 in training.
        batch_size, steps, learning_rate: see `dae.training.Trainer.fit`.

    """

    units: tuple[int, ...]
    dropout: float
    masking: float
    batch_size: int
    steps: int
    learning_rate: float


@dataclass(frozen=True)
class Replicate:
    """What one training gives.

    Attributes:
        probabilities: float32 array of shape (n_test, 10).
        history: pairs of step and mean training loss, in nats.
        weights: the trained weights, in the order of the model's `get_weights`.

    """

    probabilities: np.ndarray
    history: list[tuple[int, float]]
    weights: list[np.ndarray]


def workers(n_jobs: int) -> Parallel:
    """Processes of one thread each, kept between calls with the same number; results come in order, when ready."""
    return Parallel(n_jobs=n_jobs, return_as="generator", backend="loky", inner_max_num_threads=1)


def train_replicates(
    images: np.ndarray,
    labels: np.ndarray,
    draws: np.ndarray,
    test_images: np.ndarray,
    recipe: Recipe,
    encoder: list[np.ndarray] | None,
    seeds: list[int],
    n_jobs: int,
) -> Iterator[Replicate]:
    """Train one classifier per draw of labelled images; yields them in order, as they are done.

    Args:
        images: uint8 array of shape (n, pixels), the training set.
        labels: uint8 array of shape (n,); only those that a draw names are used.
        draws: int array of shape (replicates, n_labels), rows of `images`.
        test_images: uint8 array of shape (n_test, pixels).
        encoder: kernels and biases to start the hidden layers from, in turn, or None to start them at random.
        seeds: one for each replicate: of its initial weights, batches, masking and dropout.
        n_jobs: processes, one thread each. It does not change the results.

    """
    return workers(n_jobs)(
        delayed(_train)(images[draw], labels[draw], test_images, recipe, encoder, seed)
        for draw, seed in zip(draws, seeds, strict=True)
    )


def _train(images, labels, test_images, recipe, encoder, seed) -> Replicate:
    from dae.networks import initial_weights
    from dae.training import predict, scale

    trainer = _trainer(images.shape[1], recipe)
    weights = initial_weights(trainer.model, derive(seed, "weights"))
    if encoder is not None:
        weights[: len(encoder)] = encoder
    history = trainer.fit(
        images,
        labels,
        weights=weights,
        batch_size=recipe.batch_size,
        steps=recipe.steps,
        learning_rate=recipe.learning_rate,
        seed=seed,
        log_every=max(1, recipe.steps // 40),
    )
    logits = predict(trainer.model, scale(test_images)).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return Replicate(probabilities, history, trainer.model.get_weights())


@functools.cache
def _trainer(n_pixels: int, recipe: Recipe):
    from dae.networks import build_classifier
    from dae.training import Trainer, set_up_tensorflow

    set_up_tensorflow(threads=1)
    return Trainer(build_classifier(n_pixels, recipe.units, recipe.dropout), "masking", recipe.masking)
