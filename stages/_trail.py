"""Where a number or a figure comes from: the file it is in, the stage that made it, and that stage's parameters.

This is read from dvc.yaml itself, which DVC lets no stage declare as a dependency; a test tells when a page is behind.
"""

import hashlib
from pathlib import Path

import yaml


def sources(pipeline: str, folder: Path, until: str) -> dict[str, dict]:
    """What the stages of a pipeline made below a folder, in their order.

    Args:
        pipeline: path of a dvc.yaml, whose paths start from the working folder.
        until: the stage to stop at, which asks.

    Returns:
        For each file that is there, by its path from `folder`: `stage`, `md5` and `params`, a list of keys.
    """
    found = {}
    for stage, entry in yaml.safe_load(Path(pipeline).read_text(encoding="utf-8"))["stages"].items():
        if stage == until:
            break
        params = [name for item in entry.get("params", []) for name in (item if isinstance(item, dict) else [item])]
        for out in _names(entry.get("outs", []) + entry.get("metrics", [])):
            path = Path(out)
            if path.is_relative_to(folder) and path.exists():
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
                    found[file.relative_to(folder).as_posix()] = {"stage": stage, "md5": md5, "params": params}
    return found


def _names(items: list) -> list[str]:
    return [item if isinstance(item, str) else next(iter(item)) for item in items]
