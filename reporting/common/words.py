"""The words of figures and texts, from a file in each language.

A language exists if reporting/common/ has a file with its name, as for English. All other folders of reporting/ that
have words need such a file too.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1]
LANGUAGES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.yaml")))


@cache
def words_of(part: str, language: str) -> dict[str, Any]:
    """The words of a part of reporting/, such as `evaluate`, with those of `common`.

    Raises:
        ValueError: there is no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"there are no words in the language {language!r}; there are in {', '.join(LANGUAGES)}")
    found: dict[str, Any] = {}
    for folder in ("common", part):
        path = FOLDER / folder / f"{language}.yaml"
        found |= yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
