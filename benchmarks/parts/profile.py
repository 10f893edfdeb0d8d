"""The times of the pieces of a training step of the project's own code."""

from benchmarks.harness import Section, Table, peers
from benchmarks.settings import pretraining, replicates
from benchmarks.tasks import Step

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
    ]
