"""Ladder networks and pseudo-labels, compared with pre-training, on the label curve's draws: reports/studies/ladder.*.

Both methods learn from labelled and unlabelled images together. The ladder network (`dae.ladder`) is also trained as
its cheaper Gamma model. With pseudo-labels (Lee, ICML workshop 2013), a teacher labels all training images, and a
student learns from those of which the teacher is sure enough. The teacher is the pre-trained classifier or the ladder.
The student is a pre-trained classifier, or a convolutional network that sees its images moved a little. The arms
`pushed` and `pushed_moved` are pre-training with larger networks and more training, without and with moved images.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from dae import statistics
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers
from dae.core.seeds import derive
from dae.ladder import UNKNOWN, LadderJob, LadderSettings, train_ladders
from reporting.ladder import figures
from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages._encoders import load_encoders
from stages._figures import save_figure
from stages.common.errors import StageError
from stages.common.files import save_json, save_table
from stages.common.params import Params
from stages.common.process import n_jobs
from studies._params import FOLDS, StudyParams, run_study
from studies._study import Study, digest, question

PSEUDO_SHARE = 0.75  # share of pseudo-labels in a student's images: weight 3 to 1 for labels, as in Lee's paper
TEACHERS = {"pseudo": "with", "pseudo_conv": "with", "ladder_pseudo": "ladder", "ladder_conv": "ladder"}
EVERYWHERE = ("with", "ladder", "ladder_gamma", *TEACHERS, "pushed", "pushed_moved")  # arms with every number of labels


def main(params: Params, study_params: StudyParams) -> None:
    """Choose the threshold, train all arms at each number of labels, and save accuracies, times and the figure."""
    arms = Arms(params, study_params)
    curve = pd.read_csv("reports/studies/label_curve.csv")
    check(arms, curve)
    threshold, choice = arms.choose_threshold()
    tables, rows = [], []
    # the main pipeline's number of labels comes first: tools/readme.py takes it from the first row
    for n_labels in sorted(arms.settings.n_labels, key=lambda n: (n != params.n_labels, n)):
        without = curve[curve["n_labels"] == n_labels].head(arms.replicates(n_labels))["without"]
        found = {"without": pd.DataFrame({"accuracy": without, "seconds": np.nan})}
        for arm, answers in arms.train(n_labels, threshold).items():
            found[arm] = pd.DataFrame(answers)[["accuracy", "seconds"]]
            if arm in TEACHERS:
                found[arm]["seconds"] += found[TEACHERS[arm]]["seconds"]
        for arm, table in found.items():
            low, high = statistics.t_interval(table["accuracy"].to_numpy(), params.evaluate.confidence)
            rows.append(
                {
                    "n_labels": n_labels,
                    "arm": arm,
                    "accuracy": round(table["accuracy"].mean(), 5),
                    "low": round(low, 5),
                    "high": round(high, 5),
                    "minutes": None if arm == "without" else round(table["seconds"].mean() / 60, 1),
                }
            )
            tables.append(table.assign(n_labels=n_labels, arm=arm, replicate=range(1, len(table) + 1)))
    table = pd.concat(tables)
    save_table("reports/studies/ladder.csv", table[["n_labels", "arm", "replicate", "accuracy", "seconds"]])
    save_json("reports/studies/ladder.json", {"threshold": threshold, "choice": choice, "rows": rows})
    plain = curve.melt(["n_labels", "replicate"], ["without", "with"], "arm", "accuracy")
    shown = pd.concat([plain, table[~table["arm"].isin(["without", "with"])]])
    save_figure("reports/studies/figures/ladder/ladder", figures.ladder, shown)


def check(arms: "Arms", curve: pd.DataFrame) -> None:
    """Raise StageError if `curve`, the table that the study label_curve saved, has too few replicates."""
    s, drawn = arms.settings, curve["n_labels"].value_counts()
    for n_labels in s.n_labels:
        asked = arms.replicates(n_labels)
        if asked > drawn.get(n_labels, 0):
            raise StageError(
                f"ladder asks for {asked} replicates with {n_labels} labels; allowed are at most the "
                f"{drawn.get(n_labels, 0)} of label_curve"
            )


@dataclass(frozen=True)
class InitialEncoders:
    """The encoders that classifiers start from.

    Attributes:
        key: represents them in a question.
        encoders: function that returns them, `[kernel_1, bias_1, ...]` each; draw i uses encoder i mod their number.
    """

    key: object
    encoders: Callable[[], Sequence[Sequence[np.ndarray]]]


class Arms:
    """Trains the arms, and stores the outcome of each training.

    An outcome has the `accuracy` on held-out images, a fraction, and the `seconds` of the training on one core. It also
    has, for each training image, the `predicted` class and the probability of that class in whole `percent`.
    """

    def __init__(self, params: Params, study_params: StudyParams):
        self.params, self.settings, self.base = params, study_params.ladder, classifier_settings(params, "finetune")
        s, p = self.settings, self.settings.pushed
        trainings = len(EVERYWHERE) * sum(map(self.replicates, s.n_labels)) + s.replicates  # those of the fast ladder
        trainings += (1 + len(s.thresholds)) * FOLDS * s.validation_draws
        self.study = study = Study(params, trainings, "studies.ladder")
        encoders = load_encoders(params.pretrain.models)
        self.random, self.pretrained = (
            InitialEncoders(None, lambda: [()]),
            InitialEncoders(list(map(digest, encoders)), lambda: encoders),
        )
        how = {"units": tuple(p.units), "epochs": p.epochs, "corruption": params.corruption, "noise": p.noise}
        # pre-trained only if a classifier needs it, and once for all numbers of labels
        self.pushed_start = InitialEncoders(
            [how, params.pretrain.model_dump()],
            cache(lambda: [study.pretrain("pushed", [dae_settings(params, **how)], test=False)[0][0]]),
        )
        self.pushed = ClassifierSettings(**p.model_dump(exclude={"noise", "epochs"}) | {"units": tuple(p.units)})
        self.student = replace(self.base, **s.student.model_dump())
        conv = s.convolutional.model_dump() | {"units": tuple(s.convolutional.units)}
        self.convolutional = ClassifierSettings(**conv, masking=0.0, convolutional=True, augment=True)

    def replicates(self, n_labels: int) -> int:
        """The number of label draws with `n_labels` labels."""
        s = self.settings
        return s.replicates if n_labels == self.params.n_labels else s.replicates_elsewhere

    def train(self, n_labels: int, threshold: int) -> dict[str, list[dict]]:
        """Train all arms with `n_labels` labels; returns the outcomes of each arm, one for each label draw.

        Students learn from pseudo-labels of which their teacher is at least `threshold` percent sure.
        """
        s, study, name, words = self.settings, self.study, f"label curve {n_labels}", f"{n_labels} labels"
        known = [study.draw(name, r, n_labels) for r in range(self.replicates(n_labels))]
        test = [(study.test_images, study.test_labels)] * len(known)
        labels = [study.labels[rows] for rows in known]
        given, found = (known, labels, test), {}
        found["with"] = self.train_classifier_arm(f"with, {words}", name, self.base, self.pretrained, *given)
        if n_labels == self.params.n_labels:
            found["ladder_fast"] = self.train_ladder_arm("ladder", name, known, s.costs, s.fast_epochs, test)
        found["ladder"] = self.train_ladder_arm("ladder", name, known, s.costs, s.epochs, test)
        gamma = [0.0] * (len(s.costs) - 1) + [s.gamma_cost * n_labels]
        found["ladder_gamma"] = self.train_ladder_arm("Gamma model", name, known, gamma, s.epochs, test)
        students = {"pseudo": (self.student, self.pretrained), "conv": (self.convolutional, self.random)}
        for arm, teacher in TEACHERS.items():
            settings, start = students[arm.split("_")[-1]]
            what = f"{arm}: student of {teacher}, {words}"
            found[arm] = self.train_students(what, name, settings, start, found[teacher], threshold, known, test)
        for arm, settings in (("pushed", self.pushed), ("pushed_moved", replace(self.pushed, augment=True))):
            found[arm] = self.train_classifier_arm(f"{arm}, {words}", name, settings, self.pushed_start, *given)
        return found

    def choose_threshold(self) -> tuple[int, list[dict]]:
        """Choose the least confidence of a teacher, in percent, by cross-validation on label draws that no arm gets.

        Returns:
            The threshold, and for each threshold the mean accuracy, on held-out labelled images, of pre-trained
            students of pre-trained classifiers.
        """
        s, study, name = self.settings, self.study, "threshold"
        known, held_out = [], []
        for draw in range(s.validation_draws):
            rows = study.draw(name, draw, self.params.n_labels)
            splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=derive(self.params.seed, name, draw))
            for train, out in splitter.split(rows, study.labels[rows]):
                known.append(rows[train])
                held_out.append((study.images[rows[out]], study.labels[rows[out]]))
        labels = [study.labels[rows] for rows in known]
        what = "teachers that choose the threshold"
        teachers = self.train_classifier_arm(what, name, self.base, self.pretrained, known, labels, held_out)
        choice = []
        for threshold in sorted(s.thresholds):
            what = f"students, {threshold} % sure"
            found = self.train_students(what, name, self.student, self.pretrained, teachers, threshold, known, held_out)
            choice.append({"threshold": threshold, "accuracy": round(np.mean([f["accuracy"] for f in found]), 5)})
        return max(choice, key=lambda row: row["accuracy"])["threshold"], choice

    def train_classifier_arm(
        self,
        what: str,
        name: str,
        settings: ClassifierSettings,
        start: InitialEncoders,
        rows: Sequence,
        labels: Sequence,
        held_out: Sequence,
    ) -> list[dict]:
        """Train a classifier for each element of `rows`; returns their outcomes.

        Args:
            what: description for the log.
            name: of the random streams.
            settings: the same for all classifiers.
            start: the encoders that they start from.
            rows: for each classifier, the rows of the images to train on; a row may occur more than once.
            labels: for each classifier, the labels of these images.
            held_out: for each classifier, images and labels to test on.
        """
        study = self.study

        def answers(missing: list[int]) -> Iterator[dict]:
            encoders = start.encoders()
            jobs = (
                ClassifierJob(
                    study.images[rows[i]],
                    labels[i],
                    np.concatenate([held_out[i][0], study.images]),
                    encoders[i % len(encoders)],
                    derive(self.params.seed, name, i, "seed"),
                )
                for i in missing
            )
            begin, processes = time.monotonic(), min(n_jobs(), len(missing))
            trained = list(train_classifiers(((job, settings) for job in jobs), processes))
            seconds = (time.monotonic() - begin) * processes / len(missing)  # mean time of one, on one core
            for i, found in zip(missing, trained, strict=True):
                yield outcome(found.probabilities, held_out[i][1], seconds)

        asked = [
            question(what, settings, name=name, rows=digest([rows[i], labels[i]]), draw=i, start=start.key)
            for i in range(len(rows))
        ]
        return study.cached_all(asked, answers)

    def train_students(
        self,
        what: str,
        name: str,
        settings: ClassifierSettings,
        start: InitialEncoders,
        teachers: list[dict],
        threshold: int,
        known: Sequence,
        held_out: Sequence,
    ) -> list[dict]:
        """Train students on labelled images and on those of which their teachers are sure; returns their outcomes.

        Args:
            what, name, settings, start, held_out: see `train_classifier_arm`.
            teachers: for each student, the outcome of its teacher.
            threshold: least confidence of a teacher, in percent.
            known: for each student, the rows of the labelled images.
        """
        rows, labels = [], []
        for teacher, own in zip(teachers, known, strict=True):
            sure = np.setdiff1d(np.flatnonzero(np.array(teacher["percent"]) >= threshold), own)
            # labelled images are repeated to keep their share at 1 - PSEUDO_SHARE
            copies = max(1, round(len(sure) * (1 - PSEUDO_SHARE) / PSEUDO_SHARE / len(own)))
            rows.append(np.concatenate([np.tile(own, copies), sure]))
            taught = np.array(teacher["predicted"], np.uint8)[sure]
            labels.append(np.concatenate([np.tile(self.study.labels[own], copies), taught]))
        return self.train_classifier_arm(what, name, settings, start, rows, labels, held_out)

    def train_ladder_arm(
        self, what: str, name: str, known: Sequence, costs: Sequence[float], epochs: int, held_out: Sequence
    ) -> list[dict]:
        """Train a ladder for each label draw; returns their outcomes.

        Args:
            what, name, held_out: see `train_classifier_arm`.
            known: for each ladder, the rows of the labelled images.
            costs: see `dae.ladder.Ladder`.
            epochs: passes over all images.
        """
        s, study = self.settings, self.study
        settings = LadderSettings(
            units=tuple(s.units),
            noise=s.noise,
            costs=tuple(costs),
            batch_size=s.batch_size,
            labelled_batch_size=s.labelled_batch_size,
            epochs=epochs,
            learning_rate=s.learning_rate,
            products=s.products,
        )

        def answers(missing: list[int]) -> Iterator[dict]:
            def job(i: int) -> LadderJob:
                labels = np.full(len(study.labels), UNKNOWN, np.uint8)
                labels[known[i]] = study.labels[known[i]]
                images = np.concatenate([held_out[i][0], study.images])  # in the order that `outcome` expects
                return LadderJob(study.images, labels, images, derive(self.params.seed, name, i, "ladder"))

            trained = train_ladders(map(job, missing), settings, min(n_jobs(), len(missing)))
            for i, found in zip(missing, trained, strict=True):
                yield outcome(found.probabilities, held_out[i][1], found.seconds)

        shared = {"ladder": asdict(settings), "name": name}
        asked = [
            {"what": f"{what}, {epochs} epochs, {len(rows)} labels", "rows": digest([rows]), "draw": i} | shared
            for i, rows in enumerate(known)
        ]
        return study.cached_all(asked, answers)


def outcome(probabilities: np.ndarray, held_out: np.ndarray, seconds: float) -> dict:
    """The outcome of a training that `Arms` stores.

    Args:
        probabilities: of the held-out images, then of all training images, shape (n, classes).
        held_out: labels of the held-out images.
        seconds: duration of the training.
    """
    predicted = probabilities.argmax(axis=1)
    n = len(held_out)
    return {
        "accuracy": float((predicted[:n] == held_out).mean()),
        "seconds": round(seconds, 1),
        "predicted": predicted[n:].tolist(),
        "percent": np.floor(100 * probabilities[n:].max(axis=1)).astype(int).tolist(),
    }


if __name__ == "__main__":
    run_study(main)
