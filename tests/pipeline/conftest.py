"""Clones of the project with little training, under the real DVC and on the real MNIST."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.common.surroundings import OURS
from tools.small import main as write_small
from tools.verify import ELSEWHERE, KERAS_JSON, MATPLOTLIBRC

QUOTED = ("reports/methods.csv", "reports/departures.csv")  # from the studies, by `make readme`; no stage makes them


class Project:
    """A clone of the project at its working tree, with small parameters, and its DVC."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder, self.environment = folder, environment

    def call(self, *command: str, ok: bool = True) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def dvc(self, *arguments: str, ok: bool = True) -> str:
        return self.call(sys.executable, "-m", "dvc", *arguments, ok=ok)

    def ran(self, output: str) -> list[str]:
        """Names of the stages that ran, from DVC's output."""
        return re.findall(r"Running stage '(\w+)'", output)

    def json(self, path: str) -> dict:
        return json.loads((self.folder / path).read_text())


@pytest.fixture(scope="session")
def small(root, mnist_file, made_once) -> Project:
    """The main pipeline, run once and committed; nobody may change it."""
    environment = os.environ | {
        "DAE_DATA": str(mnist_file),
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{f"GIT_{role}_{key}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
    }

    def make(folder: Path) -> None:
        clone = folder / "clone"
        copy_tracked(root, clone)
        for lock in (clone / "dvc.lock", clone / "studies" / "dvc.lock"):
            lock.unlink(missing_ok=True)
        write_small(clone)
        project = Project(clone, environment)
        project.call("git", "init", "--quiet", "--initial-branch=main")
        (folder / "output.txt").write_text(project.dvc("repro"))
        project.call("git", "add", ".")
        project.call("git", "commit", "--quiet", "--message=small")

    folder = made_once("small", make)
    project = Project(folder / "clone", environment)
    project.output = (folder / "output.txt").read_text()
    return project


def copy_tracked(root: Path, folder: Path) -> None:
    """Copy the files in git, and those that are to be added, without what stages report, and with no frozen study."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    for name in tracked:
        if name and (root / name).is_file() and (name in QUOTED or not name.startswith("reports/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((root / name).read_bytes())
            (folder / name).chmod((root / name).stat().st_mode)
    # a frozen study would need the reports that made it
    studies = folder / "studies" / "dvc.yaml"
    studies.write_text(re.sub(r"(?m)^    frozen: true.*\n", "", studies.read_text()))


@pytest.fixture(scope="module")
def project(small, tmp_path_factory) -> Project:
    """A copy of the small project, with its data and its cache, for the tests of one module."""
    folder = tmp_path_factory.mktemp("project") / "clone"
    shutil.copytree(small.folder, folder, symlinks=True)
    project = Project(folder, small.environment)
    project.output = small.output
    return project


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> dict[str, str]:
    """The environment of a user who has set much: variables, files of settings, warnings that are errors, a home that
    cannot be written, packages of the project's names on the path.
    """
    folder = tmp_path_factory.mktemp("hostile")
    home, path = folder / "home", folder / "path"
    for made in (home / ".keras", home / ".config" / "matplotlib"):
        made.mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    (home / ".config" / "matplotlib" / "matplotlibrc").write_text(MATPLOTLIBRC)
    (home / ".config").chmod(0o500)
    (folder / "matplotlibrc").write_text(MATPLOTLIBRC)
    for package in OURS:
        (path / package).mkdir(parents=True)
        (path / package / "__init__.py").write_text("raise SystemExit('the wrong package')")
    return ELSEWHERE | {
        "HOME": str(home),
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "MPLCONFIGDIR": "/proc/no-such-folder",
        "PYTHONPATH": str(path),
        "PYTHONWARNINGS": "error",
        "JOBLIB_MULTIPROCESSING": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_DETERMINISTIC_OPS": "0",
        "TF_NUM_INTRAOP_THREADS": "4",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
        "SKLEARN_WORKING_MEMORY": "1",
    }
