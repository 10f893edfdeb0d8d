"""What a stage rests on but does not compute with: the packages installed, and the files that it was started from."""

import ast
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NUMERIC_LOCK = Path(__file__).parents[1] / "requirements-numeric.lock"
OURS = ("dae", "stages", "studies")  # packages, with their parameters and templates
BESIDE = ("params.yaml", "pyproject.toml", "requirements-numeric.lock", "tolerances.json")  # what else stages read
PIPELINES = {"stages": "dvc.yaml", "studies": "studies/dvc.yaml"}  # by the package of the stages' modules


def numeric_versions() -> dict[str, str]:
    """Versions of the packages that compute, as requirements-numeric.lock fixes them."""
    lines = NUMERIC_LOCK.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def unlike_the_lock() -> list[str]:
    """A line for each package that is missing or has another version than `numeric_versions`.

    DVC takes the lock file for what results rest on; so it must be what is installed.
    """
    if not NUMERIC_LOCK.is_file():
        return [f"{NUMERIC_LOCK} is missing; `git restore {NUMERIC_LOCK.name}` brings it back"]
    problems = []
    for name, wanted in numeric_versions().items():
        try:
            found = version(name)
        except PackageNotFoundError:
            return [f"{sys.executable} has no package {name}"]  # nor, likely, any of the others
        if found != wanted:
            problems.append(f"{name} {found} is installed; {NUMERIC_LOCK.name} has {wanted}")
    return problems


def without_users_warnings() -> None:
    """Python's own filters of warnings, whatever PYTHONWARNINGS says: `error` would stop a stage at any of them."""
    if sys.warnoptions:
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)


def imported(module: str, root: Path = Path()) -> set[str]:
    """Files of our own that running a module imports, itself included, wherever in the file the imports stand."""
    found, todo = set(), [module]
    while todo:
        name = todo.pop()
        path = Path(name, "__init__.py") if name in OURS else Path(*name.split(".")).with_suffix(".py")
        if path.as_posix() in found or not (root / path).is_file():
            continue
        found.add(path.as_posix())
        todo.append(name.split(".")[0])
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
            elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


class Snapshot:
    """The code and parameters of the project's folder, to be compared with those of a later time.

    DVC records what these are when a stage has ended; the stage ran what they were when it began.
    """

    def __init__(self):
        inside = (path for package in OURS for path in Path(package).rglob("*") if "__pycache__" not in path.parts)
        files = [*inside, *map(Path, BESIDE)]
        self._contents = {path.as_posix(): path.read_bytes() for path in files if path.is_file()}

    def changed(self, package: str, stage: str) -> list[str]:
        """What of a stage's declared code and parameters is no longer as it was: files, or `file: key`."""
        if Snapshot()._contents == self._contents or package not in PIPELINES:
            return []
        entry = _values(_read(PIPELINES[package])).get("stages", {}).get(stage, {})
        deps = [path for path in entry.get("deps", []) if path in self._contents]
        found = [path for path in deps if _read(path) != self._contents[path]]
        for item in entry.get("params", []):
            for file, keys in (item if isinstance(item, dict) else {"params.yaml": [item]}).items():
                before, now = _values(self._contents[file]), _values(_read(file))
                for key in keys or before.keys() | now.keys():
                    if _value(before, key) != _value(now, key):
                        found.append(f"{file}: {key}")
        return sorted(found)


def _read(path: str) -> bytes:
    return Path(path).read_bytes() if Path(path).is_file() else b""


def _values(content: bytes) -> dict:
    """What a YAML file holds; empty where it is none."""
    import yaml

    try:
        values = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError):
        return {}
    return values if isinstance(values, dict) else {}


def _value(values: dict, key: str) -> object:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


START = Snapshot()
