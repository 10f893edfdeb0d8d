"""Checks what a stage runs on: the installed packages, the code that it imports, and changes to it since the start."""

import ast
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NUMERIC_LOCK = Path(__file__).parents[2] / "requirements-numeric.lock"
OURS = ("dae", "reporting", "stages", "studies")  # the project's packages that stages import, with words and templates
REPORTING = Path(__file__).parents[2] / "reporting"
# Packages that dvc.yaml names as a directory, so that its lists are short. A stage that imports only the files listed
# here for a package names these files instead, so that a change of the package's other files does not rerun it.
WHOLE = {
    "dae/core": {"dae/core/__init__.py", "dae/core/seeds.py"},
    "stages/common": set[str](),
    **{f"reporting/{part.name}": set[str]() for part in REPORTING.glob("*/")},
}
BESIDE = ("params.yaml", "pyproject.toml", "requirements-numeric.lock", "tolerances.json")  # stages read them too
PIPELINES = {"stages": "dvc.yaml", "studies": "studies/dvc.yaml"}  # by the package of the stages' modules


def numeric_versions() -> dict[str, str]:
    """Versions of the packages that compute, by name, from requirements-numeric.lock."""
    lines = NUMERIC_LOCK.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def unlike_the_lock() -> list[str]:
    """A line for each package that is missing or has another version than `numeric_versions`.

    DVC sees only the lock file, so the installed packages must have its versions.
    """
    if not NUMERIC_LOCK.is_file():
        return [f"{NUMERIC_LOCK} is missing; `git restore {NUMERIC_LOCK.name}` brings it back"]
    problems = []
    for name, wanted in numeric_versions().items():
        try:
            found = version(name)
        except PackageNotFoundError:
            return [f"{sys.executable} has no package {name}"]  # and probably none of the others
        if found != wanted:
            problems.append(f"{name} {found} is installed; {NUMERIC_LOCK.name} has {wanted}")
    return problems


def without_users_warnings() -> None:
    """Set Python's default warning filters, whatever PYTHONWARNINGS says: `error` would stop a stage at a warning."""
    if sys.warnoptions:
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)


def imported(module: str, root: Path = Path()) -> set[str]:
    """The project's files that a module imports, directly or not, with the module's own; also imports in functions.

    A package in `WHOLE` counts as a whole, so that the set does not depend on which of its modules import each other.

    Args:
        module: dotted name, such as `stages.split`.
        root: the project's folder; the paths returned start from it.
    """
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        path = Path(*name.split("."))
        path = path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")
        if path.as_posix() in found or not (root / path).is_file():
            continue
        found.add(path.as_posix())
        parts = name.split(".")
        todo += [".".join(parts[:n]) for n in range(1, len(parts))]  # a package's __init__.py runs before its modules
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for package, alone in WHOLE.items():
            inside = {file.relative_to(root).as_posix() for file in (root / package).glob("*.py")}
            if found & inside - alone:
                todo += [file.removesuffix(".py").replace("/", ".") for file in inside - found]
    return found


def code_dependencies(module: str, root: Path = Path()) -> list[str]:
    """The paths that dvc.yaml names as a stage's code: its module, then its imports; see `imported` and `WHOLE`."""
    files = imported(module, root)
    own = f"{module.replace('.', '/')}.py"
    for package, alone in WHOLE.items():
        inside = {file for file in files if Path(file).parent.as_posix() == package}
        if inside - alone:
            files = files - inside | {package}
    order = {package: place for place, package in enumerate(("studies", "stages", "dae", "reporting"))}
    return [own, *sorted(files - {own}, key=lambda file: (order[file.split("/")[0]], file))]


class Snapshot:
    """The project's code and parameters at this moment, to compare with a later moment.

    DVC records the files as they are when a stage ends, but the stage ran them as they were when it began.
    """

    def __init__(self) -> None:
        inside = (path for package in OURS for path in Path(package).rglob("*") if "__pycache__" not in path.parts)
        files = [*inside, *map(Path, BESIDE)]
        self._contents = {path.as_posix(): path.read_bytes() for path in files if path.is_file()}

    def changed(self, package: str, stage: str) -> list[str]:
        """Which of a stage's declared code and parameters have changed since: paths, or `file: key`."""
        before, now = self._contents, Snapshot()._contents
        if now == before or package not in PIPELINES:
            return []
        entry = _values(_read(PIPELINES[package])).get("stages", {}).get(stage, {})
        deps = [Path(path) for path in entry.get("deps", [])]
        found = [
            path
            for path in before.keys() | now.keys()
            if before.get(path) != now.get(path) and any(Path(path).is_relative_to(dep) for dep in deps)
        ]
        for item in entry.get("params", []):
            for file, keys in (item if isinstance(item, dict) else {"params.yaml": [item]}).items():
                old, new = _values(before[file]), _values(_read(file))
                for key in keys or old.keys() | new.keys():
                    if _value(old, key) != _value(new, key):
                        found.append(f"{file}: {key}")
        return sorted(found)


def _read(path: str) -> bytes:
    return Path(path).read_bytes() if Path(path).is_file() else b""


def _values(content: bytes) -> dict:
    """The mapping in a YAML file; empty if it has none or is not valid."""
    import yaml

    try:
        values = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError):
        return {}
    return values if isinstance(values, dict) else {}


def _value(values: dict, key: str) -> object:
    value: object = values
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


START = Snapshot()
