"""Runs a stage in a child process that can be ended at any time, and reports errors clearly."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import joblib
import psutil

from stages.common.errors import StageError
from stages.common.files import save_json
from stages.common.params import Params, load_params
from stages.common.surroundings import START


def run(main: Callable[[Params], dict | None]) -> None:
    """Run a stage with the checked parameters; an error that the user can fix prints its message without traceback.

    A child process does the work, and this one waits for it. So Ctrl-C ends both at once with one line, whatever
    TensorFlow is doing; and if one of the two is killed, the other ends. Under a debugger, or if the environment
    variable DAE_DEBUG is set, this process does the work itself.

    The stage fails if its code or parameters are saved while it runs, because DVC would record the new ones as those
    that made the outputs.

    The time taken, the memory and what `main` returns differ each time. They are saved in data/runs/, which is not an
    output of the pipeline and in no report; tools/environment.py reads it.

    Args:
        main: does the stage's work with the parameters; returns further facts for data/runs/, or None.
    """
    if len(sys.argv) > 1:
        _show_help()
    if os.environ.get("DAE_DEBUG") or sys.gettrace() or "debugpy" in sys.modules:
        return _work(main)
    awaited, waiting = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.close(awaited)
        sys.exit(_wait_for(child))
    os.close(waiting)
    # only the parent reacts to Ctrl-C; the processes that this one starts inherit that, so no worker prints a traceback
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=[awaited], daemon=True).start()
    _work(main)


def _show_help() -> None:
    """Print what the stage does, and exit: a stage takes no arguments."""
    package, name = _module()
    argparse.ArgumentParser(
        prog=f"python -m {package}.{name}",
        description=sys.modules["__main__"].__doc__,
        epilog="It runs in the project's folder, and takes its settings from params.yaml.",
    ).parse_args()


def _module() -> tuple[str, str]:
    """Package and name of the module that runs, such as `stages` and `split`."""
    return Path(sys.argv[0]).parent.name, Path(sys.argv[0]).stem


def _work(main: Callable[[Params], dict | None]) -> None:
    """Do the stage's work and save its time and memory; an error that the user can fix ends the process."""
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"  # for joblib's workers: it warns of files that it removes
    package, name = _module()
    start = time.monotonic()
    try:
        facts = main(load_params()) or {}
        if changed := START.changed(package, name):
            raise StageError(
                f"{', '.join(changed)}: saved while the stage ran, so its outputs may come from the old or the new "
                "version; run it again (dvc repro)"
            )
        kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        facts = {"seconds": round(time.monotonic() - start, 1), "peak_mib": round(kib / 1024)} | facts
        save_json(f"data/runs/{name}.json", facts)
    except BrokenProcessPool:
        _fail(
            "a process that trained was killed, perhaps for want of memory; "
            "fewer at once need less memory: set the environment variable DAE_JOBS to a smaller number, at least 1"
        )
    except MemoryError as error:
        _fail(f"out of memory. {error}".strip())
    except (StageError, OSError) as error:
        _fail(str(error))
    except Exception as error:
        if "No space left on device" not in str(error.__cause__):  # joblib's error: only its cause's text says so
            raise
        free = shutil.disk_usage(tempfile.gettempdir()).free
        _fail(
            f"{tempfile.gettempdir()} is too small for the data that the processes share ({free / 1e6:.1f} MB are free "
            "there): set the environment variable TMPDIR to a folder with more space"
        )


def _fail(message: str) -> None:
    sys.exit("\n".join(f"ERROR: {line}" for line in message.splitlines()))


def _wait_for(child: int) -> int | str:
    """Wait for the child; returns its exit code, or a line that says why it has none. No process of it is left."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM acts like Ctrl-C
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except KeyboardInterrupt:
        _kill(child)
        return "interrupted"
    return code if code >= 0 else f"ERROR: killed by {signal.Signals(-code).name}, perhaps for want of memory"


def _end_with_parent(awaited: int) -> None:
    """Wait until the parent ends, then kill this process and all that it has started."""
    os.read(awaited, 1)  # only the parent has the other end, which closes when the parent ends
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)  # else the main thread would print errors about killed workers
    _kill(os.getpid())


def _kill(pid: int) -> None:
    """Kill a process and all that it has started. (If it is killed in another way, its workers end by themselves.)"""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        started = process.children(recursive=True)
        # the process goes first, because it would print errors about the others; this one must go last
        for one in [*started, process] if pid == os.getpid() else [process, *started]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def n_jobs() -> int:
    """The number of processes that train at once: DAE_JOBS, or the number of cores. It changes no result.

    Raises:
        StageError: DAE_JOBS is not a whole number above 0.
    """
    value = os.environ.get("DAE_JOBS") or str(joblib.cpu_count())
    if not value.isdecimal() or int(value) < 1:
        raise StageError(f"the environment variable DAE_JOBS is {value!r}; allowed is a whole number above 0")
    return int(value)
