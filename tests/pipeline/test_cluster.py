"""Whole stages on a Dask cluster, a scheduler and two workers here, give the bytes that they give without."""

import shutil
import subprocess
import sys
import time

import pytest
from distributed import Client

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(project, tmp_path_factory):
    """A client; the cluster stays while one stage after the other runs on it."""
    folder = tmp_path_factory.mktemp("cluster")
    running, file = [], folder / "scheduler.json"

    def start(*arguments: str) -> None:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        with (folder / f"{len(running)}.log").open("w") as log:
            options = {"cwd": project.folder, "env": project.environment, "stdout": log, "stderr": subprocess.STDOUT}
            running.append(subprocess.Popen(command, **options))

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    while not file.is_file() or not file.read_text():
        time.sleep(0.1)
    for _ in range(2):
        start("worker", "--scheduler-file", str(file), "--nthreads", "1", "--local-directory", str(folder))
    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2)
        yield client
    for process in reversed(running):
        process.terminate()
        process.wait()


def calls_made(client: Client) -> int:
    return client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)


@pytest.mark.parametrize("stage", ["finetune", "baseline", "theory", "studies/dvc.yaml:label_curve"])
def test_a_stage_on_a_cluster_gives_the_same_bytes(stage, project, cluster, monkeypatch):
    project.dvc("repro", "--single-item", stage)
    project.call("git", "add", ".")
    project.call("git", "commit", "--quiet", "--allow-empty", "--message=without")
    shutil.rmtree(project.folder / "data" / "studies", ignore_errors=True)
    before = calls_made(cluster)
    address = {"DASK_SCHEDULER_ADDRESS": cluster.scheduler.address}
    monkeypatch.setattr(project, "environment", project.environment | address)
    project.dvc("repro", "--single-item", "--force", stage)
    assert calls_made(cluster) > before
    assert not project.call("git", "status", "--porcelain")
