"""The schema of studies/params.yaml, and how a study runs with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.common.params import (
    DATASETS,
    OWN,
    BatchSize,
    Corruption,
    Epochs,
    LearningRate,
    Params,
    Part,
    Rule,
    Section,
    Steps,
    Units,
    allowed_by,
    list_of,
    load,
    number,
    one_of,
    positive,
    require,
    whole,
)
from stages.common.process import run

PATH = Path("studies/params.yaml")

Count = whole(1, 1000)
Models = whole(1, 20)
Replicates = whole(2, 1000)
Labels = whole(10, 60_000, ", the training set's size")
Level = positive(1)
Levels = list_of(Level, 1, 20, different=True)
LevelsByCorruption = Annotated[
    dict[Corruption, Levels],
    Field(min_length=1, description=f"for {allowed_by(Corruption)}, {allowed_by(Levels)}"),
]
BatchOfTwo = whole(2, 2048)  # the ladder would normalise every layer of a single image to 0


class Space(Section):
    learning_rate: list_of(LearningRate, 2, 2, different=True)
    dropout: list_of(Part, 2, 2, different=True)
    masking: list_of(Part, 2, 2, different=True)
    steps: list_of(Steps, 2, 2, different=True)


class Daes(Section):
    levels: LevelsByCorruption
    epochs: list_of(Epochs, 1, 20, different=True)


class Search(Section):
    configurations: whole(1, 500)
    near: list_of(whole(1, 500), 0, 10)
    draws: list_of(Count, 1, 10)
    keep: list_of(Count, 0, 9)
    space: Space
    daes: Daes

    def search_rules(self, key: str) -> Iterator[Rule]:
        """Yield the conditions on the values of this section, whose key in studies/params.yaml is `key`."""
        for name, (low, high) in self.space.model_dump().items():
            yield low < high, f"{key}.space.{name}", "a list of the least and the largest value"
        n, n_free = len(self.draws), self.configurations + sum(self.near)
        yield (
            sum(self.draws) >= 2,
            f"{key}.draws",
            "a list whose sum is at least 2, as each draw is tested on the others",
        )
        yield len(self.keep) == n - 1, f"{key}.keep", f"a list of {n - 1}, one value fewer than {key}.draws"
        falling = self.keep == sorted(self.keep, reverse=True) and max(self.keep, default=0) < n_free
        allowed = f"a list that never rises and starts below {n_free}, the configurations and those near"
        yield falling, f"{key}.keep", allowed


class Tune(Search):
    frozen: whole(0, 500)
    folds: whole(2, 20)


class Controls(Section):
    replicates: Replicates
    models: Models
    masking: Part
    frozen_learning_rate: LearningRate


class LabelCurve(Section):
    n_labels: list_of(Labels, 2, 20, different=True)
    replicates: Replicates
    min_epochs: Epochs


class NoiseCurve(Section):
    levels: LevelsByCorruption
    models: Models
    epochs: Epochs
    replicates: Replicates


class Ablations(Section):
    models: Models
    epochs: whole(2, 1000)
    replicates: Replicates


class Student(Section):
    batch_size: BatchSize
    steps: Steps


class Convolutional(Student):
    units: list_of(whole(1, 4096), 2, 4)
    dropout: Part
    learning_rate: LearningRate


class Ladder(Section):
    n_labels: list_of(Labels, 1, 20, different=True)
    replicates: Replicates
    replicates_elsewhere: Replicates
    units: Units
    noise: number(0, 10)
    costs: list_of(number(0, 1_000_000), 3, 10)
    gamma_cost: positive(1_000_000)
    batch_size: BatchOfTwo
    labelled_batch_size: BatchOfTwo
    learning_rate: LearningRate
    epochs: Epochs
    fast_epochs: Epochs
    products: one_of("float32", "bfloat16")
    convolutional: Convolutional


class Pushed(Section):
    units: Units
    search: Search
    student: Student


class StudyParams(Section):
    tune: Tune
    controls: Controls
    label_curve: LabelCurve
    noise_curve: NoiseCurve
    ablations: Ablations
    ladder: Ladder
    pushed: Pushed

    def rules(self) -> Iterator[Rule]:
        """Yield the conditions inside studies/params.yaml; `check` has those that involve params.yaml."""
        ladder, labels = self.ladder, self.label_curve.n_labels
        yield from self.tune.search_rules("tune")
        yield from self.pushed.search.search_rules("pushed.search")
        two = sum(map(len, self.noise_curve.levels.values())) >= 2
        yield two, "noise_curve.levels", "two levels or more, of one corruption or of several"
        n = len(ladder.units) + 2
        yield len(ladder.costs) == n, "ladder.costs", f"a list of {n}, two values more than ladder.units"
        yield any(ladder.costs), "ladder.costs", "a list with a value above 0"
        drawn = set(ladder.n_labels) <= set(labels)
        yield drawn, "ladder.n_labels", f"a list of numbers that stand in label_curve.n_labels, {labels}"


def load_study_params(path: Path = PATH) -> StudyParams:
    """Read and check the studies' parameters; for errors see `stages.common.params.load`."""
    return load(StudyParams, path)


def check(params: Params, study_params: StudyParams) -> None:
    """Raise BadParameters if the two files of parameters do not fit each other."""
    require(PATH, study_params, _rules(params, study_params))
    labelled, n_classes = DATASETS[params.dataset]["labelled"], len(params.classes)
    most = labelled * 5 // 6
    allowed = f"at most {most} for the studies, as tune tests on labelled images that were not drawn"
    require(Path("params.yaml"), params, [(params.n_labels <= most, "n_labels", allowed)])
    folds = study_params.tune.folds
    least = n_classes * (folds - 1) + 1  # StratifiedKFold fails if all classes have fewer images than there are folds
    allowed = f"at least {least} for the studies, so that a class has an image for each of {folds} folds"
    require(Path("params.yaml"), params, [(params.n_labels >= least, "n_labels", allowed)])


def run_study(main: Callable[[Params, StudyParams], None]) -> None:
    """Run a study after checking both files of parameters; for errors see `stages.common.process.run`."""

    def checked(params: Params) -> None:
        study_params = fitted(load_study_params(), params)
        check(params, study_params)
        main(params, study_params)

    run(checked)


def fitted(study_params: StudyParams, params: Params) -> StudyParams:
    """Of one's own data set, leave out the numbers of labels that it does not have; the main pipeline's is in."""
    if params.dataset != OWN:
        return study_params
    curve, ladder = study_params.label_curve, study_params.ladder
    possible = sorted({n for n in curve.n_labels if n <= params.most_labels()} | {params.n_labels})
    changes: dict[str, Section] = {"label_curve": curve.model_copy(update={"n_labels": possible})}
    changes["ladder"] = ladder.model_copy(update={"n_labels": [params.n_labels]})
    return study_params.model_copy(update=changes)


def _rules(params: Params, study_params: StudyParams) -> Iterator[Rule]:
    ladder, curve, most = study_params.ladder, study_params.label_curve, params.most_labels()
    allowed = f"a list of numbers up to {most} where split.stratified of params.yaml is true"
    yield max(curve.n_labels) <= most, "label_curve.n_labels", allowed
    here = params.n_labels in ladder.n_labels
    yield here, "ladder.n_labels", f"a list with n_labels of params.yaml, {params.n_labels}"
    for key in ("replicates", "replicates_elsewhere"):
        yield getattr(ladder, key) <= curve.replicates, f"ladder.{key}", f"at most {curve.replicates}, label_curve's"
    most = params.replicates
    yield study_params.controls.replicates <= most, "controls.replicates", f"at most {most}, those of params.yaml"
