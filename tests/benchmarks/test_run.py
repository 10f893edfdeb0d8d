import re
import subprocess
import sys
from datetime import date

import numpy as np
import pytest

from benchmarks import run
from benchmarks.harness import Table
from tools.environment import processor

PARTS = ["pretrain", "replicates", "profile", "cold", "pipeline", "startup", "growth", "own", "studies", "setup"]


def bench(*arguments, root):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.run", *arguments], cwd=root, capture_output=True, text=True
    )


def test_sections_are_renewed_in_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "head", lambda: ["# Head", ""])
    path = tmp_path / "results.md"
    run.write(path, "Growth", "## Growth\n\nold\n")
    run.write(path, "Pre-training", "## Pre-training\n\nfirst\n")
    run.write(path, "Growth", "## Growth\n\nnew\n")
    assert path.read_text() == "# Head\n\n## Pre-training\n\nfirst\n\n## Growth\n\nnew\n"


def test_a_table_is_markdown():
    table = Table(["what", "seconds"], [["a", "1"], ["b", "2"]])
    assert run.as_markdown(table) == "| what | seconds |\n|---|---|\n| a | 1 |\n| b | 2 |"


SINCE = f"\nSince {date.today()} on {processor()}: "


def section(*rows, header=("what", "speed", "", "seconds")):
    return f"## Growth\n\n{run.as_markdown(Table([*header], [*map(list, rows)]))}\n\n{run.note('growth', 0.1)}\n"


def test_cells_that_changed_by_more_than_a_tenth_are_told():
    old = section(["a", "1,000 (900 to 1,100)", "", "2.0 s"], ["b", "10 %", "", "5"], ["gone", "1", "", "1"])
    new = section(["a", "1,101 (999 to 1,200)", "", "2.1 s"], ["b", "8.9 %", "9", ""], ["new", "1", "", "1"])
    assert run.changes(old, new) == f"{SINCE}a, speed: 1,000 -> 1,101; b, speed: 10 -> 8.9.\n"


def test_nothing_is_told_without_a_change_or_an_old_section():
    new = section(["a", "≥ 2: reached", "", "0.0"])
    assert run.changes(new, section(["a", "≥ 9: **missed**", "", "0.0"])) == ""
    assert run.changes(new, section(["a", "", "", "0.0"], header=("what", "speed", "", "minutes"))) == ""
    assert run.changes("", new) == ""


def test_changes_stand_below_a_section_until_it_is_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "head", lambda: ["# Head", ""])
    path = tmp_path / "results.md"
    told = ["", f"{SINCE}a, speed: 1 -> 2.\n", ""]
    for speed, line in zip("122", told, strict=True):
        run.write(path, "Growth", section(["a", speed, "", ""]))
        assert path.read_text() == f"# Head\n\n{section(['a', speed, '', ''])}{line}"


def test_an_unknown_part_is_one_clear_line(root):
    done = bench("speed", root=root)
    assert done.stderr == f"ERROR: speed is no part of the benchmark; parts are {', '.join(PARTS)}\n"
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_each_part_fills_its_tables(part, root, mnist, tmp_path, monkeypatch):
    """PyTorch is left out where it is not installed."""
    for name, array in mnist.items():
        np.save(tmp_path / f"{name}.npy", array)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    path = tmp_path / "results.md"
    done = bench(part, "--quick", "--results", str(path), root=root)
    assert done.returncode == 0, done.stderr
    tables = re.findall(r"(?m)^\| .+\n\|(?:---\|)+\n((?:\|.+\n)+)", path.read_text())
    assert tables
    for row in "".join(tables).splitlines():
        assert re.search(r"\| [\d.,]+", row)
