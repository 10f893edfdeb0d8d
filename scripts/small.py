"""Make params.yaml small, so that the whole pipeline runs in about a minute; it keeps its comments."""

import re
from pathlib import Path

SMALL = {
    "replicates": 2,
    "split.repeats": 1,
    "pretrain.models": 2,
    "pretrain.epochs": 2,
    "reconstruct.levels": [0.0, 0.5],
    "finetune.steps": 200,
    "evaluate.resamples": 200,
    "theory.images": 500,
    "theory.few": 100,
    "theory.epochs": 1,
    "theory.codes": [2, 16],
}
KEY = re.compile(r"( *)(\w+): *(\[.*?\]|[^\s#]+)?")


def main(path: Path = Path("params.yaml")) -> None:
    left, section, lines = dict(SMALL), "", []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if found := KEY.match(line):
            indent, key, value = found.groups()
            name = f"{section}.{key}" if indent else key
            section = section if indent else key
            if value and name in left:
                line = f"{line[: found.start(3)]}{left.pop(name)}{line[found.end(3) :]}"
        lines.append(line)
    assert not left, f"not in {path}: {', '.join(left)}"
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
