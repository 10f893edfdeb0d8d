"""Nothing is lost: whenever the pipeline is killed, the next `dvc repro` ends as if it had not been.

Minutes long, and so left to CI: pytest -m slow
"""

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import QUOTED

STAGES = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text())["stages"]
KILLS = 3  # of each stage
DVC_TRIAL = re.compile(r"\.[\w-]{22}\.tmp")  # a file by which DVC finds out what links a folder can have
DVC_HALF = {  # what DVC says of a file of its own that it was writing when killed: that file, which it does not mend
    "JSON structure is corrupted": ".dvc/tmp/rwlock",
    "format error": ".dvc/tmp/rwlock",
    "dvc.lock' validation failed": "dvc.lock",
    "dvc.lock' is invalid": "dvc.lock",
}


def files(folder: Path) -> dict[str, bytes]:
    """All files of a project but those that git, DVC and Python keep for themselves."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and not {".git", ".dvc", "__pycache__", "runs"} & {*path.relative_to(folder).parts}
        and not DVC_TRIAL.fullmatch(path.name)
    }


def durations(folder: Path) -> dict[str, float]:
    """Seconds that each stage took, DVC's share included, from when the outputs of each were there."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    ends = {name: max((folder / out["path"]).stat().st_mtime for out in lock[name]["outs"]) for name in lock}
    order = sorted(ends, key=ends.get)
    return {order[0]: 1.0} | {name: ends[name] - ends[before] for before, name in pairwise(order)}


class Repro:
    """`dvc repro`, started; `stages` are those that have begun."""

    def __init__(self, project):
        self.process = psutil.Popen(
            [sys.executable, "-m", "dvc", "repro", "--no-run-cache"],
            cwd=project.folder,
            env=project.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def until_one_begins(self, stages: list[str]) -> str | None:
        """Read on until one of some stages begins; None if none ever does."""
        for line in self.process.stdout:
            self.output += line
            if (match := re.match("Running stage '(.*)':", line)) and match[1] in stages:
                return match[1]
        return None

    def kill(self, only_the_stage: bool) -> str:
        """SIGKILL all that runs, or what DVC started, whereupon nothing may go on; returns the stage hit."""
        running = [process for process in psutil.process_iter(["ppid"]) if session(process) == self.process.pid]
        started = [process for process in running if process.info["ppid"] == self.process.pid] if only_the_stage else []
        for process in started or running:  # DVC may be between two stages
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                process.kill()
        self.output += self.process.communicate(timeout=60)[0]
        _, alive = psutil.wait_procs(running, timeout=10)
        assert not [process for process in alive if status(process) not in (None, psutil.STATUS_ZOMBIE)]
        return re.findall("(?m)^Running stage '(.*)':$", self.output)[-1]


def session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def status(process: psutil.Process) -> str | None:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return None


@pytest.mark.slow
def test_killed_at_random_moments_the_pipeline_ends_as_if_undisturbed(small, tmp_path, capsys):
    project = type(small)(tmp_path / "project", small.environment)
    shutil.copytree(small.folder, project.folder, symlinks=True)
    for made in ("data", "reports", ".dvc/cache"):
        shutil.rmtree(project.folder / made)
    project.call("git", "restore", "data", *QUOTED)
    (project.folder / "dvc.lock").unlink()
    expected, seconds = files(small.folder), durations(small.folder)
    seed = random.randrange(2**32)
    rng, kills, halves, corrupt = random.Random(seed), dict.fromkeys(STAGES, 0), 0, 0
    lock, accepted = project.folder / "dvc.lock", None
    while True:
        now = lock.read_bytes() if lock.exists() else None
        left = [stage for stage in STAGES if kills[stage] < KILLS]
        repro = Repro(project)
        stage = repro.until_one_begins(left)
        if stage is None:
            repro.process.wait(60)
            if half := next((path for message, path in DVC_HALF.items() if message in repro.output), None):
                (project.folder / half).unlink()
                if half == lock.name and accepted:  # as by `git restore dvc.lock`
                    lock.write_bytes(accepted)
                corrupt += 1
                continue
            assert repro.process.returncode == 0, repro.output
            if not left:
                break
            # stages done before they were killed often enough run again, as if their commands had changed
            lock.write_text(re.sub(rf"(?m)^(  (?:{'|'.join(left)}):\n    cmd:) .*", r"\1 another", lock.read_text()))
            continue
        accepted = now  # a stage began, so DVC could read it
        time.sleep(rng.uniform(0, seconds[stage]))
        kills[repro.kill(only_the_stage=kills[stage] == 1)] += 1
        assert "Traceback" not in repro.output, repro.output
        for path, content in files(project.folder).items():
            if ".partial-" in path:
                halves += 1
            elif path == "reports/history/pretrain.csv":  # whole after every epoch
                assert set(content.splitlines()) <= set(expected[path].splitlines()), path  # of some of the dAEs
                assert content.endswith(b"\n")
            elif path != "dvc.lock":
                assert content == expected[path], f"half of {path}"
    with capsys.disabled():
        print(
            f"\n{sum(kills.values())} kills ({', '.join(f'{stage} {n}' for stage, n in kills.items())}; seed {seed}): "
            f"{halves} files were half-written under another name, DVC left a file of its own corrupt {corrupt} times"
        )
    assert "Traceback" not in repro.output
    assert files(project.folder) == expected
    assert project.call("git", "status", "--porcelain") == ""
    assert "up to date" in project.dvc("status", "dvc.yaml")
