"""Experiments as a user of DVC runs them: queued, in temporary folders, over ranges, compared, applied, saved.

Minutes long, and so left to CI: pytest -m slow
"""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest
from conftest import Project

pytestmark = pytest.mark.slow

QUEUED = {
    "wide": ["evaluate.margin=0.4"],
    "gaussian": ["corruption=gaussian", "noise=0.3"],
    "wrong": ["noise=7"],
}


def table(project, *options: str) -> dict[str, dict]:
    """Status, and values of parameters and metrics, of every experiment, by name, from `dvc exp show --json`."""
    baselines = json.loads(project.dvc("exp", "show", "--json", *options))
    experiments = [e for baseline in baselines for e in baseline.get("experiments") or []]
    return {experiment["name"]: experiment["revs"][0] for experiment in experiments}


def value(experiment: dict, kind: str, path: str, key: str):
    return experiment["data"][kind][path]["data"][key]


@pytest.fixture(scope="module")
def queue(project, root):
    """The project, with the committed results of the studies, after two workers ran queued experiments."""
    shutil.copytree(root / "reports" / "studies", project.folder / "reports" / "studies")
    project.call("git", "add", ".")
    project.call("git", "commit", "--quiet", "--message=studies")
    for name, settings in QUEUED.items():
        options = [option for setting in settings for option in ("--set-param", setting)]
        assert "Queued" in project.dvc("exp", "run", "--queue", "--name", name, *options)
    project.dvc("exp", "run", "--queue", "--set-param", "noise=range(0.1,0.6,0.1)")
    project.range = {n: e for n, e in table(project).items() if n not in QUEUED}
    project.dvc("queue", "remove", *project.range)
    start = [sys.executable, "-m", "dvc", "queue", "start", "--jobs", "2"]
    environment = project.environment | {"DAE_JOBS": "1"}
    # not to a pipe: what DVC leaves behind has once held one open, and its end is not the command's
    subprocess.run(start, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=300)
    end = time.monotonic() + 280
    while re.search("Queued|Running|[12] (active|idle)", status := project.dvc("queue", "status")):
        assert time.monotonic() < end, status
        time.sleep(1)
    project.status = dict(re.findall(r"(?m)^[0-9a-f]{7} +(\w+) .* (\w+)$", status))
    yield project
    project.dvc("queue", "stop", "--kill")


def test_two_workers_run_the_queue_and_end(queue):
    assert queue.status == {"wide": "Success", "gaussian": "Success", "wrong": "Failed"}
    assert "0 active, 0 idle" in queue.dvc("queue", "status")
    assert queue.call("git", "status", "--porcelain") == ""


def test_a_wrong_value_in_the_queue_stops_its_experiment_with_one_clear_line(queue):
    log = queue.dvc("queue", "logs", "wrong")
    assert "ERROR: params.yaml: noise is 7; allowed is a number from 0 to 1" in log
    assert "Traceback" not in log


def test_a_range_makes_an_experiment_for_each_value(queue):
    noises = sorted(value(experiment, "params", "params.yaml", "noise") for experiment in queue.range.values())
    assert noises == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_wrong_key_is_refused_before_anything_runs(project):
    output = project.dvc("exp", "run", "--set-param", "noize=0.3", ok=False)
    assert "Could not override 'noize'" in output
    assert project.ran(output) == []
    assert project.call("git", "status", "--porcelain") == ""


def test_a_temporary_run_leaves_the_workspace_alone(queue):
    output = queue.dvc("exp", "run", "--temp", "--name", "temporary", "--set-param", "evaluate.confidence=0.8")
    assert set(queue.ran(output)) == {"evaluate", "report"}
    assert queue.call("git", "status", "--porcelain") == ""
    assert value(table(queue)["temporary"], "params", "params.yaml", "evaluate")["confidence"] == 0.8


def test_another_corruption_reruns_only_what_it_must(queue):
    ran = queue.ran(queue.dvc("queue", "logs", "gaussian"))
    assert set(ran) == {"pretrain", "reconstruct", "finetune", "evaluate", "report", "demo"}


def test_the_columns_that_matter_fit_in_120_characters(queue, root):
    (columns,) = re.findall(r"(?m)^EXP_COLUMNS \?= (.*)$", (root / "Makefile").read_text())
    terminal = Project(queue.folder, queue.environment | {"COLUMNS": "120"})
    shown = terminal.dvc("exp", "show", "--no-pager", "--drop", ".*", "--keep", columns.replace("$$", "$"))
    header = next(line for line in shown.splitlines() if "Experiment" in line)
    expected = ["Experiment", "verdict", "gain", "gain_low", "gain_high", "with_acc", "corruption", "noise"]
    assert header.split() == expected
    assert "[gaussian]" in shown
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 120


def test_experiments_are_compared_applied_branched_and_saved(queue):
    difference = json.loads(queue.dvc("exp", "diff", "--json", "main", "gaussian").splitlines()[-1])
    assert difference["params"]["params.yaml"]["noise"] == {"old": 0.5, "new": 0.3, "diff": pytest.approx(-0.2)}
    assert difference["params"]["params.yaml"]["corruption"] == {"old": "masking", "new": "gaussian"}
    assert difference["metrics"]["reports/reconstruction.json"]["psnr.noisy"]["diff"] > 0.5
    assert "without_acc" not in difference["metrics"]["reports/metrics.json"]

    queue.dvc("exp", "apply", "gaussian")
    assert "corruption: gaussian" in (queue.folder / "params.yaml").read_text()
    assert "up to date" in queue.dvc("status", "dvc.yaml")
    changed = json.loads(queue.dvc("params", "diff", "--json").splitlines()[-1])
    assert set(changed["params.yaml"]) == {"corruption", "noise"}

    queue.dvc("exp", "save", "--name", "saved")  # needs the results of the studies too
    assert value(table(queue)["saved"], "params", "params.yaml", "corruption") == "gaussian"
    queue.call("git", "checkout", "--quiet", "--force", "main")
    queue.dvc("checkout")

    queue.dvc("exp", "branch", "wide", "wide-margin")
    assert "evaluate.margin" in queue.dvc("params", "diff", "main", "wide-margin")
    assert "equivalent" in queue.dvc("metrics", "diff", "main", "wide-margin")
