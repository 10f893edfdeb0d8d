"""Each stage in a folder that holds only what dvc.yaml declares for it, without a network, in a hostile environment.

It runs on one core, and may say nothing on standard error. The stage download reads the data set from a file here, so
that it needs no network either. All stages run once more for this, so it is left to CI: pytest -m slow
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from reporting.pages.provenance import names
from stages.common.surroundings import WHOLE

PIPELINE = (Path(__file__).parents[2] / "dvc.yaml").read_text()
STAGES = yaml.safe_load(PIPELINE.replace("${dataset}", "mnist"))["stages"]

pytestmark = pytest.mark.slow

# what params.yaml may name is read from these, for every stage: another name that is allowed changes no result
ALLOWED = {"data/sources/mnist/dataset.yaml", "data/sources/fashion_mnist/dataset.yaml", "dae/core/corruptions.py"}
RECORDS = "data/runs/"  # times and memory, which are no outputs
WITHOUT_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []
CORES = sorted(os.sched_getaffinity(0)) if shutil.which("taskset") else []

# Runs a stage as `python -m` does, and tells which files it opened and which parameters it read. A parameter that is
# not declared cannot be read. The snapshot of all code that a stage takes, to tell of what is saved while it runs, does
# not count. Arguments: the stage's module, the declared parameters, and where to write the account.
# A connection from Python fails also where only root could close the network.
OBSERVER = """
import json, os, runpy, sys
from pathlib import Path

sys.path.insert(0, "")
module, declared, account = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
opened, read = set(), set()
folder = os.getcwd() + os.sep

def by_the_snapshot():
    frame = sys._getframe()
    while frame and frame.f_code.co_qualname != "Snapshot.__init__":
        frame = frame.f_back
    return bool(frame)

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not by_the_snapshot():
        path = os.path.abspath(arguments[0])
        if path.startswith(folder):
            opened.add(path.removeprefix(folder))
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        raise SystemExit(f"a connection to {arguments[1]}")

class Declared:
    def __init__(self, section, name=""):
        self._section, self._name = section, name

    def __getattr__(self, key):
        name, value = f"{self._name}.{key}".strip("."), getattr(self._section, key)
        if name == "classes":  # no parameter: it comes from the data set's file, which is a dependency
            return value
        if hasattr(type(value), "model_fields"):
            return Declared(value, name)
        if declared is not None and not any(name == d or name.startswith(d + ".") for d in declared):
            raise SystemExit(f"{name} is read, but not declared")
        read.add(name)
        return value

    def model_dump(self, exclude=()):
        return {key: getattr(self, key) for key in type(self._section).model_fields if key not in exclude}

sys.addaudithook(note)
import stages.common.params
load = stages.common.params.load_params
stages.common.params.load_params = lambda: Declared(load())
sys.argv = [module]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    with open(f"{account}.{os.getpid()}", "w") as file:
        json.dump({"opened": sorted(opened), "read": sorted(read)}, file)
