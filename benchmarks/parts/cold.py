"""The whole pipeline in a fresh clone, with all its stages."""

import json
from statistics import median

from benchmarks.harness import Section, Table, spread, verdict
from benchmarks.projects import clone, stage_seconds

TITLE = "The whole pipeline, cold"
TARGETS = (5, 7)  # minutes, without and with the stages of the theory


def measure(quick: bool) -> Section:
    """Time `dvc repro --force` and each of its stages."""
    with clone() as project:
        # --force, because a clone has the committed reports, and DVC would skip the stages that write them
        command = ["repro", "--force", *(["split"] if quick else [])]
        runs = [project.dvc(*command) for _ in range(1 if quick else 3)]
        stages = [stage_seconds(run) for run in runs]
        memory = {
            name: json.loads((project.folder / f"data/runs/{name}.json").read_text())["peak_mib"] for name in stages[0]
        }
    theory = [sum(found[name] for name in found if name.startswith("theory")) for found in stages]
    minutes = {
        "the stages of the main question": [(run.seconds - t) / 60 for run, t in zip(runs, theory, strict=True)],
        "and those of the theory": [run.seconds / 60 for run in runs],
    }
    return [
        f"`dvc repro --force` in a fresh clone, the data in a file; {len(runs)} runs.",
        Table(
            ["what", "minutes", "target"],
            [
                [what, spread(found), verdict(median(found), target, most=True)]
                for (what, found), target in zip(minutes.items(), TARGETS, strict=True)
            ],
        ),
        "Each stage, with its start; peak memory of its process, without those of the workers that train replicates:",
        Table(
            ["stage", "seconds", "peak MiB"],
            [[name, spread([found[name] for found in stages], 1), f"{peak:,}"] for name, peak in memory.items()],
        ),
    ]
