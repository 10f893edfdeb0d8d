"""How long it takes to make the environment from nothing."""

import os
import re
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.harness import Section, Table, rounds, run
from benchmarks.projects import ROOT

TITLE = "Set-up"
INSTALLERS = ("uv", "pip")
LOCKS = ("requirements.lock", "requirements-dev.lock")


def measure(quick: bool) -> Section:
    """Time `make` with each installer, then with nothing to do; a quick trial only prints what make would run."""
    packages = " and ".join(f"{count_packages((ROOT / lock).read_text())} of `{lock}`" for lock in LOCKS)
    calls, sizes = {}, {}
    with tempfile.TemporaryDirectory() as work:
        # empty caches, so that all packages are loaded
        environment = os.environ | {f"{name}_CACHE_DIR": f"{work}/cache/{name}" for name in ("UV", "PIP")}
        command = ["make", *(["--dry-run"] if quick else [])]
        for installer in INSTALLERS:
            venv = f"{work}/{installer}/venv"
            asked = [f"INSTALLER={installer}", f"VENV={venv}", f"{venv}/.ready"]
            calls[installer] = partial(run, *command, *asked, cwd=ROOT, environment=environment)
            Path(venv).parent.mkdir()
        runs = rounds(1, calls | {"again": calls[INSTALLERS[-1]]}, warm=False)
        for installer in INSTALLERS:
            (_, line), *_ = run("du", "-sk", f"{work}/{installer}", cwd=ROOT, environment=environment).lines
            sizes[installer] = f"{int(line.split()[0]) * 1024 / 1e9:.2f}"
    return [
        f"`make .venv/.ready` from nothing, with each installer and empty caches, one run each; *again* has nothing to "
        f"do. Packages: {packages}; the environment timed has the former only.",
        Table(
            ["installer", "seconds", "GB on disk"],
            [[name, f"{found.seconds:.2f}", sizes.get(name, "")] for name, (found,) in runs.items()],
        ),
    ]


def count_packages(lock: str) -> int:
    """The number of packages that a file of requirements pins."""
    return len(re.findall(r"(?m)^[\w.\[\]-]+==", lock))
