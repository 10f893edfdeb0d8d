"""Reads and writes files. A file is written completely or not at all, and the same content gives the same bytes."""

import contextlib
import itertools
import json
import os
import re
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.common.errors import StageError

if TYPE_CHECKING:  # their import takes time, which a stage that does not use them need not wait for
    import keras
    import pandas as pd


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write atomically: yields a temporary path that replaces `path` on success; folders are made if needed.

    A file that a killed process has left at the temporary path is overwritten.

    Raises:
        StageError: the file cannot be written, for example on a full disk.
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
    """Write an array as .npy."""
    with atomic_write(path) as partial:
        np.save(partial, array, allow_pickle=False)


def load_array(path: str) -> np.ndarray:
    """Load an array from a .npy file: memory-mapped and read-only."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def load_images(path: str) -> np.ndarray:
    """Load images with their pixels in a row: uint8 array of shape (n, pixels), memory-mapped and read-only."""
    images = load_array(path)
    return images.reshape(len(images), -1)


def save_arrays(path: str, *arrays: np.ndarray, **named: np.ndarray) -> None:
    """Write arrays as .npz; those without a name get NumPy's, arr_0, arr_1, ..."""
    with atomic_write(path) as partial:
        np.savez(partial, *arrays, allow_pickle=False, **named)


def load_arrays(path: str) -> dict[str, np.ndarray]:
    """Load the arrays of a .npz file by their names, in the order in which they were saved."""
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def save_text(path: str, text: str) -> None:
    """Write text as UTF-8, with line feeds on every system."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def save_json(path: str, values: dict) -> None:
    """Write JSON.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    save_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def load_json(path: str) -> dict:
    """Load the content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def save_table(path: str, table: "pd.DataFrame", digits: int = 6) -> None:
    """Write a table as CSV, without its index; floats have `digits` significant digits."""
    save_text(path, table.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))


def save_model(path: str, model: "keras.Model") -> None:
    """Write a Keras model as a .keras file that has the same bytes for the same model.

    Keras writes the time and the memory addresses of shared objects into the file. Here the time is fixed, and the
    addresses are replaced by 1, 2, ... in the order in which they occur.
    """
    numbers: dict[bytes, int] = defaultdict(itertools.count(1).__next__)
    with atomic_write(path) as partial:
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
