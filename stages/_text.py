"""Templates in two languages over the same numbers."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dae.language import number


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


def hundredfold(fraction: float | None) -> float | None:
    """A fraction in per cent, or a difference of fractions in percentage points."""
    return None if fraction is None else 100 * fraction
