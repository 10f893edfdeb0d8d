"""DVC projects to measure: a fresh clone of this one, and two toy projects to compare it with."""

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import yaml

from benchmarks.contenders.common import RAW
from benchmarks.harness import Run, run
from stages._sources import NPZ_NAMES

ROOT = Path(__file__).parents[1]
PIPELINES = ("dvc.yaml", "studies/dvc.yaml")
BEFORE = "caf86e3"  # shortly before version 0.2.0; the speed is compared with that of this commit


@dataclass(frozen=True)
class Project:
    """A folder with a Git repository and a DVC project, the environment variables of its commands, and its Python."""

    folder: Path
    environment: dict[str, str]
    python: str = sys.executable

    def git(self, *arguments: str) -> Run:
        """Run a Git command in the project."""
        return run("git", *arguments, cwd=self.folder, environment=self.environment)

    def dvc(self, *arguments: str) -> Run:
        """Run a DVC command in the project."""
        return run(self.python, "-m", "dvc", *arguments, cwd=self.folder, environment=self.environment)

    def at(self, commit: str) -> "Project":
        """A clone at an older commit, beside this one, with the packages of its own requirements.lock.

        Raises:
            StageError: the commit is missing, or its packages cannot be installed.
        """
        folder, programs = self.folder.with_name(commit), self.folder.with_name(f"{commit}-venv") / "bin"
        environment = self.environment | {"PATH": f"{programs}:{self.environment['PATH']}"}
        project = Project(folder, environment, str(programs / "python"))
        run("git", "clone", "--quiet", str(ROOT), str(folder), cwd=ROOT, environment=environment)
        project.git("checkout", "--quiet", commit)
        run(sys.executable, "-m", "venv", str(programs.parent), cwd=folder, environment=environment)
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", project.python]
        run(
            *uv,
            "--compile-bytecode",
            "--require-hashes",
            "-r",
            "requirements.lock",
            cwd=folder,
            environment=environment,
        )
        return project

    def stages(self, pipeline: str = "dvc.yaml") -> dict[str, dict]:
        """The stages of a pipeline, by name, with the paths of the data set in params.yaml."""
        dataset = yaml.safe_load((self.folder / "params.yaml").read_text())["dataset"]
        return yaml.safe_load((self.folder / pipeline).read_text().replace("${dataset}", dataset))["stages"]

    def locked_paths(self) -> int:
        """The number of files and folders that all dvc.lock of the project list."""
        locks = [yaml.safe_load(path.read_text())["stages"] for path in self.folder.rglob("dvc.lock")]
        stages = chain.from_iterable(lock.values() for lock in locks)
        return sum(len(stage.get(kind, [])) for stage in stages for kind in ("deps", "outs"))

    def beside(self, name: str) -> "Project":
        """A new project without stages, in a folder beside this one's."""
        project = replace(self, folder=self.folder.with_name(name))
        project.folder.mkdir()
        project.git("init", "--quiet")
        project.dvc("init", "--quiet")
        return project


def stage_seconds(repro: Run) -> dict[str, float]:
    """The seconds of each stage that a `dvc repro` ran, from its start to the start of the next stage."""
    starts = [(when, found[1]) for when, line in repro.lines if (found := re.search(r"Running stage '(\w+)'", line))]
    return {name: end - start for (start, name), (end, _) in pairwise([*starts, (repro.seconds, "")])}


@contextlib.contextmanager
def clone() -> Iterator[Project]:
    """A fresh clone of this project, which loads the data set from a local file."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    environment |= {f"GIT_{r}_{k}": "bench@localhost" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with tempfile.TemporaryDirectory() as work:
        data, folder = Path(work, "mnist.npz"), Path(work, "clone")
        np.savez(data, **{key: np.load(RAW / f"{name}.npy", allow_pickle=False) for name, key in NPZ_NAMES.items()})
        run("git", "clone", "--quiet", str(ROOT), str(folder), cwd=ROOT, environment=environment)
        yield Project(folder, environment | {"DAE_DATA": str(data)})


def bare_project(beside: Project, n: int) -> Project:
    """A project of n stages, each of which copies one small file to the next; all stages are up to date."""
    project = beside.beside("bare")
    stages = {f"s{i}": {"cmd": f"cp {i} {i + 1}", "deps": [f"{i}"], "outs": [f"{i + 1}"]} for i in range(n)}
    (project.folder / "0").write_text("0")
    (project.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    project.dvc("repro", "--quiet")
    return project


def hollow_project(model: Project) -> Project:
    """A project with the stages, paths and parameters of `model`, but tiny files, and commands that do nothing.

    All stages are up to date.
    """
    project = model.beside("hollow")
    for pipeline in PIPELINES:
        stages = model.stages(pipeline)
        for stage in stages.values():
            stage["cmd"] = "true"
            for entry in chain(stage.get("deps", []), stage.get("outs", [])):
                path = Path(entry if isinstance(entry, str) else next(iter(entry)))
                path = project.folder / (path / "0" if (model.folder / path).is_dir() else path)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("0")
        (project.folder / pipeline).write_text(yaml.safe_dump({"stages": stages}))
        params = pipeline.replace("dvc", "params")
        shutil.copy(model.folder / params, project.folder / params)
    project.dvc("commit", "--force", "--quiet")
    return project
