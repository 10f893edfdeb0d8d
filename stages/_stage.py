"""What every stage needs around its own few lines: checked parameters, clear errors, whole files, progress."""

import argparse
import contextlib
import itertools
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import joblib
import numpy as np
import psutil
from PIL import Image
from tqdm import tqdm

from stages._params import BadParameters, Params, load_params
from stages._surroundings import START

LANGUAGES = ("en", "pt")


class StageError(Exception):
    """Something that the user can mend; the message says how."""


def run(main: Callable[[Params], dict | None]) -> None:
    """Run a stage with the checked parameters; what the user can mend ends in its message, not in a traceback.

    A child process does the work, and this one waits for it. So Ctrl-C ends all at once with one line, whatever
    TensorFlow is doing; and whichever of the two is killed, nothing goes on. Under a debugger, or with the environment
    variable DAE_DEBUG, this process does the work itself.

    The stage fails if its code or parameters were saved meanwhile: DVC would record the new ones as what made the
    outputs.

    What changes from run to run, the time taken, the memory and what `main` returns, goes to data/runs/, which is no
    output of the pipeline and enters no report; see stages/_environment.py.
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
    # Ctrl-C is the parent's to answer; all that this process starts inherits that, so no worker prints a traceback
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=[awaited], daemon=True).start()
    _work(main)


def _show_help() -> None:
    """Print what the stage does, and end: a stage takes no arguments."""
    package, name = _module()
    argparse.ArgumentParser(
        prog=f"python -m {package}.{name}",
        description=sys.modules["__main__"].__doc__,
        epilog="It runs in the project's folder, and takes its settings from params.yaml.",
    ).parse_args()


def _module() -> tuple[str, str]:
    """Package and name of the module that runs, as `stages` and `split`."""
    return Path(sys.argv[0]).parent.name, Path(sys.argv[0]).stem


def _work(main: Callable[[Params], dict | None]) -> None:
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"  # of the workers; joblib's, which tells what it cleans up
    package, name = _module()
    start = time.monotonic()
    try:
        facts = main(load_params()) or {}
        if changed := START.changed(package, name):
            raise StageError(
                f"{', '.join(changed)}: saved while the stage ran, so what it made may be of the old or the new; "
                "run it again (dvc repro)"
            )
        kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        facts = {"seconds": round(time.monotonic() - start, 1), "peak_mib": round(kib / 1024)} | facts
        save_json(f"data/runs/{name}.json", facts)
    except BrokenProcessPool:
        _fail(
            "a process that trained was killed, perhaps for want of memory; "
            "fewer at once need less: set the environment variable DAE_JOBS, to 1 at the least"
        )
    except MemoryError as error:
        _fail(f"out of memory. {error}".strip())
    except (BadParameters, StageError, OSError) as error:
        _fail(str(error))
    except Exception as error:
        if "No space left on device" not in str(error.__cause__):  # joblib's error; of its cause it hands on the text
            raise
        free = shutil.disk_usage(tempfile.gettempdir()).free
        _fail(
            f"{tempfile.gettempdir()} cannot take what the processes share ({free / 1e6:.1f} MB are free there): "
            "name a folder with more in the environment variable TMPDIR"
        )


def _fail(message: str) -> None:
    sys.exit("\n".join(f"ERROR: {line}" for line in message.splitlines()))


def _wait_for(child: int) -> int | str:
    """The child's exit code, or a line that tells why it has none; nothing that it started is left."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except KeyboardInterrupt:
        _kill(child)
        return "interrupted"
    return code if code >= 0 else f"ERROR: killed by {signal.Signals(-code).name}, perhaps for want of memory"


def _end_with_parent(awaited: int) -> None:
    os.read(awaited, 1)  # the other end is the parent's alone, and closes with it
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)  # the main thread would tell of workers that were killed
    _kill(os.getpid())


