"""What every stage needs around its own few lines: checked parameters, clear errors, whole files, progress."""

import contextlib
import itertools
import json
import os
import re
import resource
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import numpy as np
from PIL import Image
from tqdm import tqdm

from stages._params import BadParameters, Params, load_params

LANGUAGES = ("en", "pt")


class StageError(Exception):
    """Something that the user can mend; the message says how."""


def run(main: Callable[[Params], dict | None]) -> None:
    """Run a stage with the checked parameters; a user's mistake ends in its message, not in a traceback.

    What changes from run to run, the time taken, the memory and what `main` returns, goes to data/runs/, which is no
    output of the pipeline and enters no report; see stages/_environment.py.
    """
    start = time.monotonic()
    try:
        facts = main(load_params()) or {}
        kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        facts = {"seconds": round(time.monotonic() - start, 1), "peak_mib": round(kib / 1024)} | facts
        save_json(f"data/runs/{Path(sys.argv[0]).stem}.json", facts)
    except (BadParameters, StageError, ConnectionError) as error:
        sys.exit("\n".join(f"ERROR: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        sys.exit("interrupted")


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
    """A path to write to, moved to `path` when all is written, so that a file is there whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        partial = Path(folder) / path.name
        yield partial
        os.replace(partial, path)


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
    with whole(path) as partial, tempfile.TemporaryDirectory() as folder:
        stamped = Path(folder) / partial.name
        model.save(stamped)
        with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(partial, "w") as target:
            for name in sorted(source.namelist()):
                data = source.read(name)
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
