"""Write the speed table, benchmarks/results.md: `make bench`, or one part of it, such as `make bench PART=pretrain`."""

import argparse
import os
import re
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.contenders import has_torch
from benchmarks.contenders.common import RAW
from benchmarks.harness import Table
from benchmarks.parts import cold, growth, own, pipeline, pretrain, profile, replicates, setup, startup, studies
from stages.common.errors import StageError
from tools.environment import processor, versions

RESULTS = Path(__file__).with_name("results.md")
PARTS = {  # in the order of the results
    "pretrain": pretrain,
    "replicates": replicates,
    "profile": profile,
    "cold": cold,
    "pipeline": pipeline,
    "startup": startup,
    "growth": growth,
    "own": own,
    "studies": studies,
    "setup": setup,
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
    if {"pretrain", "replicates"} & set(parts or PARTS) and not has_torch() and not quick:
        raise StageError("PyTorch, a contender, is missing in this environment: python -m pip install 'torch>=2.13'")
    if not (RAW / "test_labels.npy").is_file():
        raise StageError("the data are missing: run dvc repro download")
    if not shutil.which("git"):
        raise StageError("git is missing")


def measure(part: str, quick: bool) -> str:
    """Measure a part; returns its section of the results as Markdown."""
    load = os.getloadavg()[0]
    blocks = [as_markdown(block) if isinstance(block, Table) else block for block in PARTS[part].measure(quick)]
    return "\n\n".join([f"## {PARTS[part].TITLE}", *blocks, note(part, load)]) + "\n"


def note(part: str, load: float) -> str:
    """When and where a part was measured."""
    when = f"Measured {date.today()} on {processor()}"
    return f"<sub>{when}; load average before: {load:.1f}; `make bench PART={part}`.</sub>"


def as_markdown(table: Table) -> str:
    """Write a table in Markdown."""
    header, *rows = (f"| {' | '.join(row)} |" for row in (table.header, *table.rows))
    return "\n".join([header, f"|{'---|' * len(table.header)}", *rows])


def head() -> list[str]:
    """The title of the results, and the versions; each section names its processor."""
    torch = f", torch {version('torch')}" if has_torch() else ""
    return ["# How fast it is", "", f"{versions()}{torch}.", ""]


def write(path: Path, title: str, section: str) -> None:
    """Add a section to the results, or replace it and say what changed, in the order of PARTS.

    The head has the present versions.
    """
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = {found.split("\n")[0]: f"## {found}" for found in old.split("\n## ")[1:]}
    sections[title] = section + changes(sections.get(title, ""), section)
    known = [sections[part.TITLE].rstrip() + "\n" for part in PARTS.values() if part.TITLE in sections]
    path.write_text("\n".join(head() + known), encoding="utf-8")


def changes(old: str, new: str) -> str:
    """A line with the cells whose leading number changed by more than 10 % since the old version of a section.

    It is empty if there are none, or no old version. It names the old version's date and processor.
    """
    measured, before = re.search(r"Measured ([^;]+)", old), _numbers(old)
    changed = [
        f"{row}, {column}: {before[row, column]} -> {number}"
        for (row, column), number in _numbers(new).items()
        if (row, column) in before and _differ(before[row, column], number)
    ]
    return f"\nSince {measured[1]}: {'; '.join(changed)}.\n" if measured and changed else ""


def _numbers(section: str) -> dict[tuple[str, str], str]:
    """The numbers with which cells begin, by the first cell of the row and the header of the column."""
    numbers = {}
    for table in re.findall(r"(?:^\|.+\n)+", section, re.MULTILINE):
        header, _, *rows = (line[2:-2].split(" | ") for line in table.splitlines())
        for row in rows:
            for column, cell in zip(header[1:], row[1:], strict=True):
                if found := re.match(r"[\d,.]*\d", cell):
                    numbers[row[0], column] = found[0]
    return numbers


def _differ(old: str, new: str) -> bool:
    before, after = (float(number.replace(",", "")) for number in (old, new))
    return abs(after - before) > 0.1 * before


if __name__ == "__main__":
    main()
