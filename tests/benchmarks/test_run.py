import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import contenders, run

PARTS = ["pretrain", "replicates", "pipeline", "startup", "growth"]


def bench(*arguments, root):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.run", *arguments], cwd=root, capture_output=True, text=True
    )


@pytest.fixture
def data(mnist, tmp_path, monkeypatch):
    """The data, where the benchmark looks for them."""
    for name, array in mnist.items():
        np.save(tmp_path / f"{name}.npy", array)
    return {"DAE_BENCH": str(tmp_path)}


def test_products_are_those_of_a_training_step():
    sizes = contenders.products([32, 16], 8)
    assert len(sizes) == 3 * 4 - 1
    weights = 2 * (784 * 32 + 32 * 16)
    assert sum(m * k * n for m, k, n in sizes) == 8 * (3 * weights - 784 * 32)


def test_sections_are_renewed_in_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "head", lambda: ["# Head", ""])
    path = tmp_path / "results.md"
    run.write(path, "Growth", "## Growth\n\nold\n")
    run.write(path, "Pre-training", "## Pre-training\n\nfirst\n")
    run.write(path, "Growth", "## Growth\n\nnew\n")
    assert path.read_text() == "# Head\n\n## Pre-training\n\nfirst\n\n## Growth\n\nnew\n"


def test_an_unknown_part_is_one_clear_line(root):
    done = bench("speed", root=root)
    assert done.stderr == f"ERROR: speed is no part of the benchmark; parts are {', '.join(PARTS)}\n"
    assert done.returncode == 1


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch, a contender, is not installed")
@pytest.mark.parametrize("part", PARTS)
def test_each_part_fills_its_table(part, root, tmp_path):
    path = tmp_path / "results.md"
    done = bench(part, "--quick", "--results", str(path), root=root)
    assert done.returncode == 0, done.stderr
    text = path.read_text()
    assert text.count("\n## ") == 1
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert len(rows) >= 4
    assert all(
        re.search(r"\d", row[-1] + row[-2] + row[-3])
        for row in rows
        if not set("".join(row)) <= set(" -") and row[0].strip() not in ("contender", "what", "stage", "what grows")
    )
