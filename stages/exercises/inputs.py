"""The data that the exercises' autoencoders are trained on and measured with, and their common settings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dae.autoencoders import AutoencoderJob, AutoencoderResult, AutoencoderSettings
from dae.core.seeds import derive
from dae.reconstruction import project_on_principal_components, psnr
from stages.common.params import Params

Jobs = dict[str, tuple[AutoencoderJob, AutoencoderSettings]]
Results = dict[str, AutoencoderResult]
Evidence = tuple[dict, dict[str, np.ndarray]]  # facts and arrays


@dataclass(frozen=True)
class Inputs:
    """The data of all exercises. Images are uint8 of shape (n, pixels), labels uint8 of shape (n,).

    Attributes:
        train, train_labels: the training images that the autoencoders see.
        test, test_labels: the test images.
        labelled, labels: label draws to train probes on, of shapes (draws, n_labels, pixels) and (draws, n_labels).
        seed: for the training of each autoencoder.
        query_seed: for the strange inputs, see `stages.exercises.overcomplete`.
    """

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    labelled: np.ndarray
    labels: np.ndarray
    seed: int
    query_seed: int

    @property
    def examples(self) -> np.ndarray:
        """The first test image of each class."""
        return self.test[[np.flatnonzero(self.test_labels == c)[0] for c in range(10)]]

    @property
    def scaled_examples(self) -> np.ndarray:
        """The examples as float32 in [0, 1]."""
        return self.examples / np.float32(255)

    @property
    def scaled(self) -> np.ndarray:
        """The test images as float32 in [0, 1]."""
        return self.test / np.float32(255)

    def job(self, **changes: np.ndarray) -> AutoencoderJob:
        """A job with the training and the test images; `changes` replace or add attributes of it."""
        return AutoencoderJob(
            **{"train": self.train, "test": self.test, "test_labels": self.test_labels} | changes, seed=self.seed
        )

    def probed(self, queries: np.ndarray) -> AutoencoderJob:
        """A job that also trains probes, and reconstructs the images `queries`."""
        return self.job(labelled=self.labelled, labels=self.labels, queries=queries)

    def pca_psnr(self, components: int) -> float | None:
        """PSNR in dB of the test images reconstructed by PCA; None if there are as many components as pixels."""
        if components >= self.train.shape[1]:
            return None
        images = project_on_principal_components(self.train / np.float32(255), self.scaled, components)
        return decibels(np.square(images - self.scaled).mean())


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


def decibels(error: float) -> float | None:
    """PSNR in dB of a mean squared error, rounded; None if the error is 0."""
    value = psnr(float(error))
    return None if value is None else round(value, 2)


def accuracy(probes: list[float]) -> float:
    """Mean accuracy of probes, a fraction, rounded."""
    return round(float(np.mean(probes)), 4)


def load_seed(params: Params, *names: str) -> int:
    """The seed of the exercises' random stream called `names`."""
    return derive(params.seed, "theory", *names)
