import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

from stages import _sources

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(trylast=True)  # when the tests that were not asked for are gone
def pytest_collection_modifyitems(items):
    """Files with slow tests come first. While the first file makes the small pipeline, files that need none run."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    small = {item.path for item in items if "small" in getattr(item, "fixturenames", ())}
    first = next((item.path for item in items if item.path in small), None)
    items.sort(key=lambda item: (item.path != first, item.path not in slow, item.path in small))


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
def made_once(tmp_path_factory, worker_id):
    """Makes a folder once for all processes that run tests side by side: `made_once(name, make)` returns it.

    CI sets DAE_MADE to a folder where they stay, for the tests under another Python.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = Path(os.environ.get("DAE_MADE", folder if worker_id == "master" else folder.parent))

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
def mnist_file(made_once) -> Path:
    """The real MNIST as the file that Keras's site serves: from the pipeline's own data when they are there, else from
    the first source that has it.
    """

    def make(folder: Path) -> None:
        arrays = own_mnist() or _sources.find("mnist")
        np.savez(folder / "mnist.npz", **{key: arrays[name] for name, key in _sources.NPZ_NAMES.items()})

    return made_once("mnist", make) / "mnist.npz"


def own_mnist() -> dict[str, np.ndarray] | None:
    """MNIST from data/raw; None if it is not there."""
    raw = ROOT / "data" / "raw"
    if not all((raw / f"{name}.npy").is_file() for name in _sources.NPZ_NAMES):
        return None
    arrays = {name: np.load(raw / f"{name}.npy") for name in _sources.NPZ_NAMES}
    known = _sources.DATASETS["mnist"]["sha256"]
    return arrays if all(_sources.sha256(arrays[name]) == known[name] for name in arrays) else None


@pytest.fixture(scope="session")
def mnist(mnist_file) -> dict[str, np.ndarray]:
    """The real MNIST, by the names of the files in data/raw."""
    with np.load(mnist_file) as file:
        return {name: file[key] for name, key in _sources.NPZ_NAMES.items()}


@pytest.fixture(scope="session")
def assert_equal_content():
    """Check that an English and a Portuguese text have the same numbers, figures, sections and rows of tables."""

    def check(english: str, portuguese: str, numbers: int) -> None:
        english, portuguese = (re.sub("(?s)```.*?```|`.*?`", "", text) for text in (english, portuguese))
        for pattern in (
            r"(?m)^!\[.+\]\((figures/\w+/\w+)\.",
            r"(?m)^#+(?= )",
            r"(?m)^\|",
            r"(?<=<sub>)\[",
            r"<!-- .+? -->",
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


@pytest.fixture(scope="module")
def browser(tool):
    path = tool("chromium", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens a page of a file; what it said to the console, and its requests, are looked at in the end."""
    said, asked, contexts = [], [], []

    def open_page(path: Path, width=1280, language="en-US", theme="light", init=""):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=language, color_scheme=theme, bypass_csp=True
        )
        contexts.append(context)
        opened = context.new_page()
        opened.add_init_script(init)
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda asking: asked.append(asking.url))
        opened.goto(path.as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url.split("#")[0].split(":")[0] for url in asked} <= {"file", "data"}
    assert len(contexts) <= len([url for url in asked if url.startswith("file:")])


@pytest.fixture
def overflowing():
    """What of a page is wider than the window."""
    script = """() => [document.documentElement, ...document.querySelectorAll("main *, nav *, header *")]
        .filter(e => e === document.documentElement ? e.scrollWidth > innerWidth
            : e.checkVisibility() && !e.closest(".scroll, pre, svg")
                && e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 80))"""
    return lambda opened: opened.evaluate(script)


@pytest.fixture(scope="session")
def axe(tool, tmp_path_factory) -> str:
    """The source of axe-core, the accessibility checker, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    command = [tool("npm"), "pack", "--silent", "axe-core@4.14.1"]
    name = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(folder / name) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.fixture
def faults(axe):
    """The serious faults of a page as it is now, by axe-core: which rule, and where."""

    def find(opened):
        opened.evaluate(axe)
        found = opened.evaluate("axe.run().then(result => result.violations)")
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        return [(v["id"], v["nodes"][0]["html"]) for v in serious]

    return find
