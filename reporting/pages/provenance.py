"""Where a number or a figure comes from: the file it is in, the stage that made it, and that stage's parameters.

It reads dvc.yaml, which DVC does not allow as a dependency of a stage. So a page can become out of date; a test in
tests/results/ then fails.
"""

import hashlib
from pathlib import Path

import yaml


def origins(pipeline: str, folder: Path, before: str) -> dict[str, dict]:
    """List the files in a folder that the stages of a pipeline made, in the order of the stages.

    Args:
        pipeline: path of a dvc.yaml, whose paths start from the working folder.
        folder: the folder; its subfolders count.
        before: the calling stage; it and those after it are left out.

    Returns:
        For each file that exists, by its path from `folder`: `stage`, `md5` and `params`, a list of keys.
    """
    found: dict[str, dict] = {}
    for stage, entry in yaml.safe_load(Path(pipeline).read_text(encoding="utf-8"))["stages"].items():
        if stage == before:
            break
        params = [name for item in entry.get("params", []) for name in (item if isinstance(item, dict) else [item])]
        for out in names(entry.get("outs", [])):
            path = Path(out)
            if path.is_relative_to(folder) and path.exists():
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
                    found[file.relative_to(folder).as_posix()] = {"stage": stage, "md5": md5, "params": params}
    return found


def names(items: list) -> list[str]:
    """The paths in a list of dvc.yaml, whose entries are paths, or mappings from a path to its options."""
    return [item if isinstance(item, str) else next(iter(item)) for item in items]
