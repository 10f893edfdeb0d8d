"""How time and memory grow with the number and the size of images of one's own."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.harness import Section, Table, run
from benchmarks.projects import Project, clone
from tools.small import SMALL, change

TITLE = "Your own images"
SIZES = [(20_000, 28), (20_000, 64), (200_000, 64)]  # images, and pixels of a side
STAGES = ("download", "split", "pretrain", "reconstruct", "finetune", "baseline", "evaluate", "theory", "demo")
SETTINGS = {  # little training, on all images
    "dataset": "own",
    "replicates": 2,
    "split.repeats": 0,
    "pretrain.models": 1,
    "pretrain.epochs": 1,
    "finetune.steps": 100,
    "baseline.steps": 100,
    "reconstruct.min_psnr_gain": -100,
    "theory.seeds": 1,
    "theory.epochs": 1,
    "theory.codes": [32, 4096],
    "theory.tasks.epochs": 1,
}


def measure(quick: bool) -> Section:
    """Import random images of each number and size into a clone, and run the stages with an epoch of each training."""
    rows = []
    for n, side in [(1000, 8)] if quick else SIZES:
        with clone() as project, tempfile.TemporaryDirectory() as folder:
            seconds = imported(project, Path(folder, "images.npz"), n, side)
            change(project.folder / "params.yaml", SETTINGS | (SMALL["params.yaml"] if quick else {}))
            project.dvc("repro", "--single-item", *STAGES)
            found = {name: json.loads((project.folder / f"data/runs/{name}.json").read_text()) for name in STAGES}
        most = max(found, key=lambda name: found[name]["peak_mib"])
        others = sum(facts["seconds"] for name, facts in found.items() if name not in ("pretrain", "reconstruct"))
        times = [seconds, found["pretrain"]["seconds"], found["reconstruct"]["seconds"], others]
        peak = f"{found[most]['peak_mib']:,.0f} ({most})"
        rows.append([f"{n:,} of {side} × {side} pixels", *(f"{value:.0f}" for value in times), peak])
    return [
        "Random images, of which 1,000 have a label, imported and run through the pipeline with one epoch of one dAE "
        "and two replicates of 100 steps; one run each. The memory is that of the stage that takes most: of itself and "
        "of the largest of its processes.",
        Table(["images", "import (s)", "pretrain (s)", "reconstruct (s)", "other stages (s)", "peak MiB"], rows),
    ]


def imported(project: Project, path: Path, n: int, side: int) -> float:
    """Make images of ten classes and import them; returns the seconds of the import."""
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(n) < min(1000, n // 2), np.arange(n) % 10, -1)
    tests = rng.integers(0, 256, (max(100, n // 10), side, side), np.uint8)
    np.savez(
        path,
        x_train=rng.integers(0, 256, (n, side, side), np.uint8),
        y_train=labels,
        x_test=tests,
        y_test=np.arange(len(tests)) % 10,
    )
    command = [sys.executable, "-m", "tools.import_images", str(path)]
    return run(*command, cwd=project.folder, environment=project.environment).seconds
