"""The schema of studies/params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from stages._params import Section, load

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


class StudyParams(Section):
    tune: Tune
    label_curve: LabelCurve
    noise_curve: NoiseCurve
    ablations: Ablations


def load_study_params(path: Path = Path("studies/params.yaml")) -> StudyParams:
    """Read and check the studies' parameters; errors as of `stages._params.load_params`."""
    return load(StudyParams, path)
