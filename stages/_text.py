"""Templates in two languages over the same numbers."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def renderer(templates: Path, language: str) -> Callable[[str, dict], str]:
    """A function from a template's name and the facts to its text; numbers are written as `en` or `pt` writes them."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    write = partial(number, language)
    environment.filters |= {
        "number": write,
        "percent": lambda value, digits=2: write(hundredfold(value), digits),
        "points": lambda value, digits=2: write(hundredfold(value), digits, "+"),
        "decimal": lambda value: write(value, len(f"{value:.6f}".rstrip("0").split(".")[1])),
    }
    return lambda name, facts: environment.get_template(name).render(facts)


def number(language: str, value: float | None, digits: int = 0, sign: str = "") -> str:
    """A number as the language writes it, a dash for one that is not there: 60,000.5 or 60.000,5."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    text = f"{value:{sign},.{digits}f}".replace("-", "−")
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def hundredfold(fraction: float | None) -> float | None:
    """A fraction in per cent, or a difference of fractions in percentage points."""
    return None if fraction is None else 100 * fraction
