"""The schema of params.yaml: every key's type, range and meaning.

The text that a message gives for what is allowed is made from the bounds themselves, so that the two cannot differ.
"""

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

Rule = tuple[bool, str, str]  # whether it holds, and for the message the key and what is allowed


class Section(BaseModel):
    """No unknown keys, no silent conversions, no changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def rules(self) -> Iterator[Rule]:
        """What the values of different keys must be to each other."""
        return iter(())


def whole(low: int, high: int, meaning: str = ""):
    """The type of a whole number; `meaning` is added to what a message says is allowed."""
    return Annotated[int, Field(ge=low, le=high, description=f"a whole number from {low} to {high}{meaning}")]


def number(low: float, high: float):
    return Annotated[float, Field(ge=low, le=high, description=f"a number from {low} to {high}")]


def positive(high: float):
    return Annotated[float, Field(gt=0, le=high, description=f"a number above 0, up to {high}")]


def one_of(*names: str):
    return Annotated[Literal[names], Field(description=f"{', '.join(names[:-1])} or {names[-1]}")]


def list_of(item, shortest: int, longest: int, *, different: bool = False):
    """The type of a list of what the functions above give; `different` forbids that a value stands in it twice."""
    items = re.sub("^a (whole )?number", r"\1numbers", allowed_by(item)).replace("true or", "values: true and")
    text = f"a list of {shortest} to {longest} {'different ' * different}{items}"
    checks = [AfterValidator(_all_different)] if different else []
    return Annotated[list[item], Field(min_length=shortest, max_length=longest, description=text), *checks]


def allowed_by(kind) -> str:
    """What a message says is allowed for a type that the functions above give."""
    return kind.__metadata__[0].description


def _all_different(values: list) -> list:
    if len(set(values)) < len(values):
        raise ValueError("a value stands twice")
    return values


Flag = Annotated[bool, Field(description="true or false")]
Fraction = number(0, 1)
Part = number(0, 0.9)
LearningRate = positive(0.1)
BatchSize = whole(1, 4096)
Steps = whole(1, 100_000)
Epochs = whole(1, 1000)
Units = list_of(whole(1, 4096), 1, 8)
PIXELS = 28 * 28
RAREST = {"mnist": 5421, "fashion_mnist": 6000}  # training images of a data set's rarest class


class Split(Section):
    stratified: Flag
    repeats: whole(0, 1000)


class Network(Section):
    units: Units


class Pretrain(Section):
    models: whole(1, 20)
    tied: Flag
    epochs: Epochs
    batch_size: BatchSize
    learning_rate: LearningRate


class Reconstruct(Section):
    levels: list_of(Fraction, 1, 20, different=True)
    min_psnr_gain: number(-100, 100)


class Finetune(Section):
    dropout: Part
    masking: Part
    batch_size: BatchSize
    steps: Steps
    learning_rate: LearningRate


class Evaluate(Section):
    confidence: number(0.5, 0.999)
    margin: number(0, 0.5)
    resamples: whole(100, 100_000)


class Theory(Section):
    images: whole(200, 60_000)
    few: whole(100, 60_000)
    epochs: Epochs
    batch_size: BatchSize
    learning_rate: LearningRate
    noise: positive(1)
    codes: list_of(whole(1, 4096), 2, 20, different=True)


class Params(Section):
    seed: whole(0, 2**31 - 1)
    dataset: one_of("mnist", "fashion_mnist")
    n_labels: whole(10, 60_000, ", the size of the training set")
    replicates: whole(1, 1000)
    corruption: one_of("masking", "gaussian", "salt_and_pepper")
    noise: Fraction
    split: Split
    network: Network
    pretrain: Pretrain
    reconstruct: Reconstruct
    finetune: Finetune
    evaluate: Evaluate
    theory: Theory

    def rules(self) -> Iterator[Rule]:
        images, narrow = self.theory.images, [code for code in self.theory.codes if code < PIXELS]
        most = self.most_labels()
        yield self.n_labels <= most, "n_labels", f"at most {most} of {self.dataset} where split.stratified is true"
        yield self.theory.few < images, "theory.few", f"a number below theory.images, {images}"
        yield bool(narrow), "theory.codes", f"a list with a code below {PIXELS}, the pixels of an image"
        # PCA with as many components needs as many images
        fit = max(narrow, default=0) <= images
        yield fit, "theory.codes", f"a list whose codes below {PIXELS} are at most theory.images, {images}"

    def most_labels(self) -> int:
        """How many labelled images can be drawn, as many of every class if `split.stratified`."""
        return 10 * RAREST.get(self.dataset, 6000) if self.split.stratified else 60_000


class BadParameters(Exception):
    """The message has one line for each problem: key, value, and what is allowed."""


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check all parameters; errors as of `load`."""
    return load(Params, path)


def load(schema: type[Section], path: Path) -> Section:
    """Read a file of parameters, as DVC reads it (YAML 1.2), and check it against a schema.

    Raises:
        BadParameters: the file is missing or no YAML, a key is unknown or missing, a value is not allowed, or values do
            not fit each other.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except Exception as error:  # the parser lets errors of many kinds through, such as IndexError for `!!int ''`
        raise BadParameters(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise BadParameters(f"{path} must be a mapping of keys to values")
    try:
        found = schema.model_validate(values)
    except ValidationError as error:
        problems = [_describe(schema, problem["loc"], problem["type"], problem["input"]) for problem in error.errors()]
        raise BadParameters("\n".join(f"{path}: {problem}" for problem in problems)) from None
    require(path, found, found.rules())
    return found


def require(path: Path, values: Section, rules: Iterable[Rule]) -> None:
    """Raise BadParameters, with a line for each rule that does not hold for the values of a file."""
    problems = [
        f"{path}: {key} is {_shown(repr(reduce(getattr, key.split('.'), values)))}; allowed is {allowed}"
        for holds, key, allowed in rules
        if not holds
    ]
    if problems:
        raise BadParameters("\n".join(problems))


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
