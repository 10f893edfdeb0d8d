"""Collects the facts of the studies' page: the sections' modules decide, the templates hold only words."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any


def collect(p: Any, study: Any, found: dict[str, Any], sections: Sequence[str]) -> dict[str, Any]:
    """The facts of all sections, in one dict.

    Args:
        p, study: the parameters of the main pipeline and of the studies.
        found: the studies' results by file name: dicts from JSON files, and tables from CSV files.
        sections: names of the sections, in the order of the page.
    """
    facts = {"p": p, "study": study, "says": {}, "number_of": {name: i for i, name in enumerate(sections, start=1)}}
    for name in sections:
        section = import_module(f"reporting.studies.{name}").facts(found, p, study)
        facts["says"] |= section.pop("says", {})
        facts |= section
    return facts
