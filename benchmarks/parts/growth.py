"""How time and memory grow with the number of replicates, labels and units of the network."""

from dataclasses import replace

from benchmarks.harness import Section, Table, peers
from benchmarks.settings import replicates
from benchmarks.tasks import classifier_widths

TITLE = "Growth"


def measure(quick: bool) -> Section:
    """Train replicates, with one of these numbers changed at a time."""
    task = replicates(quick)
    task = replace(task, steps=10 if quick else 200)
    cases = [("replicates", str(n), replace(task, pairs=n)) for n in ((2,) if quick else (1, 4, 16, 64))]
    if not quick:
        cases += [("labels", f"{n:,}", replace(task, n_labels=n)) for n in (100, 1000, 60_000)]
        for factor in (0.25, 1, 4):
            units = [max(1, int(factor * width)) for width in task.units]
            cases.append(("width", "-".join(map(str, units)), replace(task, units=units)))
    rows = []
    for kind, value, case in cases:
        with peers("ours") as found:
            found["ours"].ask("replicates", replace(case, pairs=1, steps=10))  # starts the processes
            answer = found["ours"].ask("replicates", case)
        seconds = answer["seconds"]
        rows.append([f"{kind}: {value}", f"{seconds:.2f}", f"{seconds / case.pairs:.2f}", f"{answer['peak_mib']:,.0f}"])
    return [
        f"Replicates of both arms, {task.steps} steps each, {task.n_labels:,} labels and "
        f"{'-'.join(map(str, classifier_widths(task.units)))} unless said otherwise, in {task.n_jobs} processes that "
        "run already; one run each, compiling included. The memory is the sum of these and the one that starts them.",
        Table(["what grows", "seconds", "seconds/replicate", "peak MiB"], rows),
    ]
