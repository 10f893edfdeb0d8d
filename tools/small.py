"""Set small values in both files of parameters, so that the pipelines run in minutes: python -m tools.small.

The script of plain Keras, which has no parameters, gets one epoch a training and an eighth of the units.
"""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SMALL: dict[str, dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_suffix(".yaml"))  # changes to each file


def main(folder: Path = Path()) -> None:
    """Change the files of the project in `folder`."""
    for name, changes in SMALL.items():
        change(folder / name, changes)
    script = folder / "docs" / "plain_keras.py"
    text = re.sub(r"epochs=\d+", "epochs=1", script.read_text())
    script.write_text(re.sub(r"(?<=[( ])(512|256|128)(?=[,)])", lambda units: str(int(units[0]) // 8), text))


def change(path: Path, changes: dict[str, Any]) -> None:
    """Set keys of a YAML file by their dotted names; its comments and the order of its keys stay.

    Raises:
        KeyError: the file has no such key.
    """
    yaml = YAML()
    yaml.width = 200
    values = yaml.load(path)
    for key, value in changes.items():
        *sections, name = key.split(".")
        section = values
        for part in sections:
            section = section[part]
        if name not in section:
            raise KeyError(f"{path} has no key {key}")
        section[name] = value
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


if __name__ == "__main__":
    main()
