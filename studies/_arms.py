"""What the studies ladder and pushed share: arms on the label curve's draws, whose outcomes can teach students.

With pseudo-labels (Lee, ICML workshop 2013), a teacher labels all training images, and a student learns from them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from dae import statistics
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from dae.ladder import LadderJob, LadderSettings, train_ladders
from dae.sampling import UNLABELLED
from stages.common.errors import StageError
from stages.common.params import Params
from stages.common.process import n_jobs
from studies._params import Convolutional, Ladder
from studies._study import Study, digest, question

PSEUDO_SHARE = 0.75  # share of pseudo-labels in a student's images: weight 3 to 1 for labels, as in Lee's paper


@dataclass(frozen=True)
class InitialEncoders:
    """The encoders that classifiers start from.

    Attributes:
        key: represents them in a question.
        encoders: function that returns them, `[kernel_1, bias_1, ...]` each; draw i uses encoder i mod their number.
    """

    key: object
    encoders: Callable[[], Sequence[Sequence[np.ndarray]]]


RANDOM = InitialEncoders(None, lambda: [()])


class Arms:
    """Trains arms with a number of labels, and stores the outcome of each training.

    An outcome has the `accuracy` on the test images, a fraction, and the `seconds` of the training on one core. It also
    has the `predicted` class of each training image.

    Args:
        study: has the data and the store.
        settings: of the study ladder, which has the numbers of labels and of label draws.
        n_labels: number of labels; their draws are the first ones of the label curve.
    """

    def __init__(self, study: Study, settings: Ladder, n_labels: int):
        self.study, self.name, self.n_labels = study, f"label curve {n_labels}", n_labels
        self.known = [study.draw(self.name, r, n_labels) for r in range(draws(settings, study.params, n_labels))]

    def classifiers(self, what: str, settings: ClassifierSettings, start: InitialEncoders) -> list[dict]:
        """Train a classifier with the labelled images of each draw; returns their outcomes.

        Args:
            what: the arm, for the log.
            settings: the same for all classifiers.
            start: the encoders that they start from.
        """
        return self._train(what, settings, start, self.known, [self.study.labels[rows] for rows in self.known])

    def students(
        self, what: str, settings: ClassifierSettings, start: InitialEncoders, teachers: Sequence[dict]
    ) -> list[dict]:
        """Train a student for each draw on the labelled images and on all others as its teacher labels them.

        Args:
            what, settings, start: see `classifiers`.
            teachers: for each draw, the outcome of its teacher.
        """
        rows, labels = [], []
        for teacher, own in zip(teachers, self.known, strict=True):
            others = np.setdiff1d(np.arange(len(self.study.labels)), own)
            # labelled images are repeated to keep their share at 1 - PSEUDO_SHARE
            copies = max(1, round(len(others) * (1 - PSEUDO_SHARE) / PSEUDO_SHARE / len(own)))
            rows.append(np.concatenate([np.tile(own, copies), others]))
            taught = np.array(teacher["predicted"], np.uint8)[others]
            labels.append(np.concatenate([np.tile(self.study.labels[own], copies), taught]))
        return self._train(what, settings, start, rows, labels)

    def ladders(self, what: str, settings: LadderSettings) -> list[dict]:
        """Train a ladder for each draw; returns their outcomes. `what` is the arm, for the log."""
        study = self.study

        def job(i: int) -> LadderJob:
            labels = np.full(len(study.labels), UNLABELLED, np.uint8)
            labels[self.known[i]] = study.labels[self.known[i]]
            return LadderJob(study.images, labels, self._seen(), derive(study.params.seed, self.name, i, "ladder"))

        def answers(missing: list[int]) -> Iterator[dict]:
            trained = train_ladders(map(job, missing), settings, min(n_jobs(), len(missing)))
            for found in trained:
                yield outcome(found.probabilities, study.test_labels, found.seconds)

        asked = [
            {"what": f"{what}, {self.n_labels} labels", "rows": digest([rows]), "draw": i, "name": self.name}
            | {"ladder": asdict(settings)}
            for i, rows in enumerate(self.known)
        ]
        return study.cached_all(asked, answers)

    def _seen(self) -> np.ndarray:
        """All images that a trained network classifies, in the order that `outcome` expects."""
        return np.concatenate([self.study.test_images, self.study.images])

    def _train(
        self, what: str, settings: ClassifierSettings, start: InitialEncoders, rows: Sequence, labels: Sequence
    ) -> list[dict]:
        """Train a classifier for each element of `rows`, the rows of its images, which have these labels."""
        study = self.study

        def answers(missing: list[int]) -> Iterator[dict]:
            encoders, seen = start.encoders(), self._seen()
            jobs = (
                ClassifierJob(
                    study.images[rows[i]],
                    labels[i],
                    seen,
                    encoders[i % len(encoders)],
                    derive(study.params.seed, self.name, i, "seed"),
                )
                for i in missing
            )
            begin, processes = time.monotonic(), min(n_jobs(), len(missing))
            trained = list(train_classifiers(((job, settings) for job in jobs), processes))
            seconds = (time.monotonic() - begin) * processes / len(missing)  # mean time of one, on one core
            for found in trained:
                yield outcome(found.probabilities, study.test_labels, seconds)

        words = f"{what}, {self.n_labels} labels"
        asked = [
            question(words, settings, name=self.name, rows=digest([rows[i], labels[i]]), draw=i, start=start.key)
            for i in range(len(rows))
        ]
        return study.cached_all(asked, answers)


def draws(settings: Ladder, params: Params, n_labels: int) -> int:
    """The number of label draws with `n_labels` labels."""
    return settings.replicates if n_labels == params.n_labels else settings.replicates_elsewhere


def counts(settings: Ladder, params: Params) -> list[int]:
    """The numbers of labels; the main pipeline's comes first, as tools/readme.py takes it from the first row."""
    return sorted(settings.n_labels, key=lambda n: (n != params.n_labels, n))