"""


def files(folder: Path, paths: list[str]) -> set[str]:
    """The paths, with all files in it for each that is a folder."""
    found = set()
    for name in paths:
        inside = [path for path in (folder / name).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        found |= {str(path.relative_to(folder)) for path in inside} or {name}
    return found


def declared_parameters(stage: dict) -> list[str] | None:
    """Dotted keys of params.yaml; None where the whole file is declared."""
    keys = []
    for item in stage["params"]:
        if isinstance(item, dict):
            assert item == {"params.yaml": None}
            return None
        keys.append(item)
    return keys


class Hermetic:
    """One run of a stage: its exit status, output and errors, files made, opened and declared, and parameters read."""

    def __init__(
        self,
        small,
        name: str,
        folder: Path,
        parameters: list[str] | None,
        without: str = "",
        environment: dict[str, str] | None = None,
    ):
        stage = STAGES[name]
        self.folder = folder / "project"
        self.outs = files(small.folder, names(stage.get("outs", []) + stage.get("metrics", [])))
        self.deps = files(small.folder, names(stage["deps"])) - {without}
        # dvc.yaml is the pipeline itself, which no stage may declare; the lock is only checked where it is not declared
        given = self.deps | ALLOWED | {"params.yaml", "dvc.yaml", "requirements-numeric.lock"}
        for path in given:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(small.folder / path, self.folder / path)
        account = folder / "account"
        # not all on the same core
        one_core = ["taskset", "--cpu-list", str(CORES[len(name) % len(CORES)])] if CORES else []
        observed = [sys.executable, "-c", OBSERVER, f"stages.{name}", json.dumps(parameters), str(account)]
        done = subprocess.run(
            [*one_core, *WITHOUT_NETWORK, *observed],
            cwd=self.folder,
            # one job, which is done in the stage's own process, where it is seen
            env=small.environment | (environment or {}) | {"PYTHONDONTWRITEBYTECODE": "1", "DAE_JOBS": "1"},
            capture_output=True,
            text=True,
            timeout=200,
        )
        self.status, self.output, self.errors = done.returncode, done.stdout, done.stderr
        accounts = [json.loads(path.read_text()) for path in folder.glob("account.*")]
        self.opened = {path for account in accounts for path in account["opened"]}
        self.read = {key for account in accounts for key in account["read"]}
        there = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}
        self.made = {path for path in there - given if not path.startswith(RECORDS)}


@pytest.fixture(scope="module")
def runs(small, hostile, tmp_path_factory) -> dict[str, Hermetic]:
    """All stages, two at a time; their inputs are those of the small project."""

    def run(name):
        folder = tmp_path_factory.mktemp(name)
        return Hermetic(small, name, folder, declared_parameters(STAGES[name]), environment=hostile)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(STAGES, pool.map(run, STAGES), strict=True))


each_stage = pytest.mark.parametrize("name", STAGES)


@each_stage
def test_a_stage_makes_exactly_its_outputs_with_the_same_bytes(runs, small, name):
    run = runs[name]
    assert run.status == 0, run.output + run.errors
    assert run.errors == ""
    assert run.made == run.outs
    for path in run.outs:
        assert (run.folder / path).read_bytes() == (small.folder / path).read_bytes(), path


@each_stage
def test_a_stage_opens_every_file_that_it_declares(runs, name):
    """Or some of a package that it declares as a whole. That it needs no other is shown by its having run without."""
    run = runs[name]
    packages = {dep: WHOLE[dep] for dep in STAGES[name]["deps"] if dep in WHOLE}
    in_packages = {path for path in run.deps if str(Path(path).parent) in packages}
    assert run.deps - in_packages <= run.opened
    for package, alone in packages.items():
        inside = {path for path in in_packages if str(Path(path).parent) == package}
        assert inside & run.opened - alone - ALLOWED, package


@each_stage
def test_a_stage_reads_every_parameter_that_it_declares(runs, name):
    """That it reads no other is shown by its having run."""
    for key in declared_parameters(STAGES[name]) or []:
        assert any(read == key or read.startswith(f"{key}.") for read in runs[name].read), key


def test_a_parameter_that_is_read_but_not_declared_fails(small, tmp_path):
    declared = [key for key in STAGES["split"]["params"] if key != "n_labels"]
    run = Hermetic(small, "split", tmp_path, declared)
    assert run.status != 0
    assert "n_labels is read, but not declared" in run.errors
    assert run.made == set()


@pytest.mark.parametrize("kind", [".py", ".npy"])
def test_a_file_that_is_read_but_not_declared_fails(small, tmp_path, kind):
    missing = max(path for path in names(STAGES["split"]["deps"]) if path.endswith(kind))
    run = Hermetic(small, "split", tmp_path, None, without=missing)
    assert run.status != 0
    assert Path(missing).stem in run.errors
    assert run.made == set()


def test_a_connection_fails(tmp_path):
    (tmp_path / "stages" / "common").mkdir(parents=True)
    (tmp_path / "stages" / "common" / "params.py").write_text("load_params = None")
    (tmp_path / "connect.py").write_text("import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=2)")
    arguments = ["-c", OBSERVER, "connect", "null", str(tmp_path / "account")]
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert "a connection to ('127.0.0.1', 9)" in done.stderr
    code = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)"
    if WITHOUT_NETWORK:
        done = subprocess.run([*WITHOUT_NETWORK, sys.executable, "-c", code], capture_output=True, text=True)
        assert "unreachable" in done.stderr
