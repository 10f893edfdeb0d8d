"""The training of classifiers, compared with the other contenders."""

from dataclasses import replace
from functools import partial
from statistics import fmean, median

from benchmarks.contenders import NAMES, available
from benchmarks.harness import Section, Table, peers, ratios, rounds, spread, verdict
from benchmarks.settings import replicates
from benchmarks.tasks import classifier_widths

TITLE = "Paired replicates"
TARGETS = {"keras_fit": 6.0, "keras_step": None, "torch_eager": 1.8}  # least ratio of our speed to theirs
PAIRS = {"ours": 2, "keras_fit": 1, "keras_step": 1, "torch_eager": 1}  # ours trains two at once


def measure(quick: bool) -> Section:
    """Time paired replicates of each contender."""
    task = replicates(quick)
    with peers(*available()) as contenders:
        calls = {}
        for name, peer in contenders.items():
            tasks = replace(task, pairs=PAIRS[name])
            peer.ask("replicates", replace(tasks, steps=20))  # starts the processes and compiles
            calls[name] = partial(peer.ask, "replicates", tasks)
        answers = rounds(1 if quick else 3, calls, warm=False)
    speeds = {name: [60 * PAIRS[name] / a["seconds"] for a in found] for name, found in answers.items()}
    rows = []
    for name, speed in speeds.items():
        faster, found = ratios(speeds["ours"], speed), answers[name]
        row = [NAMES[name], spread(faster) if name in TARGETS else "1", verdict(median(faster), TARGETS.get(name))]
        accuracy, memory = fmean(answer["accuracy"] for answer in found), found[-1]["peak_mib"]
        rows.append([*row, spread(speed), f"{100 * accuracy:.1f} %", f"{memory:,.0f}"])
    header = ["contender", "ours is faster by a factor of", "target", "replicates/minute", "accuracy", "peak MiB"]
    return [
        f"A replicate is a classifier of either arm ({'-'.join(map(str, classifier_widths(task.units)))}, "
        f"{task.n_labels:,} labels, batches of {task.batch_size}, {task.steps:,} steps), and both predict the "
        f"{task.n_test:,} test images. Ours trains in {task.n_jobs} processes of one thread, that run already; the "
        "others one after the other. The memory is the sum of all processes.",
        Table(header, rows),
    ]
