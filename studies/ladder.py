"""What the denoising idea reaches beyond plain pre-training, on the label curve's draws: reports/studies/ladder.*.

Two ways to learn from labelled and unlabelled images together: the ladder network (`dae.ladder`), also as its cheaper
Gamma model, and pseudo-labels (Lee, ICML workshop 2013): a teacher labels all training images, and a student learns
from those of which the teacher is sure enough. The teacher is the pre-trained classifier or the ladder; the student a
pre-trained classifier, or a convolutional network that sees its images moved a little. Beside them stands pre-training
pushed as far as it goes, without and with moved images.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from dae import figures, statistics
from dae.ladder import UNKNOWN, LadderRecipe, train_ladders
from dae.replicates import Recipe, Replicate, train_replicates
from dae.seeds import derive
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import StageError, load_encoders, n_jobs, save_figure, save_json, save_table
from studies._params import FOLDS, StudyParams
from studies._run import run_study
from studies._study import Study, digest, question

PSEUDO_SHARE = 0.75  # of a student's images: weight 3 for the pseudo-labels, 1 for the labels, as in Lee's paper
TEACHERS = {"pseudo": "with", "pseudo_conv": "with", "ladder_pseudo": "ladder", "ladder_conv": "ladder"}


def main(params: Params, study_params: StudyParams) -> None:
    arms = Arms(params, study_params)
    curve = pd.read_csv("reports/studies/label_curve.csv")
    check(arms, curve)
    threshold, choice = arms.choose_threshold()
    tables, rows = [], []
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
    """Raise StageError where the label curve, as it was drawn, has too few replicates."""
    s, drawn = arms.settings, curve["n_labels"].value_counts()
    for n_labels in s.n_labels:
        asked = arms.replicates(n_labels)
        if asked > drawn.get(n_labels, 0):
            raise StageError(
                f"ladder asks for {asked} replicates with {n_labels} labels; allowed are at most the "
                f"{drawn.get(n_labels, 0)} of label_curve"
            )


@dataclass(frozen=True)
class Start:
    """What classifiers start from.

    Attributes:
        key: that stands for it in a question.
        encoders: gives kernels and biases in turn, of each encoder, which the draws take in turn.
    """

    key: object
    encoders: Callable[[], list[Sequence[np.ndarray]]]


class Arms:
    """Trains the arms, and keeps what each finds for each draw of labelled images.

    That is: the `accuracy` on images held out, the `seconds` that the training took on one core, and, of all training
    images, the classes `predicted`, and how sure that is, in whole `percent`.
    """

    def __init__(self, params: Params, study_params: StudyParams):
        self.params, self.settings, self.base = params, study_params.ladder, recipe_of(params)
        s, p = self.settings, self.settings.pushed
        trainings = 9 * sum(map(self.replicates, s.n_labels)) + s.replicates
        trainings += (1 + len(s.thresholds)) * FOLDS * s.validation_draws
        self.study = study = Study(params, trainings, "studies.ladder")
        encoders = load_encoders(params.pretrain.models)
        self.random, self.pretrained = Start(None, lambda: [()]), Start(list(map(digest, encoders)), lambda: encoders)
        how = {"epochs": p.epochs, "corruption": params.corruption, "noise": p.noise, "tied": params.pretrain.tied}
        self.pushed_start = Start(
            [how, params.pretrain.model_dump()], cache(lambda: [study.pretrain("pushed", p.units, **how)[0]])
        )
        self.pushed = Recipe(**p.model_dump(exclude={"noise", "epochs"}) | {"units": tuple(p.units)})
        self.student = replace(self.base, **s.student.model_dump())
        conv = s.convolutional.model_dump() | {"units": tuple(s.convolutional.units)}
        self.convolutional = Recipe(**conv, masking=0.0, convolutional=True, augment=True)

    def replicates(self, n_labels: int) -> int:
        """How many draws of so many labels."""
        s = self.settings
        return s.replicates if n_labels == self.params.n_labels else s.replicates_elsewhere

    def train(self, n_labels: int, threshold: int) -> dict[str, list[dict]]:
        """What each arm finds for each draw."""
        s, study, name, words = self.settings, self.study, f"label curve {n_labels}", f"{n_labels} labels"
        known = [study.draw(name, r, n_labels) for r in range(self.replicates(n_labels))]
        test = [(study.test_images, study.test_labels)] * len(known)
        labels = [study.labels[rows] for rows in known]
        given, found = (known, labels, test), {}
        found["with"] = self.classify(f"with, {words}", name, self.base, self.pretrained, *given)
        if n_labels == self.params.n_labels:
            found["ladder_fast"] = self.climb("ladder", name, known, s.costs, s.fast_epochs, test)
        found["ladder"] = self.climb("ladder", name, known, s.costs, s.epochs, test)
        gamma = [0.0] * (len(s.costs) - 1) + [s.gamma_cost * n_labels]
        found["ladder_gamma"] = self.climb("Gamma model", name, known, gamma, s.epochs, test)
        students = {"pseudo": (self.student, self.pretrained), "conv": (self.convolutional, self.random)}
        for arm, teacher in TEACHERS.items():
            recipe, start = students[arm.split("_")[-1]]
            what = f"{arm}: student of {teacher}, {words}"
            found[arm] = self.teach(what, name, recipe, start, found[teacher], threshold, known, test)
        for arm, recipe in (("pushed", self.pushed), ("pushed_moved", replace(self.pushed, augment=True))):
            found[arm] = self.classify(f"{arm}, {words}", name, recipe, self.pushed_start, *given)
        return found

    def choose_threshold(self) -> tuple[int, list[dict]]:
        """The confidence, in percent, that teaches best, by cross-validation on labelled images that no arm is given.

        Returns:
            It, and for each threshold the mean accuracy of pre-trained students of pre-trained classifiers on
            labelled images held out.
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
        teachers = self.classify(what, name, self.base, self.pretrained, known, labels, held_out)
        choice = []
        for threshold in sorted(s.thresholds):
            what = f"students, {threshold} % sure"
            found = self.teach(what, name, self.student, self.pretrained, teachers, threshold, known, held_out)
            choice.append({"threshold": threshold, "accuracy": round(np.mean([f["accuracy"] for f in found]), 5)})
        return max(choice, key=lambda row: row["accuracy"])["threshold"], choice

    def classify(
        self,
        what: str,
        name: str,
        recipe: Recipe,
        start: Start,
        rows: Sequence,
        labels: Sequence,
        held_out: Sequence,
    ) -> list[dict]:
        """Train classifiers on the images of each element of `rows`, and the `labels` with them."""
        study = self.study

        def answers(missing: list[int]) -> Iterator[dict]:
            encoders = start.encoders()
            replicates = (
                Replicate(
                    study.images[rows[i]],
                    labels[i],
                    np.concatenate([held_out[i][0], study.images]),
                    encoders[i % len(encoders)],
                    derive(self.params.seed, name, i, "seed"),
                )
                for i in missing
            )
            begin, jobs = time.monotonic(), min(n_jobs(), len(missing))
            trained = list(train_replicates(replicates, recipe, jobs))
            seconds = (time.monotonic() - begin) * jobs / len(missing)
            for i, found in zip(missing, trained, strict=True):
                yield describe(found.probabilities, held_out[i][1], seconds)

        asked = [
            question(what, recipe, name=name, rows=digest([rows[i], labels[i]]), draw=i, start=start.key)
            for i in range(len(rows))
        ]
        return study.keep_all(asked, answers)

    def teach(
        self,
        what: str,
        name: str,
        recipe: Recipe,
        start: Start,
        teachers: list[dict],
        threshold: int,
        known: Sequence,
        held_out: Sequence,
    ) -> list[dict]:
        """Train students on the images that are `known` and on those of which their teachers are sure."""
        rows, labels = [], []
        for teacher, own in zip(teachers, known, strict=True):
            sure = np.setdiff1d(np.flatnonzero(np.array(teacher["percent"]) >= threshold), own)
            copies = max(1, round(len(sure) * (1 - PSEUDO_SHARE) / PSEUDO_SHARE / len(own)))
            rows.append(np.concatenate([np.tile(own, copies), sure]))
            taught = np.array(teacher["predicted"], np.uint8)[sure]
            labels.append(np.concatenate([np.tile(self.study.labels[own], copies), taught]))
        return self.classify(what, name, recipe, start, rows, labels, held_out)

    def climb(
        self, what: str, name: str, known: Sequence, costs: Sequence[float], epochs: int, held_out: Sequence
    ) -> list[dict]:
        """Train ladders with the labels that are `known`."""
        s, study = self.settings, self.study
        recipe = LadderRecipe(
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
            def replicate(i: int) -> Replicate:
                labels = np.full(len(study.labels), UNKNOWN, np.uint8)
                labels[known[i]] = study.labels[known[i]]
                images = np.concatenate([held_out[i][0], study.images])
                return Replicate(study.images, labels, images, (), derive(self.params.seed, name, i, "ladder"))

            trained = train_ladders(map(replicate, missing), recipe, min(n_jobs(), len(missing)))
            for i, found in zip(missing, trained, strict=True):
                yield describe(found.probabilities, held_out[i][1], found.seconds)

        shared = {"ladder": asdict(recipe), "name": name}
        asked = [
            {"what": f"{what}, {epochs} epochs, {len(rows)} labels", "rows": digest([rows]), "draw": i} | shared
            for i, rows in enumerate(known)
        ]
        return study.keep_all(asked, answers)


def describe(probabilities: np.ndarray, held_out: np.ndarray, seconds: float) -> dict:
    """What `Arms` keeps of a training whose probabilities are of images held out, then of the training images."""
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
