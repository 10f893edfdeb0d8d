"""Where trainings run: in processes of one thread each, on this machine or on a Dask cluster.

The cluster is spoken to with Dask's own client, as joblib's backend for Dask (1.6) waits for ever when workers die.
"""

import functools
import hashlib
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from importlib.metadata import version
from pathlib import Path

from joblib import Parallel

PATIENCE = 60  # seconds, for a scheduler or a worker that does not come
IDLE = 24 * 3600  # seconds that a process waits for its next call: longer than the others' calls may take
POLL = 2  # seconds between looks at whether there are workers still
_one_at_a_time = threading.Lock()  # in a worker: a process trains one network at a time, whatever its threads


def workers(n_jobs: int) -> Callable[[Iterable[tuple]], Iterator]:
    """What runs `joblib.delayed` calls in other processes, one thread each; results come in order, when ready.

    With the environment variable DASK_SCHEDULER_ADDRESS these are the workers of that Dask cluster, as many as there
    are; a call whose worker dies is made again on another. Else they are `n_jobs` processes of this machine, kept
    between uses with the same number.

    Raises:
        ConnectionError: as results are read: the scheduler does not answer, no worker is there for `PATIENCE` seconds,
            calls end every worker that makes them, or a worker has other code or packages; the message says what to do.
    """
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        return functools.partial(_on_cluster, address)
    return Parallel(n_jobs=n_jobs, return_as="generator", inner_max_num_threads=1, idle_worker_timeout=IDLE, **LOCAL)


def _end_with_parent() -> None:
    """End this process soon after the one that started it, however that ends: a killed one cannot tell its workers."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL / 4)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


LOCAL = {"backend": "loky", "initializer": _end_with_parent}  # how joblib starts workers on this machine


def _on_cluster(address: str, calls: Iterable[tuple]) -> Iterator:
    from distributed import Client, KilledWorker

    where = f"the Dask cluster at {address} (DASK_SCHEDULER_ADDRESS)"
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"{where} does not answer within {PATIENCE} s: {' '.join(str(error).split())}") from error
    warnings.filterwarnings(
        "ignore", "Sending large graph"
    )  # images travel with each call: the workers may share no disk
    identity, running = _identity(), deque()

    def result(future):
        alone = 0
        while True:
            try:
                return future.result(timeout=POLL)
            except TimeoutError:
                if future.done():  # meanwhile, or by a TimeoutError of the call's own
                    return future.result()
                alone = 0 if client.ncores() else alone + POLL
                if alone >= PATIENCE:
                    raise ConnectionError(
                        f"{where} has had no worker for {PATIENCE} s that finds our modules; start one in the "
                        f"project's folder: dask worker {address} --nthreads 1"
                    ) from None

    with client:
        try:
            for function, args, kwargs in calls:
                running.append(client.submit(_call, identity, function, *args, **kwargs, pure=False))
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
            raise ConnectionError(f"{where} went away") from error


def _call(identity: dict[str, str], function: Callable, *args, **kwargs):
    """Make a call in a worker of a cluster, as a process of this machine would."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    from dae.training import set_up_tensorflow

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
    """What results depend on, beside the arguments: versions of the packages that compute, and our code's SHA-256."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    packages = ("numpy", "scipy", "scikit-learn", "tensorflow", "keras")
    return {name: version(name) for name in packages} | {"this project's code": hashlib.sha256(code).hexdigest()}
