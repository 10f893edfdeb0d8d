"""The schema of studies/params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from stages._params import BatchSize, LearningRate, Section, Width, load

Count = Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")]
Replicates = Annotated[int, Field(ge=2, le=1000, description="a whole number from 2 to 1000")]
Labels = Annotated[int, Field(ge=10, le=60_000, description="a whole number from 10 to 60000, the training set's size")]
Corruption = Literal["masking", "gaussian", "salt_and_pepper"]
Level = Annotated[float, Field(gt=0, le=1, description="a number above 0, up to 1")]


class Space(Section):
    learning_rate: list[float] = Field(min_length=1, description="a list of numbers above 0, up to 0.1")
    dropout: list[float] = Field(min_length=1, description="a list of numbers from 0 to 0.9")
    masking: list[float] = Field(min_length=1, description="a list of numbers from 0 to 0.9")
    steps: list[int] = Field(min_length=1, description="a list of whole numbers from 1 to 1000000")
    frozen: list[bool] = Field(min_length=1, description="a list of true and false")


class Tune(Section):
    configurations: int = Field(ge=1, le=500, description="a whole number from 1 to 500")
    folds: int = Field(ge=2, le=20, description="a whole number from 2 to 20")
    draws: list[Count] = Field(min_length=1, description="a list of whole numbers from 1 to 1000")
    keep: list[Count] = Field(description="a list of whole numbers from 1 to 1000, one fewer than draws")
    space: Space


class LabelCurve(Section):
    n_labels: list[Labels] = Field(min_length=2, description="a list of whole numbers from 10 to 60000")
    replicates: Replicates
    replicates_above: Replicates
    many: Labels
    min_epochs: Count


class NoiseCurve(Section):
    levels: dict[Corruption, list[Level]] = Field(description="for each corruption, a list of numbers above 0, up to 1")
    epochs: Count
    replicates: Replicates


class Ablations(Section):
    epochs: Count
    replicates: Replicates


Percent = Annotated[int, Field(ge=0, le=100, description="a whole number from 0 to 100")]
Cost = Annotated[float, Field(ge=0, le=1e6, description="a number from 0 to 1000000")]
Part = Annotated[float, Field(ge=0, le=0.9, description="a number from 0 to 0.9")]
Steps = Annotated[int, Field(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]


class Student(Section):
    batch_size: BatchSize
    steps: Steps


class Convolutional(Student):
    units: list[Width] = Field(min_length=2, max_length=4, description="a list of 2 to 4 whole numbers from 1 to 4096")
    dropout: Part
    learning_rate: LearningRate


class Pushed(Student):
    units: list[Width] = Field(min_length=1, max_length=8, description="a list of 1 to 8 whole numbers from 1 to 4096")
    noise: Level
    epochs: Count
    dropout: Part
    masking: Part
    learning_rate: LearningRate


class Ladder(Section):
    n_labels: list[Labels] = Field(min_length=1, description="a list of whole numbers from 10 to 60000")
    replicates: Replicates
    replicates_elsewhere: Replicates
    units: list[Width] = Field(min_length=1, max_length=8, description="a list of 1 to 8 whole numbers from 1 to 4096")
    noise: float = Field(ge=0, le=10, description="a number from 0 to 10")
    costs: list[Cost] = Field(description="a list of numbers from 0 to 1000000, two more than units")
    gamma_cost: Cost
    batch_size: BatchSize
    labelled_batch_size: BatchSize
    learning_rate: LearningRate
    epochs: Count
    fast_epochs: Count
    products: Literal["float32", "bfloat16"] = Field(description="float32 or bfloat16")
    thresholds: list[Percent] = Field(min_length=1, description="a list of whole numbers from 0 to 100")
    validation_draws: Count
    student: Student
    convolutional: Convolutional
    pushed: Pushed


class StudyParams(Section):
    tune: Tune
    label_curve: LabelCurve
    noise_curve: NoiseCurve
    ablations: Ablations
    ladder: Ladder


def load_study_params(path: Path = Path("studies/params.yaml")) -> StudyParams:
    """Read and check the studies' parameters; errors as of `stages._params.load_params`."""
    return load(StudyParams, path)
