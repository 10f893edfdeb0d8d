"""What the studies cost: the seconds of one unit of each kind, and how many units they ask for."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.contenders.common import images, labels
from benchmarks.harness import Section, Table
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from stages._classifiers import classifier_settings
from stages.common.params import Params, load_params
from studies._params import PATH, StudyParams, load_study_params
from tools import small

TITLE = "The studies, unit by unit"
CORES = 2
Unit = tuple[Callable[[], object], float]  # function that trains it, and how many of them the studies ask for


def measure(quick: bool) -> Section:
    """Train one unit of each kind in this process, on one core."""
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    n, n_test = (1000, 200) if quick else (60_000, 10_000)
    work = Work(*_parameters(quick), images("train", n), labels("train", n), images("test", n_test))
    units = {
        f"tune: a configuration on {work.studies.tune.draws[0]} draws": work.configuration(),
        "noise_curve: a dAE": work.dae(),
        f"label_curve: a classifier with {work.params.n_labels:,} labels": work.classifier(),
        "ladder: an epoch": work.ladder_epoch(gamma=False),
        "ladder: an epoch of the Gamma model": work.ladder_epoch(gamma=True),
        "ladder: a convolutional student": work.student(),
    }
    rows = []
    for name, (train, number) in units.items():
        start = time.perf_counter()
        train()
        seconds = time.perf_counter() - start
        rows.append([name, f"{seconds:.1f}", f"{number:,.0f}", f"{seconds * number / CORES / 3600:.2f}"])
    return [
        "One unit of each kind, trained once on one core, compiling included. Their number follows from "
        "`studies/params.yaml`. The configuration trained here has the middle number of "
        "steps. A classifier with more steps counts as several. The hours are those of "
        f"{CORES} cores at this speed. All else that the studies train is left out.",
        Table(["unit", "seconds", "units", f"hours on {CORES} cores"], rows),
    ]


@dataclass(frozen=True)
class Work:
    """Makes units of the studies.

    Attributes:
        params, studies: the parameters of the main pipeline and of the studies.
        images, labels: of training, uint8 arrays of shape (n, pixels) and (n,).
        test_images: uint8 array of shape (n_test, pixels).
    """

    params: Params
    studies: StudyParams
    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray

    def configuration(self) -> Unit:
        """A training of the study tune, tested on the labelled images of the other label draws."""
        tune, n = self.studies.tune, self.params.n_labels
        steps = round(sum(tune.space.steps) / 2)  # those of a mean configuration
        settings = replace(classifier_settings(self.params, "baseline"), steps=steps)
        others = self.images[n : n * sum(tune.draws)]
        job = ClassifierJob(self.images[:n], self.labels[:n], others, (), seed=1)
        first, *later = tune.draws
        tried = tune.configurations * (first + tune.folds) + sum(tune.near) * first
        tried += sum((1 + n_alive) * draws for n_alive, draws in zip(tune.keep, later, strict=True))
        frozen = 2 * tune.frozen * sum(tune.draws)
        return _classifiers(settings, [job]), 2 * tried + frozen

    def dae(self) -> Unit:
        """A dAE of the study noise_curve, with the corruption of the main pipeline."""
        from dae.denoising import DaeJob, train_daes
        from stages._daes import dae_settings

        curve = self.studies.noise_curve
        job = DaeJob(self.images, seed=1), dae_settings(self.params, epochs=curve.epochs)
        return lambda: train_daes([job]), curve.models * (1 + sum(map(len, curve.levels.values())))

    def classifier(self) -> Unit:
        """A classifier of the study label_curve, with the main pipeline's number of labels and with pre-training."""
        arms = [classifier_settings(self.params, arm) for arm in ("finetune", "baseline")]
        curve, n, settings = self.studies.label_curve, self.params.n_labels, arms[0]
        job = ClassifierJob(self.images[:n], self.labels[:n], self.test_images, (), seed=1)
        steps = [max(arm.steps, curve.min_epochs * n / arm.batch_size) for arm in arms for n in curve.n_labels]
        return _classifiers(settings, [job]), curve.replicates * sum(steps) / settings.steps

    def ladder_epoch(self, gamma: bool) -> Unit:
        """An epoch of a ladder, or of its Gamma model."""
        from dae.ladder import LadderJob, train_ladders
        from dae.sampling import UNLABELLED
        from studies._arms import ladder_settings

        s, n = self.studies.ladder, self.params.n_labels
        costs = [*[0.0] * (len(s.costs) - 1), s.gamma_cost * n] if gamma else s.costs
        settings = ladder_settings(s, costs, epochs=1, n_classes=10)
        known = np.where(np.arange(len(self.labels)) < n, self.labels, UNLABELLED).astype(np.uint8)
        job = LadderJob(self.images, known, self.test_images[:1], seed=1)  # to predict is no part of an epoch
        epochs = sum(self._ladder_draws()) * s.epochs + (0 if gamma else s.replicates * s.fast_epochs)
        return lambda: list(train_ladders([job], settings, n_jobs=1)), epochs

    def student(self) -> Unit:
        """A convolutional student of the studies ladder and pushed; it learns from all images and predicts them too."""
        from studies._arms import convolutional

        settings = convolutional(self.studies.ladder.convolutional, n_classes=10)
        job = ClassifierJob(self.images, self.labels, np.concatenate([self.test_images, self.images]), (), seed=1)
        return _classifiers(settings, [job]), 2 * sum(self._ladder_draws())

    def _ladder_draws(self) -> list[int]:
        """The number of label draws of the study ladder, for each number of labels."""
        from studies._arms import draws

        return [draws(self.studies.ladder, self.params, n) for n in self.studies.ladder.n_labels]


def _classifiers(settings: ClassifierSettings, jobs: list[ClassifierJob]) -> Callable[[], object]:
    return lambda: list(train_classifiers([(job, settings) for job in jobs], n_jobs=1))


def _parameters(quick: bool) -> tuple[Params, StudyParams]:
    """The parameters of the project, or small ones for a quick trial."""
    if not quick:
        return load_params(), load_study_params()
    with tempfile.TemporaryDirectory() as work:
        for name, changes in small.SMALL.items():
            Path(work, name).parent.mkdir(exist_ok=True)
            shutil.copy(name, Path(work, name))
            small.change(Path(work, name), changes)
        return load_params(Path(work, "params.yaml")), load_study_params(Path(work, PATH))
