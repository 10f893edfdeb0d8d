"""Clones of the project with little training, under the real DVC and on the real MNIST."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SMALL = {
    "n_labels": 100,
    "replicates": 2,
    "split.repeats": 1,
    "pretrain.models": 2,
    "network.units": [64, 32],
    "pretrain.epochs": 1,
    "reconstruct.min_psnr_gain": -10.0,  # an epoch is too little to learn to denoise
    "reconstruct.levels": [0.0, 0.5],
    "finetune.steps": 100,
    "evaluate.resamples": 100,
    "theory.images": 500,
    "theory.few": 100,
    "theory.epochs": 1,
    "theory.codes": [2, 16],
}


SMALL_STUDIES = {
    "tune.configurations": 2,
    "tune.folds": 2,
    "tune.draws": [1, 1],
    "tune.keep": [1],
    "tune.space.steps": [20, 40],
    "label_curve.n_labels": [50, 100, 200],
    "label_curve.replicates": 2,
    "label_curve.replicates_above": 2,
    "noise_curve.levels": {"masking": [0.5, 0.7], "gaussian": [0.5]},
    "noise_curve.epochs": 1,
    "noise_curve.replicates": 2,
    "ablations.epochs": 2,
    "ablations.replicates": 2,
    "ladder.n_labels": [100, 200],
    "ladder.replicates": 2,
    "ladder.replicates_elsewhere": 2,
    "ladder.units": [32],
    "ladder.costs": [100.0, 1.0, 0.1],
    "ladder.epochs": 2,
    "ladder.fast_epochs": 1,
    "ladder.thresholds": [0, 90],
    "ladder.validation_draws": 1,
    "ladder.student.steps": 150,
    "ladder.convolutional.units": [4, 16],
    "ladder.convolutional.steps": 150,
    "ladder.pushed.units": [32],
    "ladder.pushed.epochs": 1,
    "ladder.pushed.dropout": 0.0,
    "ladder.pushed.learning_rate": 0.01,
    "ladder.pushed.steps": 100,
}


def write_changed(path: Path, changes: dict) -> None:
    """Set some keys of a YAML file, by their dotted names."""
    values = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        *sections, name = key.split(".")
        target = values
        for section in sections:
            target = target[section]
        assert name in target
        target[name] = value
    path.write_text(yaml.safe_dump(values, sort_keys=False))


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
            timeout=300,
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
def small(root, mnist_file, tmp_path_factory) -> Project:
    """The main pipeline, run once and committed; nobody may change it."""
    folder = tmp_path_factory.mktemp("small") / "clone"
    environment = os.environ | {
        "DAE_DATA": str(mnist_file),
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{f"GIT_{role}_{key}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
    }
    project = Project(folder, environment)
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in tracked.stdout.decode().split("\0"):
        if name and (root / name).is_file() and not name.startswith("reports/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((root / name).read_bytes())
            (folder / name).chmod((root / name).stat().st_mode)
    for lock in (folder / "dvc.lock", folder / "studies" / "dvc.lock"):
        lock.unlink(missing_ok=True)
    write_changed(folder / "params.yaml", SMALL)
    write_changed(folder / "studies" / "params.yaml", SMALL_STUDIES)
    project.call("git", "init", "--quiet", "--initial-branch=main")
    project.output = project.dvc("repro")
    project.call("git", "add", ".")
    project.call("git", "commit", "--quiet", "--message=small")
    return project


@pytest.fixture(scope="module")
def project(small, tmp_path_factory) -> Project:
    """A copy of the small project, with its data and its cache, for the tests of one module."""
    folder = tmp_path_factory.mktemp("project") / "clone"
    shutil.copytree(small.folder, folder, symlinks=True)
    project = Project(folder, small.environment)
    project.output = small.output
    return project
