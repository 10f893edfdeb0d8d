"""The data that the exercises' autoencoders are trained on and measured with, and their common settings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from dae.autoencoders import SEEN, AutoencoderJob, AutoencoderResult, AutoencoderSettings
from dae.codes import linear_probe, neighbours_probe
from dae.core.seeds import derive
from dae.reconstruction import psnr
from dae.sampling import UNLABELLED, examples
from stages.common.params import Params

Jobs = dict[str, tuple[AutoencoderJob, AutoencoderSettings]]
Results = dict[str, AutoencoderResult]
Evidence = tuple[dict, dict[str, np.ndarray]]  # facts and arrays
PROBES = {"linear": linear_probe, "neighbours": neighbours_probe}
LEAKY = "leaky_relu"  # activation of codes of all widths that are compared; of few ReLU units all may be dead
QUERIES = 100  # test images in each kind of queries, at most


@dataclass(frozen=True)
class Inputs:
    """The data of all exercises. Images are uint8 of shape (n, pixels), labels uint8 of shape (n,).

    Attributes:
        train, train_labels: the training images that the autoencoders see; of some the label may be `UNLABELLED`.
        many: training images for the autoencoders of the tasks that need much training.
        test, test_labels: the test images.
        labelled, labels: label draws to train probes on, of shapes (draws, n_labels, pixels) and (draws, n_labels).
        seeds: one for each training of a network that is trained several times; others have the first.
        query_seed: for the queries.
        noise: fraction of the pixels masked, for the networks that denoise, and in the queries.
    """

    train: np.ndarray
    train_labels: np.ndarray
    many: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    labelled: np.ndarray
    labels: np.ndarray
    seeds: tuple[int, ...]
    query_seed: int
    noise: float

    @property
    def n_pixels(self) -> int:
        """The number of pixels of an image."""
        return self.train.shape[1]

    @property
    def known(self) -> np.ndarray:
        """Which training images have a label: bool of shape (n,)."""
        return self.train_labels != UNLABELLED

    @cached_property
    def scaled(self) -> np.ndarray:
        """The test images as float32 in [0, 1]."""
        return self.test / np.float32(255)

    @cached_property
    def queries(self) -> dict[str, np.ndarray]:
        """Four kinds of at most `QUERIES` images to reconstruct: test images, the first ten of them of as many classes
        as there are; the same masked; the same turned by 180 degrees; and pure noise. Uint8, shape (n, pixels)."""
        rng, first = np.random.default_rng(self.query_seed), examples(self.test_labels, 10)
        images = self.test[[*first, *range(min(QUERIES - len(first), len(self.test)))]]
        noise = rng.integers(0, 256, images.shape, np.uint8)
        masked = np.where(rng.random(images.shape) < self.noise, np.uint8(0), images)
        return {"plain": images, "masked": masked, "upside_down": images[:, ::-1], "noise": noise}

    def queries_for(self, noise: float) -> np.ndarray:
        """All queries in a row; masked ones as bright as a network is used to that was trained with this noise."""
        bright = 1 - noise if 0 < noise < 1 else 1
        return np.concatenate([images / (bright if kind == "masked" else 1) for kind, images in self.queries.items()])

    def split(self, reconstructed: np.ndarray) -> dict[str, np.ndarray]:
        """What became of each kind of queries."""
        return dict(zip(self.queries, np.split(reconstructed, len(self.queries)), strict=True))

    @cached_property
    def pca(self) -> PCA:
        """All principal components of the training images."""
        return PCA(svd_solver="covariance_eigh").fit(self.train / np.float32(255))

    def pca_codes(self, images: np.ndarray, components: int) -> np.ndarray:
        """Codes of uint8 images by the first principal components, float32 of shape (n, components)."""
        return (images / np.float32(255) - self.pca.mean_) @ self.pca.components_[:components].T

    def pca_images(self, images: np.ndarray, components: int) -> np.ndarray:
        """Uint8 images after such a code, float32 of shape (n, pixels) in [0, 1]."""
        decoded = self.pca_codes(images, components) @ self.pca.components_[:components] + self.pca.mean_
        return np.clip(decoded, 0, 1)

    def measured_pca(self, components: int) -> dict[str, dict[str, float]]:
        """What `measured` tells of autoencoders, of a code of principal components."""
        errors = {
            name: np.square(self.pca_images(images, components) - images / np.float32(255)).mean()
            for name, images in (("train", self.train[:SEEN]), ("test", self.test))
        }
        probes = self.probe(lambda images: self.pca_codes(images, components))
        return summary(errors={name: [error] for name, error in errors.items()}, probes=probes)

    def job(self, **changes: Any) -> AutoencoderJob:
        """A job with the training and the test images; `changes` replace or add attributes of it."""
        usual: dict[str, Any] = {"train": self.train, "test": self.test, "test_labels": self.test_labels}
        return AutoencoderJob(**usual | {"seed": self.seeds[0]} | changes)

    def probed(self, **changes: Any) -> AutoencoderJob:
        """A job that also trains probes."""
        return self.job(labelled=self.labelled, labels=self.labels, **changes)

    def probe(self, encode: Callable[[np.ndarray], np.ndarray]) -> dict[str, list[float]]:
        """Test accuracies of probes of the codes that a function makes of uint8 images; one for each label draw."""
        test_codes = encode(self.test)
        draws = [
            (encode(images), labels, test_codes, self.test_labels)
            for images, labels in zip(self.labelled, self.labels, strict=True)
        ]
        return {name: [probe(*draw) for draw in draws] for name, probe in PROBES.items()}

    def repeated(self, name: str, job: AutoencoderJob, settings: AutoencoderSettings) -> Jobs:
        """The job with each of the seeds."""
        return {f"{name}, seed {n}": (replace(job, seed=seed), settings) for n, seed in enumerate(self.seeds, start=1)}

    def repeats(self, name: str, results: Results) -> list[AutoencoderResult]:
        """The results of `repeated`."""
        return [results[f"{name}, seed {n}"] for n in range(1, len(self.seeds) + 1)]


def settings(params: Params, units: tuple[int, ...], **changes: Any) -> AutoencoderSettings:
    """The settings of an autoencoder with these units, from params.yaml; `changes` replace or add attributes."""
    how = params.theory
    return AutoencoderSettings(
        **{
            "units": units,
            "steps": how.epochs * -(-how.images // how.batch_size),
            "batch_size": how.batch_size,
            "learning_rate": how.learning_rate,
        }
        | changes
    )


def long(params: Params, units: tuple[int, ...]) -> AutoencoderSettings:
    """The settings of an autoencoder for the tasks that need much training, on `Inputs.many`."""
    how = params.theory.tasks
    return settings(params, units, steps=how.epochs * -(-how.images // params.theory.batch_size))


def decibels(error: float) -> float | None:
    """PSNR in dB of a mean squared error, rounded; None if the error is 0."""
    value = psnr(float(error))
    return None if value is None else round(value, 3)


def spread(values: Iterable[float], digits: int = 4) -> dict[str, float]:
    """Mean, lowest and highest of several values, rounded."""
    found = list(values)
    return {name: round(float(of(found)), digits) for name, of in (("mean", np.mean), ("low", min), ("high", max))}


def measured(results: Sequence[AutoencoderResult]) -> dict[str, dict[str, float]]:
    """The `summary` of a network's trainings."""
    errors = {"train": [r.train_error for r in results], "test": [float(r.test_errors.mean()) for r in results]}
    return summary(errors, {name: [accuracy for r in results for accuracy in getattr(r, name)] for name in PROBES})


def summary(errors: dict[str, list[float]], probes: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """The spread of the PSNR in dB of `train` and of `test` images, and of the accuracy of each probe there is.

    Args:
        errors: mean squared errors by the name of the images.
        probes: accuracies, fractions, by the name of the probe.
    """
    decibels_of = {name: spread([psnr(error) or np.inf for error in found], 3) for name, found in errors.items()}
    return decibels_of | {name: spread(found) for name, found in probes.items() if found}


def load_seed(params: Params, *names: str | int) -> int:
    """The seed of the exercises' random stream called `names`."""
    return derive(params.seed, "theory", *names)
