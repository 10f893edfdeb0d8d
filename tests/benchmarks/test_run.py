import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import run
from benchmarks.harness import Table

PARTS = ["pretrain", "replicates", "profile", "cold", "pipeline", "startup", "growth"]


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