def _kill(pid: int) -> None:
    """Kill a process and all that it has started. Workers of one that is killed otherwise end by themselves."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        started = process.children(recursive=True)
        # first the one that would tell of the others' ends, unless it is this one
        for one in [*started, process] if pid == os.getpid() else [process, *started]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def n_jobs() -> int:
    """How many processes train at once: DAE_JOBS, or as many as there are cores. It changes no result.

    Raises:
        StageError: DAE_JOBS is no whole number above 0.
    """
    value = os.environ.get("DAE_JOBS") or str(joblib.cpu_count())
    if not value.isdecimal() or int(value) < 1:
        raise StageError(f"the environment variable DAE_JOBS is {value!r}; allowed is a whole number above 0")
    return int(value)


@contextlib.contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A path to write to, moved to `path` when all is written, so that a file is there whole or not at all.

    What a killed process left there is overwritten.

    Raises:
        StageError: the file cannot be written, as on a full disk.
    """
    path = Path(path)
    partial = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or str(error)
        free = shutil.disk_usage(next(folder for folder in path.absolute().parents if folder.exists())).free
        raise StageError(f"{path} cannot be written ({free / 1e6:.1f} MB are free there): {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def save_array(path: str, array: np.ndarray) -> None:
    with whole(path) as partial:
        np.save(partial, array, allow_pickle=False)


def load_array(path: str) -> np.ndarray:
    """An array, mapped from its file and read-only."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def save_arrays(path: str, arrays: list[np.ndarray]) -> None:
    with whole(path) as partial:
        np.savez(partial, *arrays)


def load_encoders(models: int) -> list[list[np.ndarray]]:
    """Of each dAE that the stage pretrain made, the encoder's kernels and biases, in turn."""
    with np.load("data/pretrain/encoders.npz", allow_pickle=False) as archive:
        arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    size = len(arrays) // models
    return [arrays[i : i + size] for i in range(0, len(arrays), size)]


def load_images(path: str) -> np.ndarray:
    """Images with their pixels in a row: uint8 array of shape (n, pixels)."""
    images = load_array(path)
    return images.reshape(len(images), -1)


def save_text(path: str, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def save_json(path: str, values: dict) -> None:
    save_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def load_json(path: str) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def save_table(path: str, table, digits: int = 6) -> None:
    """A pandas table as CSV, without its index."""
    save_text(path, table.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))


def save_model(path: str, model) -> None:
    """A Keras model as a .keras file that is the same for the same model.

    Keras writes into its own the time of day and the addresses in memory of objects that layers share; here the time
    is fixed and the addresses are numbered in order.
    """
    numbers = defaultdict(itertools.count(1).__next__)
    with whole(path) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial) as stamped:
            contents = {name: stamped.read(name) for name in sorted(stamped.namelist())}
        with zipfile.ZipFile(partial, "w") as target:
            for name, data in contents.items():
                if name == "metadata.json":
                    data = json.dumps(json.loads(data) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                elif name == "config.json":
                    data = re.sub(rb'(?<="shared_object_id": )\d+', lambda m: b"%d" % numbers[m[0]], data)
                target.writestr(zipfile.ZipInfo(name), data)


def save_figure(path: str, draw: Callable, *arguments) -> None:
    """A matplotlib figure in each language as PNG, with nothing in it that changes from run to run.

    Args:
        path: without its end: `.en.png` and `.pt.png` are put to it.
        draw: makes the figure of the arguments and a `language`.
    """
    for language in LANGUAGES:
        with whole(f"{path}.{language}.png") as partial:
            draw(*arguments, language=language).savefig(partial, dpi=150, metadata={"Software": None})


def save_image(path: str, pixels: np.ndarray) -> None:
    """An array of shape (height, width) with values in [0, 1] as a grey PNG, pixel by pixel."""
    with whole(path) as partial:
        Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(partial, optimize=True)


class Progress:
    """A bar on a terminal, plain lines with the time taken in a log."""

    def __init__(self, total: int, unit: str):
        self.total, self.unit, self.done, self.start = total, unit, 0, time.monotonic()
        self.bar = tqdm(total=total, unit=unit, disable=None)

    def step(self, note: str = "") -> None:
        self.done += 1
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update()
        if self.bar.disable:
            seconds = time.monotonic() - self.start
            print(f"{self.unit} {self.done}/{self.total}  {seconds:.0f} s  {note}".rstrip(), flush=True)
        elif self.done == self.total:
            self.bar.close()
