"""The bounds of every key of both files of parameters: they are there, they hold, and the comments tell the same."""

import copy
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml
from pydantic import AfterValidator

from stages.common.errors import BadParameters
from stages.common.params import Address, Line, Params, is_section, load_params
from studies._params import StudyParams, load_study_params

ROOT = Path(__file__).parents[2]
FILES = {"params.yaml": (Params, load_params), "studies/params.yaml": (StudyParams, load_study_params)}
VALUES = {file: yaml.safe_load((ROOT / file).read_text()) for file in FILES}


def pattern_of(kind) -> str:
    return kind.__metadata__[0].metadata[0].pattern


TEXTS = {  # by the pattern: texts that are allowed, the shortest and the longest first, and such as are not
    pattern_of(Line): (
        ["", "é" * 200, "Ana d'Ávila, turma (2º): 1/2026"],
        ["é" * 201, "a\n", *(f"a{sign}b" for sign in "<>|*_`[]\\\n\r")],
    ),
    pattern_of(Address): (
        ["", f"https://{'a' * 200}", "http://a", "https://example.org/a_b?c=1#d"],
        [f"https://{'a' * 201}", "https://", "ftp://a", "example.org", "x https://a", "https://a\n"]
        + [f"https://a{sign}b" for sign in '<>|`[]()" \n'],
    ),
}


class Kind:
    """A type with its limits, as pydantic holds them."""

    def __init__(self, kind, limits):
        self.kind = kind
        self.texts = next((TEXTS[found.pattern] for found in limits if getattr(found, "pattern", None)), ([], []))
        names = ("ge", "gt", "le", "lt", "min_length", "max_length")
        self.different = any(isinstance(found, AfterValidator) for found in limits)
        if get_origin(kind) is dict:
            self.different = self.inner(1).different
        self.limits = {name: getattr(found, name) for found in limits for name in names if hasattr(found, name)}

    def inner(self, place: int = 0) -> "Kind":
        """Of what a list or a mapping holds; a bare type has no limits."""
        annotated = get_args(self.kind)[place]
        kind, *more = get_args(annotated) if hasattr(annotated, "__metadata__") else (annotated,)
        return Kind(kind, [limit for found in more for limit in getattr(found, "metadata", [found])])

    def range(self) -> tuple:
        return self.limits.get("ge", self.limits.get("gt")), self.limits.get("le", self.limits.get("lt"))

    def length(self) -> tuple:
        return self.limits["min_length"], self.limits["max_length"]

    def good(self, n: int) -> list:
        """Values that are allowed, all different: those at the bounds first; all texts."""
        if self.kind is bool:
            values = [True, False]
        elif self.kind is str:
            values = self.texts[0]
        elif get_origin(self.kind) is Literal:
            values = list(get_args(self.kind))
        elif get_origin(self.kind) is list:
            values = [self.inner().good(length) for length in self.length()]
        elif get_origin(self.kind) is dict:
            values = [{self.inner(0).good(1)[0]: self.inner(1).good(2)[1]}]
        else:
            low, high = self.range()
            first = low if "ge" in self.limits else math.nextafter(low, high)
            step = 1 if self.kind is int else (high - low) / (n + 1)
            values = [first, high, *(low + step * i for i in range(1, n))]
        return values if self.kind is str else values[:n]

    def bad(self) -> list[tuple]:
        """Values that are not allowed, by a hair where there is a bound, and the part of each that is to be named."""
        if self.kind is bool or get_origin(self.kind) is Literal:
            return [("blue", "blue"), (1, 1)]
        if self.kind is str:
            return [(value, value) for value in [*self.texts[1], 1]]
        if get_origin(self.kind) is list:
            shortest, longest = self.length()
            item, rest = self.inner(), self.inner().good(max(1, shortest))[1:]
            values = [([value, *rest], named) for value, named in item.bad()]
            wrong = [item.good(shortest - 1)] * (shortest > 0)
            wrong.append((item.good(longest) * 2)[: longest + 1])
            if self.different and longest > 1:
                wrong.append([*item.good(max(1, shortest - 1)), item.good(1)[0]])
            return values + [(value, value) for value in wrong]
        if get_origin(self.kind) is dict:
            keys, values = self.inner(0), self.inner(1)
            inside = [({keys.good(1)[0]: value}, named) for value, named in values.bad()]
            return [*inside, ({}, {}), ({"blue": values.good(1)[0]}, "blue")]
        low, high = self.range()
        if self.kind is int:
            wrong = [low - 1, high + 1, low + 0.5]
        else:
            wrong = [math.nextafter(low, -math.inf) if "ge" in self.limits else low, math.nextafter(high, math.inf)]
        return [(value, value) for value in [*wrong, "blue"]]

    def ranges(self) -> list[str]:
        """The bounds, as comments write them."""
        if get_origin(self.kind) is list:
            shortest, longest = self.length()
            return [f"{shortest} to {longest}"] * (shortest < longest) + self.inner().ranges()
        if get_origin(self.kind) is dict:
            return self.inner(1).ranges()
        if not self.limits or self.kind is str:
            return []
        return [("above {}, up to {}" if "gt" in self.limits else "{} to {}").format(*self.range())]


