"""The schema of params.yaml: every key's type, range and meaning.

Messages say what is allowed. Their text is made from the bounds, so that the two cannot differ.

The names of corruptions and data sets are read from the files that define them. Stages do not declare these files as
dependencies for that, because another allowed name changes no result. A stage that uses an entry declares its file.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from stages.common.errors import BadParameters

ROOT = Path(__file__).parents[2]
Schema = TypeVar("Schema", bound="Section")
Rule = tuple[bool, str, str]  # whether it holds; for the message, the key and what is allowed


class Section(BaseModel):
    """A section of a file of parameters: it rejects unknown keys and wrong types, and cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def rules(self) -> Iterator[Rule]:
        """Yield the conditions that values of several keys must fulfil together."""
        return iter(())


def whole(low: int, high: int, meaning: str = "") -> Any:
    """The type of a whole number from `low` to `high`; a message adds `meaning` to this range."""
    return Annotated[int, Field(ge=low, le=high, description=f"a whole number from {low} to {high}{meaning}")]


def number(low: float, high: float) -> Any:
    """The type of a number from `low` to `high`, both included."""
    return Annotated[float, Field(ge=low, le=high, description=f"a number from {low} to {high}")]


def positive(high: float) -> Any:
    """The type of a number above 0, up to `high`."""
    return Annotated[float, Field(gt=0, le=high, description=f"a number above 0, up to {high}")]


def text(pattern: str, allowed: str) -> Any:
    """The type of a text that a regular expression matches as a whole; messages say that `allowed` is allowed."""
    return Annotated[str, Field(pattern=f"^(?:{pattern})$", description=allowed)]


def one_of(*names: str) -> Any:
    """The type of a text that is one of these names."""
    return Annotated[Literal[names], Field(description=f"{', '.join(names[:-1])} or {names[-1]}")]


def list_of(item: Any, shortest: int, longest: int, *, different: bool = False) -> Any:
    """The type of a list of `shortest` to `longest` values of the type `item`; `different` forbids equal values.

    The functions above make `item`.
    """
    items = re.sub("^a (whole )?number", r"\1numbers", allowed_by(item)).replace("true or", "values: true and")
    length = shortest if shortest == longest else f"{shortest} to {longest}"
    text = f"a list of {length} {'different ' * different}{items}"
    checks = [AfterValidator(_all_different)] if different else []
    return Annotated[list[item], Field(min_length=shortest, max_length=longest, description=text), *checks]


def allowed_by(kind: Any) -> str:
    """What a message says is allowed, for a type that the functions above make."""
    return kind.__metadata__[0].description


def _all_different(values: list) -> list:
    if len(set(values)) < len(values):
        raise ValueError("a value occurs twice")
    return values


Flag = Annotated[bool, Field(description="true or false")]
Fraction = number(0, 1)
Part = number(0, 0.9)
Temperature = positive(100)
LearningRate = positive(0.1)
BatchSize = whole(1, 4096)
Steps = whole(1, 100_000)
Epochs = whole(1, 1000)
Units = list_of(whole(1, 4096), 1, 8)
# these stand in texts that are Markdown and HTML, so they must not have the signs of either
Line = text(
    r"[^\r\n<>|*_`\[\]\\]{0,200}", "a text in one line of at most 200 characters, without any of < > | * _ ` [ ] \\"
)
Address = text(r"(https?://[^\s<>|`\[\]()\"]{1,200})?", 'an address that starts with http:// or https://, or ""')