def load_curve(settings: Ladder, params: Params) -> pd.DataFrame:
    """The table that the study label_curve saved.

    Raises:
        StageError: it has fewer label draws than `settings` ask for.
    """
    curve = pd.read_csv("reports/studies/label_curve.csv")
    drawn = curve["n_labels"].value_counts()
    for n_labels in settings.n_labels:
        asked = draws(settings, params, n_labels)
        if asked > drawn.get(n_labels, 0):
            raise StageError(
                f"ladder asks for {asked} replicates with {n_labels} labels; allowed are at most the "
                f"{drawn.get(n_labels, 0)} of label_curve"
            )
    return curve


def ladder_settings(settings: Ladder, costs: Sequence[float], epochs: int, n_classes: int) -> LadderSettings:
    """The settings of a ladder with these denoising costs, epochs and classes."""
    names = ("noise", "batch_size", "labelled_batch_size", "learning_rate", "products")
    values = {name: getattr(settings, name) for name in names}
    return LadderSettings(units=tuple(settings.units), costs=tuple(costs), epochs=epochs, n_classes=n_classes, **values)


def convolutional(settings: Convolutional, n_classes: int) -> ClassifierSettings:
    """The settings of a convolutional student, which sees its images moved a little."""
    changes = {"units": tuple(settings.units), "masking": 0.0, "convolutional": True, "augment": True}
    changes["n_classes"] = n_classes
    return ClassifierSettings(**settings.model_dump() | changes)


def summarise(found: dict[int, dict[str, list[dict]]], confidence: float) -> tuple[pd.DataFrame, list[dict]]:
    """A table with a row for each training, and a list with a row for each arm and number of labels.

    Args:
        found: the outcomes of each arm by number of labels.
        confidence: level of the t intervals.
    """
    tables, rows = [], []
    for n_labels, arms in found.items():
        for arm, outcomes in arms.items():
            table = pd.DataFrame(outcomes)[["accuracy", "seconds"]].astype(float)
            low, high = statistics.t_interval(table["accuracy"].to_numpy(), confidence)
            rows.append(
                {
                    "n_labels": n_labels,
                    "arm": arm,
                    "accuracy": round(table["accuracy"].mean(), 5),
                    "low": round(low, 5),
                    "high": round(high, 5),
                    "minutes": None if table["seconds"].isna().all() else round(table["seconds"].mean() / 60, 1),
                }
            )
            tables.append(table.assign(n_labels=n_labels, arm=arm, replicate=range(1, len(table) + 1)))
    return pd.concat(tables)[["n_labels", "arm", "replicate", "accuracy", "seconds"]], rows


def with_teachers_time(outcomes: list[dict], teachers: list[dict]) -> list[dict]:
    """Outcomes of students whose seconds include their teachers'."""
    pairs = zip(outcomes, teachers, strict=True)
    return [outcome | {"seconds": outcome["seconds"] + teacher["seconds"]} for outcome, teacher in pairs]


def outcome(probabilities: np.ndarray, truth: np.ndarray, seconds: float) -> dict:
    """The outcome of a training that `Arms` stores.

    Args:
        probabilities: of the test images, then of all training images, shape (n, classes).
        truth: labels of the test images.
        seconds: duration of the training.
    """
    predicted, n = probabilities.argmax(axis=1), len(truth)
    return {
        "accuracy": float((predicted[:n] == truth).mean()),
        "seconds": round(seconds, 1),
        "predicted": predicted[n:].tolist(),
    }
