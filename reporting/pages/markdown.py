"""Renders templates to Markdown: one template a language, all with the same facts."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reporting.common.numbers import hundredfold, number
from reporting.common.words import words_of

HERE = Path(__file__).parent


def render(folder: Path, language: str, facts: dict[str, Any]) -> str:
    """Render the template of a folder for a language, such as en.md.j2, with its words, and number the figures.

    In a template `{fig:evaluate/paired}` stands for a figure's number; it has the figure's path without language and
    ending.
    """
    templates = environment(folder, HERE)

    def pictures(path: str) -> list[str]:
        """The files of a figure, a panel each."""
        found = [file for file in facts["sources"] if re.fullmatch(rf"figures/{path}(\.\w)?\.{language}\.\w+", file)]
        if not found:
            raise ValueError(f"no stage has drawn the figure {path}.{language}")
        return found

    def percent(value: float | None, digits: int = 2) -> str:
        return number(language, hundredfold(value), digits)

    def points(value: float | None, digits: int = 2) -> str:
        return number(language, hundredfold(value), digits, "+")

    def decimal(value: float) -> str:
        return number(language, value, len(f"{value:.6f}".rstrip("0").split(".")[1]))

    def plain(value: float | None, digits: int = 0, sign: str = "") -> str:
        return number(language, value, digits, sign)

    templates.globals["pictures"] = pictures
    templates.filters |= {"number": plain, "percent": percent, "points": points, "decimal": decimal}
    words = words_of("pages", language) | words_of(folder.name, language)
    text = templates.get_template(f"{language}.md.j2").render(facts | {"words": words, "language": language})
    return _numbered(text, language)


@cache
def environment(*folders: Path, autoescape: bool = False) -> Environment:
    """The Jinja environment for the templates in these folders; a name without a value raises UndefinedError.

    It is made once for the same folders: it keeps compiled templates, and compiling takes longer than ten renderings.
    """
    return Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - Markdown is not HTML, and has no user's text
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _numbered(text: str, language: str) -> str:
    """Put the numbers of figures into a text; figures are numbered in the order in which they occur in it."""
    figures = re.findall(rf"(?m)^!\[.*?\]\(figures/(\w+/\w+)(?:\.\w)?\.{language}\.\w+\)", text)
    return re.sub(r"\{fig:(\S+?)\}", lambda found: str(figures.index(found[1]) + 1), text)
