import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from stages import _sources

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tool():
    """The path of a program that some tests need; where it is missing they are skipped, but never in CI."""

    def find(*names: str) -> str:
        path = next(filter(None, map(shutil.which, names)), None)
        if path is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {' or '.join(names)} on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def mnist() -> dict[str, np.ndarray]:
    """The real MNIST: from the pipeline's own data when they are there, else from the first source that has it."""
    raw = ROOT / "data" / "raw"
    if all((raw / f"{name}.npy").is_file() for name in _sources.SHAPES):
        arrays = {name: np.load(raw / f"{name}.npy") for name in _sources.SHAPES}
        if all(_sources.sha256(arrays[name]) == _sources.DATASETS["mnist"]["sha256"][name] for name in arrays):
            return arrays
    return _sources.find("mnist")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """Makes a folder once for all processes that run tests side by side: `made_once(name, make)` returns it."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder if worker_id == "master" else folder.parent

    def find(name: str, make: Callable[[Path], None]) -> Path:
        with FileLock(shared / f"{name}.lock"):
            path = shared / f"{name}-made"
            if not (shared / f"{name}.done").exists():
                path.mkdir()
                make(path)
                (shared / f"{name}.done").touch()
        return path

    return find


@pytest.fixture(scope="session")
def mnist_file(mnist, made_once) -> Path:
    """MNIST as the file that Keras's site serves."""

    def make(folder: Path) -> None:
        np.savez(folder / "mnist.npz", **{key: mnist[name] for name, key in _sources.NPZ_NAMES.items()})

    return made_once("mnist", make) / "mnist.npz"


@pytest.fixture(scope="session")
def assert_equal_content():
    """Check that an English and a Portuguese text have the same numbers, figures, sections and rows of tables."""

    def check(english: str, portuguese: str, numbers: int) -> None:
        english, portuguese = (re.sub("`.*?`", "", text) for text in (english, portuguese))
        for pattern in (
            r"(?m)^!\[.+\]\((figures/\w+/\w+)\.",
            r"(?m)^#+(?= )",
            r"(?m)^\|",
            r"(?<=<sub>)\[",
            r"<!-- .+ -->",
        ):
            assert re.findall(pattern, english) == re.findall(pattern, portuguese)
        decimals = re.findall(r"\d[\d,]*\.\d+", english)
        assert len(decimals) > numbers
        swapped = [text.translate(str.maketrans(",.", ".,")) for text in decimals]
        assert sorted(swapped) == sorted(re.findall(r"\d[\d.]*,\d+", portuguese))

    return check


@pytest.fixture
def drawn_by(monkeypatch):
    """Let a module draw its figures, in English, but save none; gives the arguments of each, by the figure's name."""

    def watch(module) -> dict[str, tuple]:
        found = {}

        def save_figure(path, draw, *arguments):
            draw(*arguments, language="en")
            found[Path(path).name] = arguments

        monkeypatch.setattr(module, "save_figure", save_figure)
        return found

    return watch
