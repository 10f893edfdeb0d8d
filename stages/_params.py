"""The schema of params.yaml: every key's type, range and meaning."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML


class Section(BaseModel):
    """No unknown keys, no silent conversions, no changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


LearningRate = Annotated[float, Field(gt=0, le=0.1, description="a number above 0, up to 0.1")]
BatchSize = Annotated[int, Field(ge=1, le=4096, description="a whole number from 1 to 4096")]
Width = Annotated[int, Field(ge=1, le=4096, description="a whole number from 1 to 4096")]


class Split(Section):
    stratified: bool = Field(description="true or false")
    repeats: int = Field(ge=0, le=1000, description="a whole number from 0 to 1000")


class Network(Section):
    units: list[Width] = Field(min_length=1, max_length=8, description="a list of 1 to 8 whole numbers from 1 to 4096")


class Pretrain(Section):
    models: int = Field(ge=1, le=20, description="a whole number from 1 to 20")
    tied: bool = Field(description="true or false")
    epochs: int = Field(ge=1, le=1000, description="a whole number from 1 to 1000")
    batch_size: BatchSize
    learning_rate: LearningRate


Fraction = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]


class Reconstruct(Section):
    levels: list[Fraction] = Field(min_length=1, max_length=20, description="a list of 1 to 20 numbers from 0 to 1")
    min_psnr_gain: float = Field(ge=-100, le=100, description="decibels, a number from -100 to 100")


class Finetune(Section):
    dropout: float = Field(ge=0, le=0.9, description="a number from 0 to 0.9")
    masking: float = Field(ge=0, le=0.9, description="a number from 0 to 0.9")
    batch_size: BatchSize
    steps: int = Field(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    learning_rate: LearningRate


class Evaluate(Section):
    confidence: float = Field(ge=0.5, le=0.999, description="a number from 0.5 to 0.999")
    margin: float = Field(ge=0, le=0.5, description="an accuracy, a number from 0 to 0.5")
    resamples: int = Field(ge=100, le=100_000, description="a whole number from 100 to 100000")


class Theory(Section):
    images: int = Field(ge=200, le=60_000, description="a whole number from 200 to 60000")
    few: int = Field(ge=100, le=60_000, description="a whole number from 100 to 60000")
    epochs: int = Field(ge=1, le=1000, description="a whole number from 1 to 1000")
    batch_size: BatchSize
    learning_rate: LearningRate
    noise: float = Field(ge=0, le=1, description="a number from 0 to 1")
    codes: list[Width] = Field(
        min_length=2, max_length=20, description="a list of 2 to 20 whole numbers from 1 to 4096"
    )


class Params(Section):
    seed: int = Field(ge=0, lt=2**31, description="a whole number from 0 to 2147483647")
    dataset: Literal["mnist", "fashion_mnist"] = Field(description="mnist or fashion_mnist")
    n_labels: int = Field(ge=10, le=60_000, description="a whole number from 10 to 60000, the size of the training set")
    replicates: int = Field(ge=1, le=1000, description="a whole number from 1 to 1000")
    corruption: Literal["masking", "gaussian", "salt_and_pepper"] = Field(
        description="masking, gaussian or salt_and_pepper"
    )
    noise: float = Field(ge=0, le=1, description="a number from 0 to 1")
    split: Split
    network: Network
    pretrain: Pretrain
    reconstruct: Reconstruct
    finetune: Finetune
    evaluate: Evaluate
    theory: Theory


class BadParameters(Exception):
    """The message has one line for each problem: key, value, and what is allowed."""


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check all parameters; errors as of `load`."""
    return load(Params, path)


def load(schema: type[Section], path: Path) -> Section:
    """Read a file of parameters, as DVC reads it (YAML 1.2), and check it against a schema.

    Raises:
        BadParameters: the file is missing or no YAML, a key is unknown or missing, or a value is not allowed.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except Exception as error:  # the parser lets errors of many kinds through, such as IndexError for `!!int ''`
        raise BadParameters(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise BadParameters(f"{path} must be a mapping of keys to values")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        problems = [_describe(schema, problem["loc"], problem["type"], problem["input"]) for problem in error.errors()]
        raise BadParameters("\n".join(f"{path}: {problem}" for problem in problems)) from None


def _describe(schema: type[Section], location: tuple, kind: str, value: object) -> str:
    """One line for one problem that pydantic found at `location`."""
    key = ".".join(map(_shown, location))
    section, field = schema, None
    for name in location:
        if field is not None and not is_section(field):
            break  # a place in a list or a mapping
        if name not in section.model_fields:
            return f"{key} is not a known key; allowed here are {', '.join(section.model_fields)}"
        field = section.model_fields[name]
        if is_section(field):
            section = field.annotation
    allowed = field.description or f"a section with the keys {', '.join(section.model_fields)}"
    if kind == "missing":
        return f"{key} is missing; allowed is {allowed}"
    return f"{key} is {_shown(repr(value))}; allowed is {allowed}"


def _shown(part: object) -> str:
    """Of a key or value what fits into a line."""
    text = str(part)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 60 else text[:57] + "..."


def is_section(field) -> bool:
    """Whether a field of a schema is a section of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)
