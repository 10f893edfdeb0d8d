"""The pipeline with nothing to do, compared with toy projects, and after a change of one setting."""

from statistics import median

from benchmarks.harness import Run, Section, Table, ratios, rounds, spread, verdict
from benchmarks.projects import bare_project, clone, hollow_project, stage_seconds

TITLE = "The whole pipeline, with little or nothing to do"
CHANGES = ("finetune.dropout=0.2", "noise=0.4", "evaluate.margin=0.006")
TARGETS = {"bare": 1.25}  # largest ratio to the seconds of a toy project


def measure(quick: bool) -> Section:
    """Time `dvc repro` here and in the toy projects, then an experiment for each of `CHANGES`."""
    changes, targets = (("n_labels=100",), ("split",)) if quick else (CHANGES, ())
    with clone() as project:
        project.dvc("repro", *targets)
        # experiments start from a commit, and this is the state to go back to after each
        project.git("add", ".")
        project.git("commit", "--quiet", "--allow-empty", "--message=bench")
        bare = bare_project(project, len(targets or project.stages()))
        hollow = hollow_project(project)
        repro = {
            "ours": lambda: project.dvc("repro", *targets),
            "bare": lambda: bare.dvc("repro"),
            "hollow": lambda: hollow.dvc("repro", *targets),
        }
        idle = rounds(1 if quick else 15, repro)
        paths = [each.locked_paths() for each in (project, bare)]
        changed = {}
        for change in changes:
            changed[change] = project.dvc("exp", "run", "-S", change, *targets)
            project.git("checkout", "--quiet", "--force", "HEAD")
            project.dvc("checkout", "--quiet", "--allow-missing")
    seconds = {name: [run.seconds for run in runs] for name, runs in idle.items()}
    return [
        f"One run each in a fresh clone, the data in a file; nothing to do: {len(seconds['ours'])} runs each, in "
        f"turns. With nothing to do, DVC reads and compares {paths[0]} paths of two `dvc.lock` here, and {paths[1]} in "
        "the bare project. The hollow project has our stages with all their paths, but tiny files and commands that do "
        "nothing: DVC needs its time for any project that lists its dependencies in such detail.",
        Table(["what", "measured", "target"], _idle_rows(seconds) + _changed_rows(changed)),
    ]


def _idle_rows(seconds: dict[str, list[float]]) -> list[list[str]]:
    idling, names = "`dvc repro`, nothing to do,", {"bare": "a bare project", "hollow": "the hollow project"}
    rows = []
    for name, title in names.items():
        ratio = ratios(seconds["ours"], seconds[name])
        target = verdict(median(ratio), TARGETS.get(name), most=True)
        rows.append([f"{idling} against {title} with as many stages", f"{spread(ratio)} times", target])
    for name, values in seconds.items():
        rows.append([f"{idling} {f'in {names[name]}' if name in names else 'here'}", f"{spread(values)} s", ""])
    return rows


def _changed_rows(runs: dict[str, Run]) -> list[list[str]]:
    return [
        [f"`dvc exp run -S {change}`: {', '.join(stage_seconds(run))}", f"{run.seconds:.1f} s", ""]
        for change, run in runs.items()
    ]
