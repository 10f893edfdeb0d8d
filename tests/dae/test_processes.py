"""Trainings on a real Dask cluster on this machine: a scheduler and workers, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from distributed import Client

from dae import processes
from dae.classifiers import ClassifierJob, ClassifierSettings, train_classifiers

RECIPE = ClassifierSettings(units=(32, 16), dropout=0.2, masking=0.3, batch_size=20, steps=1000, learning_rate=0.003)


@pytest.fixture
def start(root, tmp_path):
    """Start one of Dask's programs, in the project's folder or another."""
    running = []

    def start(*arguments: str, cwd=root) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        with (tmp_path / f"{len(running)}.log").open("w") as log:
            running.append(subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT))
        return running[-1]

    yield start
    for process in reversed(running):
        process.kill()
        process.wait()


@pytest.fixture
def start_scheduler(start, tmp_path, monkeypatch):
    """Start a scheduler that gives a call up when it has ended two workers; calls go to it. Returns its address."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1")
    file = tmp_path / "scheduler.json"

    def start_scheduler(**options) -> str:
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file), **options)
        while not file.is_file() or not file.read_text():
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        return address

    return start_scheduler


@pytest.fixture
def scheduler(start_scheduler) -> str:
    return start_scheduler()


@pytest.fixture
def worker(start, scheduler, tmp_path):
    def start_worker(threads: int = 1, **options) -> subprocess.Popen:
        arguments = ["--no-nanny", "--nthreads", str(threads), "--local-directory", str(tmp_path)]
        return start("worker", scheduler, *arguments, **options)

    return start_worker


@pytest.fixture
def replicates(mnist) -> list[tuple[ClassifierJob, ClassifierSettings]]:
    images, labels, test_images = mnist["train_images"], mnist["train_labels"], mnist["test_images"][:500]
    images, test_images = images[:800].reshape(8, 100, -1), test_images.reshape(500, -1)
    return [
        (ClassifierJob(images[i], labels[100 * i : 100 * (i + 1)], test_images, (), seed=i), RECIPE) for i in range(8)
    ]


def test_a_worker_that_is_killed_changes_no_result(replicates, worker, scheduler, monkeypatch):
    """Nor does a worker of several threads."""
    worker()
    worker(threads=2)
    with Client(scheduler) as client:
        client.wait_for_workers(2)
        pids = client.run(os.getpid)
        results, found, busy = train_classifiers(replicates, n_jobs=1), [], []
        while not busy:
            found.append(next(results))
            busy = [address for address, keys in client.processing().items() if keys]
        os.kill(pids[busy[0]], signal.SIGKILL)
        found += results
        assert len(client.ncores()) == 1
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS")
    for a, b in zip(found, train_classifiers(replicates, n_jobs=2), strict=True):
        assert np.array_equal(a.probabilities, b.probabilities)
        assert a.history == b.history
        assert all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))


@pytest.mark.slow
def test_calls_that_end_every_worker_end_in_an_error(worker, scheduler):
    worker(), worker()
    with Client(scheduler) as client:
        client.wait_for_workers(2)
    with pytest.raises(ConnectionError, match="all those workers died"):
        list(processes.workers(1)([(os._exit, (1,), {})]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_scheduler_that_does_not_answer(address, replicates, monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
    monkeypatch.setattr(processes, "PATIENCE", 1)
    with pytest.raises(ConnectionError) as error:
        list(train_classifiers(replicates, n_jobs=1))
    assert f"{address} (DASK_SCHEDULER_ADDRESS) does not answer within 1 s" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_worker_that_never_comes(replicates, scheduler, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 3)
    with pytest.raises(ConnectionError, match=rf"no worker for 3 s.* dask worker {scheduler} --nthreads 1"):
        list(train_classifiers(replicates, n_jobs=1))


@pytest.mark.slow
def test_a_worker_outside_the_projects_folder(replicates, worker, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 6)
    worker(cwd=tmp_path)
    with pytest.raises(ConnectionError, match=r"no worker for 6 s that .* the project's folder"):
        list(train_classifiers(replicates, n_jobs=1))


@pytest.mark.slow
def test_a_scheduler_outside_the_projects_folder(replicates, start_scheduler, tmp_path):
    start_scheduler(cwd=tmp_path)
    with pytest.raises(
        ConnectionError, match=r"the scheduler of .* No module named 'dae'; start it in the project's folder"
    ):
        list(train_classifiers(replicates, n_jobs=1))


@pytest.mark.slow
def test_a_worker_with_other_code_or_that_ran_tensorflow_otherwise(replicates, worker, scheduler, monkeypatch):
    worker()
    short = [(replicates[0][0], replace(RECIPE, steps=20))]
    with monkeypatch.context() as patch:
        patch.setattr(processes, "_identity", lambda: {"numpy": "1.0"})
        with pytest.raises(ConnectionError, match="has another version of numpy, scipy"):
            list(train_classifiers(short, n_jobs=1))
    with Client(scheduler) as client:
        client.submit(
            exec,
            "from dae.core.backend import tf; tf.config.threading.set_intra_op_parallelism_threads(2); tf.zeros(1)",
        ).result()
    with pytest.raises(ConnectionError, match="has run TensorFlow otherwise, start it anew"):
        list(train_classifiers(short, n_jobs=1))


def test_a_cluster_without_the_package_for_it_is_told_of_in_a_line(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConnectionError, match=r"DASK_SCHEDULER_ADDRESS is set, .* -m pip install distributed$"):
        list(processes.workers(1)([]))
