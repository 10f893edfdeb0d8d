"""Runs trainings in processes of one thread each, on this machine or on a Dask cluster.

On a cluster it uses Dask's own client, because joblib's backend for Dask (joblib 1.6) waits for ever when workers die.
"""

import functools
import hashlib
import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from importlib.metadata import version
from pathlib import Path
from typing import Any

from joblib import Parallel

PATIENCE = 60  # seconds to wait for a scheduler or a worker
IDLE = 24 * 3600  # seconds after which a process without a call ends; calls of other processes must take less
POLL = 2  # seconds between checks that the cluster still has workers
_one_at_a_time = threading.Lock()  # a cluster's worker trains one network at a time, however many threads it has


def workers(n_jobs: int) -> Callable[[Iterable[tuple]], Iterator]:
    """Return a function that runs `joblib.delayed` calls in other processes, one thread each.

    The function yields the results in order, each as soon as it is ready. If the environment variable
    DASK_SCHEDULER_ADDRESS is set, all workers of that Dask cluster make the calls; a call whose worker dies is retried
    on another. Else `n_jobs` processes of this machine do; they stay for the next use with the same number.

    Raises:
        ConnectionError: while results are read: the package `distributed` is not installed, the scheduler does not
            answer, the cluster has no worker for `PATIENCE` seconds, a call kills each worker it is retried on, a
            worker has other code or packages, or the connection is lost. The message says what to do.
    """
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        return functools.partial(_on_cluster, address)
    return Parallel(n_jobs=n_jobs, return_as="generator", inner_max_num_threads=1, idle_worker_timeout=IDLE, **LOCAL)


def _end_with_parent() -> None:
    """End this worker soon after its parent ends, however that ends: a killed parent cannot stop its workers."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL / 4)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


LOCAL = {"backend": "loky", "initializer": _end_with_parent}  # how joblib starts workers on this machine


def _on_cluster(address: str, calls: Iterable[tuple]) -> Iterator:
    try:
        from distributed import Client, Future, KilledWorker
    except ModuleNotFoundError as error:
        raise ConnectionError(
            "DASK_SCHEDULER_ADDRESS is set, and trainings on a Dask cluster need a package that is not installed: "
            f"{sys.executable} -m pip install distributed"
        ) from error

    where = f"the Dask cluster at {address} (DASK_SCHEDULER_ADDRESS)"
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"{where} does not answer within {PATIENCE} s: {' '.join(str(error).split())}") from error
    warnings.filterwarnings(
        "ignore", "Sending large graph"
    )  # images travel with each call: the workers may share no disk
    identity = _identity()
    running: deque[Future] = deque()

    def result(future: Future) -> Any:
        alone = 0
        while True:
            try:
                return future.result(timeout=POLL)
            except TimeoutError:
                if future.done():  # it has ended meanwhile, or the call itself raised TimeoutError
                    return future.result()
                alone = 0 if client.ncores() else alone + POLL
                if alone >= PATIENCE:
                    raise ConnectionError(
                        f"{where} has had no worker for {PATIENCE} s that can import this project; start one in the "
                        f"project's folder: dask worker {address} --nthreads 1"
                    ) from None

    with client:
        try:
            for function, args, kwargs in calls:
                running.append(client.submit(_call, identity, function, *args, **kwargs, pure=False))
                # two calls a core keep workers busy; more would fill the scheduler's memory with images
                if len(running) > 2 * max(1, sum(client.ncores().values())):
                    yield result(running.popleft())
            while running:
                yield result(running.popleft())
        except RuntimeError as error:
            if not isinstance(error.__cause__, ModuleNotFoundError):
                raise
            raise ConnectionError(
                f"the scheduler of {where}: {error.__cause__}; start it in the project's folder"
            ) from error
        except KilledWorker as error:
            raise ConnectionError(f"{where}: {error}") from error
        except CancelledError as error:
            raise ConnectionError(f"lost the connection to {where}") from error


def _call(identity: dict[str, str], function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Make a call in a worker of a cluster, with the same set-up as in a process of this machine."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    from dae.core.training import set_up_tensorflow

    here = f"the Dask worker at {get_worker().address}"
    if others := [name for name, value in _identity().items() if value != identity.get(name)]:
        raise ConnectionError(f"{here} has another version of {', '.join(others)}, so results would not be the same")
    with _one_at_a_time, threadpool_limits(1):
        try:
            set_up_tensorflow()
        except RuntimeError as error:
            raise ConnectionError(f"{here} has run TensorFlow otherwise, start it anew ({error})") from error
        return function(*args, **kwargs)


@functools.cache
def _identity() -> dict[str, str]:
    """What results depend on, except the arguments: versions of the packages that compute, and our code's SHA-256."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py")))
    packages = ("numpy", "scipy", "scikit-learn", "tensorflow", "keras")
    return {name: version(name) for name in packages} | {"this project's code": hashlib.sha256(code).hexdigest()}