def _public_functions(path: Path) -> tuple[str, ...]:
    """Names of a module's public functions; it is parsed, because its import of TensorFlow would take seconds."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return tuple(node.name for node in nodes if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))


OWN = "own"  # the data set that tools/import_images.py makes
DATASETS = {  # what data/sources/ says of each data set; its README.md explains the keys
    path.parent.name: YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "data/sources").glob("*/dataset.yaml"))
}
REMEDY = f"make it with `python -m tools.import_images SOURCE`, or fetch it with `dvc pull data/sources/{OWN}`"
CORRUPTIONS = _public_functions(ROOT / "dae/core/corruptions.py")
Corruption = one_of(*CORRUPTIONS)


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


class Arm(Section):
    dropout: Part
    masking: Part
    batch_size: BatchSize
    steps: Steps
    learning_rate: LearningRate


class Temperatures(Section):
    finetune: Temperature
    baseline: Temperature


class Evaluate(Section):
    confidence: number(0.5, 0.999)
    margin: number(0, 0.5)
    resamples: whole(100, 100_000)


class Tasks(Section):
    images: whole(200, 60_000)
    units: Units
    epochs: Epochs


class Theory(Section):
    images: whole(200, 60_000)
    few: whole(100, 60_000)
    seeds: whole(1, 20)
    epochs: Epochs
    batch_size: BatchSize
    learning_rate: LearningRate
    noise: positive(1)
    codes: list_of(whole(1, 4096), 2, 20, different=True)
    tasks: Tasks


class About(Section):
    author: Line
    course: Line
    date: Line
    repository: Address


class Params(Section):
    seed: whole(0, 2**31 - 1)
    dataset: one_of(*(name for name in DATASETS if name != OWN), OWN)
    n_labels: whole(10, 60_000, ", the size of the training set")
    replicates: whole(1, 1000)
    corruption: Corruption
    noise: Fraction
    split: Split
    network: Network
    pretrain: Pretrain
    reconstruct: Reconstruct
    finetune: Arm
    baseline: Arm
    temperatures: Temperatures
    evaluate: Evaluate
    theory: Theory
    about: About

    def rules(self) -> Iterator[Rule]:
        """Yield the conditions on the numbers of dAEs and labels, and on images and codes of the theory exercises."""
        yield self.pretrain.models <= self.replicates, "pretrain.models", f"at most replicates, {self.replicates}"
        yield self.dataset in DATASETS, "dataset", f"{OWN}, once data/sources/{OWN} is there: {REMEDY}"
        if self.dataset not in DATASETS:
            return
        most, n_pixels = self.most_labels(), DATASETS[self.dataset]["side"] ** 2
        yield self.n_labels <= most, "n_labels", f"at most {most} of {self.dataset} where split.stratified is true"
        images, narrow = self.theory.images, [code for code in self.theory.codes if code < n_pixels]
        yield self.theory.few < images, "theory.few", f"a number below theory.images, {images}"
        both = 0 < len(narrow) < len(self.theory.codes)
        yield both, "theory.codes", f"a list with a code below {n_pixels}, the pixels of an image, and one not below"
        # PCA needs at least as many images as components
        fit = max(narrow, default=0) <= images
        yield fit, "theory.codes", f"a list whose codes below {n_pixels} are at most theory.images, {images}"

    @property
    def classes(self) -> list[str]:
        """The names of the data set's classes, in the order of their labels 0, 1, ..."""
        return DATASETS[self.dataset]["classes"]

    def most_labels(self) -> int:
        """The largest number of labelled images that can be drawn; the rarest class bounds it if `split.stratified`."""
        entry = DATASETS[self.dataset]
        if not self.split.stratified or self.n_labels == entry["labelled"]:
            return entry["labelled"]
        return len(entry["classes"]) * entry["rarest"]

    @model_validator(mode="after")
    def fitted(self) -> Self:
        """Fit what is asked for to one's own data set.

        Numbers of images are lowered to what it has. Codes narrower than an image need as many images, for PCA's sake,
        and are left out where there are fewer; where all codes are narrower, one as wide as an image is added.
        """
        if self.dataset != OWN or OWN not in DATASETS:
            return self
        entry = DATASETS[OWN]
        images = min(self.theory.images, entry["train"])
        tasks = self.theory.tasks.model_copy(update={"images": min(self.theory.tasks.images, entry["train"])})
        few, n_pixels = min(self.theory.few, images // 2), entry["side"] ** 2
        codes = [code for code in self.theory.codes if code <= images or code >= n_pixels]
        codes += [] if any(code >= n_pixels for code in codes) else [n_pixels]
        theory = self.theory.model_copy(update={"images": images, "few": few, "tasks": tasks, "codes": codes})
        return self.model_copy(update={"n_labels": min(self.n_labels, entry["labelled"]), "theory": theory})


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml; for errors see `load`."""
    return load(Params, path)


def load(schema: type[Schema], path: Path) -> Schema:
    """Read a file of parameters, as DVC reads it (YAML 1.2), and check it against a schema.

    Raises:
        BadParameters: the file is missing or is not YAML, a key is unknown or missing, a value is not allowed, or
            values do not fit each other.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except Exception as error:  # the parser raises errors of many kinds, such as IndexError for `!!int ''`
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
    section: Any = schema
    field: Any = None
    for name in location:
        if field is not None and not is_section(field):
            break  # the rest is an index of a list or a key of a mapping
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
    """A key or value, shortened to fit into one line."""
    text = str(part)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 60 else text[:57] + "..."


def is_section(field: FieldInfo) -> bool:
    """Whether a field of a schema is itself a section."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)