def fields(section, prefix=""):
    """The dotted key and the field of all that is no section."""
    for name, field in section.model_fields.items():
        if is_section(field):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


FIELDS = {(file, key): field for file, (schema, _) in FILES.items() for key, field in fields(schema)}
every_field = pytest.mark.parametrize(("file", "key"), FIELDS)


def with_value(file, key, value) -> dict:
    values = target = copy.deepcopy(VALUES[file])
    *sections, name = key.split(".")
    for section in sections:
        target = target[section]
    target[name] = value
    return values


@every_field
def test_a_value_just_outside_a_bound_is_refused_with_one_line(tmp_path, file, key):
    field, path = FIELDS[file, key], tmp_path / "params.yaml"
    for value, named in Kind(field.annotation, field.metadata).bad():
        path.write_text(yaml.safe_dump(with_value(file, key, value)))
        with pytest.raises(BadParameters) as error:
            FILES[file][1](path)
        (line,) = str(error.value).splitlines()
        assert line.startswith(f"{path}: {key}"), line
        assert repr(named)[:50] in line
        assert line.endswith(f"; allowed is {field.description}"), line


@every_field
def test_the_values_at_the_bounds_are_allowed(file, key):
    field = FIELDS[file, key]
    for value in Kind(field.annotation, field.metadata).good(2):
        FILES[file][0].model_validate(with_value(file, key, value))


@every_field
def test_the_text_of_what_is_allowed_has_the_bounds(file, key):
    field = FIELDS[file, key]
    kind = Kind(field.annotation, field.metadata)
    for text in kind.ranges():
        assert text in field.description
    if get_origin(kind.kind) is list and len(set(kind.length())) == 1:
        assert field.description.startswith(f"a list of {kind.length()[0]} ")
    assert kind.different == ("different" in field.description)


def comments(text: str) -> dict[str, str]:
    """The comment of each key, by its dotted name: in its own line, and in indented lines below that hold no key.

    Keys of a section that has them "as above" have the comments of the section before; "as in" names another section.
    """
    found, sections = {}, {}
    for line in text.splitlines():
        if key := re.match(r"( *)(\w+):(.*)", line):
            indent = len(key[1])
            sections = {at: name for at, name in sections.items() if at < indent} | {indent: key[2]}
            name = ".".join(sections.values())
            found[name] = key[3].partition("#")[2]
        elif line.startswith(" "):
            found[name] += line.replace("#", " ", 1)
    for above, section in pairwise([name for name in found if "." not in name]):
        if "keys as above" in found[section]:
            keys = [name.removeprefix(above) for name in found if name.startswith(f"{above}.")]
            found |= {section + name: found[above + name] for name in keys}
    for section, comment in list(found.items()):
        if other := re.search(r"keys as in (\w+)", comment):
            keys = [name.removeprefix(section) for name in found if name.startswith(f"{section}.")]
            found |= {section + name: found[other[1] + name] for name in keys}
    return found


@every_field
def test_the_comment_of_a_key_tells_the_bounds_of_the_schema(file, key):
    field = FIELDS[file, key]
    kind, comment = Kind(field.annotation, field.metadata), comments((ROOT / file).read_text())[key]
    assert re.findall(r"above [\d.]+, up to [\d.]*\d|-?[\d.]+ to [\d.]*\d", comment) == kind.ranges()
    if get_origin(kind.kind) is Literal:
        assert " | ".join(get_args(kind.kind)) in comment
