"""The whole pipeline in a fresh clone, with all its stages, in turns with that of an older commit."""

import json
from statistics import median

import yaml

from benchmarks.harness import Section, Table, ratios, rounds, spread, verdict
from benchmarks.projects import BEFORE, Project, clone, stage_seconds

TITLE = "The whole pipeline, cold"
TARGETS = (5, 7)  # minutes, without and with the stages of the theory
UNITS = {"pretrain": "an epoch of a dAE", "finetune": "1,000 steps", "baseline": "1,000 steps"}  # of a stage's work


def measure(quick: bool) -> Section:
    """Time `dvc repro --force` and each of its stages; a quick trial compares the project with itself."""
    with clone() as project:
        before = project if quick else project.at(BEFORE)
        # --force, because a clone has the committed reports, and DVC would skip the stages that write them
        command = ["repro", "--force", *(["split"] if quick else [])]
        calls = {"now": lambda: project.dvc(*command), "before": lambda: before.dvc(*command)}
        timed = rounds(1 if quick else 2, calls, warm=False)
        works = [_work(project), _work(before)]
        runs = timed["now"]
        stages, old = ([stage_seconds(run) for run in timed[name]] for name in calls)
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
        f"It took turns with the pipeline of commit `{BEFORE}` (shortly before version 0.2.0), which had the packages "
        "of its own lock. Some stages train more or less now. So the last rows divide a stage's seconds, its start and "
        "its predictions included, by what it trains. *Where the time goes* compares the steps alone.",
        Table(["what", "seconds now", "seconds before", "before / now"], _compared(stages, old, works)),
    ]


def _work(project: Project) -> dict[str, float]:
    """How many of its `UNITS` each stage trains."""
    params = yaml.safe_load((project.folder / "params.yaml").read_text())
    runs = params["replicates"] + params["split"]["repeats"]
    baseline = params.get("baseline", params["finetune"])  # one section held the settings of both arms
    return {
        "pretrain": params["pretrain"]["models"] * params["pretrain"]["epochs"],
        "finetune": runs * params["finetune"]["steps"] / 1000,
        "baseline": runs * baseline["steps"] / 1000,
    }


def _compared(now: list[dict], before: list[dict], works: list[dict[str, float]]) -> list[list[str]]:
    """Rows with the seconds of the whole, of each stage that both have, and of a unit of work."""
    pairs = {"all stages": [[sum(found.values()) for found in runs] for runs in (now, before)]}
    pairs |= {name: [[found[name] for found in runs] for runs in (now, before)] for name in now[0] if name in before[0]}
    for name in (name for name in UNITS if name in pairs):
        divided = zip(pairs[name], works, strict=True)
        pairs[f"{name}, {UNITS[name]}"] = [[seconds / of[name] for seconds in found] for found, of in divided]
    return [[name, spread(a), spread(b), spread(ratios(b, a))] for name, (a, b) in pairs.items()]
