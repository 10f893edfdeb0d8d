"""The schema of studies/params.yaml, and how a study runs with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.common.params import (
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
FOLDS = 5  # of the cross-validation that chooses the threshold of the study ladder

Count = whole(1, 1000)
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


class Tune(Section):
    configurations: whole(1, 500)
    frozen: whole(0, 500)
    folds: whole(2, 20)
    draws: list_of(Count, 1, 10)
    keep: list_of(Count, 0, 9)
    space: Space
    daes: Daes


class Controls(Section):
    replicates: Replicates
    models: whole(1, 20)
    masking: Part
    frozen_learning_rate: LearningRate


class LabelCurve(Section):
    n_labels: list_of(Labels, 2, 20, different=True)
    replicates: Replicates
    min_epochs: Epochs


class NoiseCurve(Section):
    levels: LevelsByCorruption
    epochs: Epochs
    replicates: Replicates


class Ablations(Section):
    epochs: whole(2, 1000)
    replicates: Replicates


class Student(Section):
    batch_size: BatchSize
    steps: Steps


class Convolutional(Student):
    units: list_of(whole(1, 4096), 2, 4)
    dropout: Part
    learning_rate: LearningRate


class Pushed(Student):
    units: Units
    noise: Level
    epochs: Epochs
    dropout: Part
    masking: Part
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
    thresholds: list_of(whole(0, 100), 1, 20, different=True)
    validation_draws: Count
    student: Student
    convolutional: Convolutional
    pushed: Pushed


class StudyParams(Section):
    tune: Tune
    controls: Controls
    label_curve: LabelCurve
    noise_curve: NoiseCurve
    ablations: Ablations
    ladder: Ladder

    def rules(self) -> Iterator[Rule]:
        """Yield the conditions inside studies/params.yaml; `check` has those that involve params.yaml."""
        tune, ladder, labels = self.tune, self.ladder, self.label_curve.n_labels
        for name, (low, high) in tune.space.model_dump().items():
            yield low < high, f"tune.space.{name}", "a list of the least and the largest value"
        n, alive = len(tune.draws), [tune.configurations, *tune.keep]
        yield len(tune.keep) == n - 1, "tune.keep", f"a list of {n - 1}, one value fewer than tune.draws"
        falling = alive == sorted(alive, reverse=True)
        yield falling, "tune.keep", f"a list that never rises and starts with at most {alive[0]}, tune.configurations"
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
    folds = max(study_params.tune.folds, FOLDS)
    least = 10 * (folds - 1) + 1  # StratifiedKFold fails if all ten classes have fewer images than there are folds
    allowed = f"at least {least} for the studies, so that a class has an image for each of {folds} folds"
    require(Path("params.yaml"), params, [(params.n_labels >= least, "n_labels", allowed)])


def run_study(main: Callable[[Params, StudyParams], None]) -> None:
    """Run a study after checking both files of parameters; for errors see `stages.common.process.run`."""

    def checked(params: Params) -> None:
        study_params = load_study_params()
        check(params, study_params)
        main(params, study_params)

    run(checked)


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
