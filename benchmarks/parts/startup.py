"""How long a stage takes to import its modules, and how long TensorFlow takes, which those that train import later."""

import os
import sys
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.harness import Section, Table, ratios, rounds, run, spread, verdict
from benchmarks.projects import ROOT, Project

TITLE = "Start-up of each stage"
TARGET = 2  # seconds, at most, for the stages that do not train
BACKEND = Path("dae/core/backend.py")  # imports TensorFlow
OURS, PLAINLY = "TensorFlow, which they train with", "TensorFlow, imported plainly"


def measure(quick: bool) -> Section:
    """Time the import of each stage's module in a new process."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    stages = Project(ROOT, environment).stages()
    light = {name for name, stage in stages.items() if not trains(stage)}
    code = {name: f"import stages.{name}" for name in (["split"] if quick else stages)} | {"nothing": "pass"}
    code |= {OURS: f"import {'.'.join(BACKEND.with_suffix('').parts)}", PLAINLY: "import dae, keras, tensorflow"}
    start = partial(run, sys.executable, cwd=ROOT, environment=environment)
    runs = rounds(1 if quick else 3, {name: partial(start, "-c", text) for name, text in code.items()})
    seconds = {name: [run.seconds for run in found] for name, found in runs.items()}
    rows = [
        [name, spread(values), verdict(median(values), TARGET if name in light else None, most=True)]
        for name, values in seconds.items()
    ]
    return [
        "From the start of Python until the stage's module is imported, with all that it imports at its head. Stages "
        "that train import TensorFlow after that, themselves or in their workers. The row `nothing` is Python alone: "
        "it tells how fast the machine was.",
        Table(["stage", "seconds", "target"], rows),
        f"Imported plainly, TensorFlow and Keras take {spread(ratios(seconds[PLAINLY], seconds[OURS]))} times as long "
        f"as by `{BACKEND}`, from the start of a process to its end.",
    ]


def trains(stage: dict) -> bool:
    """Whether a stage needs TensorFlow, itself or in its workers: it depends on the file or folder that imports it."""
    return any(map(BACKEND.is_relative_to, stage["deps"]))
