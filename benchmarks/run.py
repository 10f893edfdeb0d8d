"""Write the speed table, benchmarks/results.md: `make bench`, or one part of it, such as `make bench PART=pretrain`."""

import argparse
import os
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.contenders import has_torch
from benchmarks.contenders.common import RAW
from benchmarks.harness import Table
from benchmarks.parts import cold, growth, pipeline, pretrain, profile, replicates, startup
from stages.common.errors import StageError
from tools.environment import machine

RESULTS = Path(__file__).with_name("results.md")
PARTS = {  # in the order of the results
    "pretrain": pretrain,
    "replicates": replicates,
    "profile": profile,
    "cold": cold,
    "pipeline": pipeline,
    "startup": startup,
    "growth": growth,
}


def main() -> None:
    """Measure the parts, and print and write each as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="a trial with tiny settings")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    try:
        check(options.parts, options.quick)
        for part in options.parts or PARTS:
            text = measure(part, options.quick)
            print(text, flush=True)
            write(options.results, PARTS[part].TITLE, text)
    except StageError as error:
        sys.exit(f"ERROR: {error}")


def check(parts: list[str], quick: bool) -> None:
    """Raise StageError if a part is unknown, or something that the benchmark needs is missing."""
    if unknown := [part for part in parts if part not in PARTS]:
        raise StageError(f"{unknown[0]} is no part of the benchmark; parts are {', '.join(PARTS)}")
    if not has_torch() and not quick:
        raise StageError("PyTorch, a contender, is missing in this environment: python -m pip install 'torch>=2.13'")
    if not (RAW / "test_labels.npy").is_file():
        raise StageError("the data are missing: run dvc repro download")
    if not shutil.which("git"):
        raise StageError("git is missing")


def measure(part: str, quick: bool) -> str:
    """Measure a part; returns its section of the results as Markdown."""
    load = os.getloadavg()[0]
    blocks = [as_markdown(block) if isinstance(block, Table) else block for block in PARTS[part].measure(quick)]
    note = f"<sub>Measured {date.today()}; load average before: {load:.1f}; `make bench PART={part}`.</sub>"
    return "\n\n".join([f"## {PARTS[part].TITLE}", *blocks, note]) + "\n"


def as_markdown(table: Table) -> str:
    """Write a table in Markdown."""
    header, *rows = (f"| {' | '.join(row)} |" for row in (table.header, *table.rows))
    return "\n".join([header, f"|{'---|' * len(table.header)}", *rows])


def head() -> list[str]:
    """The title of the results and the machine."""
    torch = f", torch {version('torch')}" if has_torch() else ""
    return ["# How fast it is", "", f"{machine()[0][:-1]}{torch}.", ""]


def write(path: Path, title: str, section: str) -> None:
    """Add or replace a section of the results, in the order of PARTS; the head describes the present machine."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = {found.split("\n")[0]: f"## {found}" for found in old.split("\n## ")[1:]} | {title: section}
    known = [sections[part.TITLE].rstrip() + "\n" for part in PARTS.values() if part.TITLE in sections]
    path.write_text("\n".join(head() + known), encoding="utf-8")


if __name__ == "__main__":
    main()
