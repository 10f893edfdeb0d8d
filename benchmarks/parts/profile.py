"""The times of the pieces of a training step of the project's own code, and a step beside that of an older commit."""

from benchmarks.harness import Section, Table, peers, ratios, rounds, spread
from benchmarks.projects import BEFORE, Project, clone, stage_seconds
from benchmarks.settings import pretraining, replicates
from benchmarks.tasks import Step
from tools.small import change

TITLE = "Where the time goes"
PIECES = {
    "whole": "the whole step",
    "rows, scaled": "rows, scaled",
    "corruption": "corruption",
    "gradients": "network and loss, both ways",
    "products": "of that, matrix products",
    "Adam": "Adam",
}


def measure(quick: bool) -> Section:
    """Time a step, and each of its pieces, of pre-training and of a classifier."""
    dae, c, steps = pretraining(quick), replicates(quick), 20 if quick else 300
    cases = {
        "pre-training": Step(dae.units, dae.n, dae.batch_size, steps, noise=dae.noise, dropout=0.0, classify=False),
        "classifier": Step(c.units, c.n_labels, c.batch_size, steps, noise=c.masking, dropout=c.dropout, classify=True),
    }
    found = {}
    for name, task in cases.items():
        with peers("ours_step") as peer:
            found[name] = peer["ours_step"].ask("step", task)
    rows = [
        [title, *(f"{times[piece]:.3f} ({100 * times[piece] / times['whole']:.0f} %)" for times in found.values())]
        for piece, title in PIECES.items()
    ]

    def without(*pieces: str) -> float:
        times = found["pre-training"]
        return times["whole"] / (times["whole"] - sum(times[piece] for piece in pieces))

    return [
        "Milliseconds a step of one of our trainings on one core, and of its pieces, each measured separately.",
        Table(["part", *cases], rows),
        f"Pre-training would be {without('corruption'):.2f} times as fast if corruption took no time, and "
        f"{without('corruption', 'Adam'):.2f} times if Adam took none either.",
        f"A classifier's step took turns with that of commit `{BEFORE}` (shortly before version 0.2.0). Its time is "
        "the difference between the stage `baseline` with many steps and with few, so neither the stage's start nor "
        "its predictions count. The stage trained two classifiers at once.",
        _beside(quick),
    ]


def _beside(quick: bool) -> Table:
    """A classifier's step now and before; a quick trial compares the project with itself."""
    with clone() as project:
        before = project if quick else project.at(BEFORE)
        calls = {name: lambda of=of: _milliseconds(of, quick) for name, of in (("now", project), ("before", before))}
        found = rounds(1 if quick else 3, calls, warm=False)
    cells = [spread(found["now"]), spread(found["before"]), spread(ratios(found["before"], found["now"]))]
    return Table(["what", "ms now", "ms before", "before / now"], [["a classifier's step", *cells]])


def _milliseconds(project: Project, quick: bool) -> float:
    """Milliseconds a step in a project's stage baseline."""
    parameters, seconds = project.folder / "params.yaml", []
    arm = "baseline" if "\nbaseline:" in parameters.read_text() else "finetune"  # one section held both arms' settings
    few, many = (10, 1010) if quick else (1000, 11_000)
    settings = {"replicates": 2, "pretrain.models": 1, "split.repeats": 0} | ({"network.units": [16]} if quick else {})
    for steps in (few, many):
        change(parameters, settings | {f"{arm}.steps": steps})
        seconds.append(stage_seconds(project.dvc("repro", "--force", "baseline"))["baseline"])
    return 1000 * (seconds[1] - seconds[0]) / (many - few)
