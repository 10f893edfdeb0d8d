"""Pre-training, compared with the other contenders and with the fastest matrix product of the machine."""

from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks.contenders import NAMES, available
from benchmarks.harness import Section, Table, peers, ratios, rounds, spread, verdict
from benchmarks.settings import pretraining
from benchmarks.tasks import Answer, Limit, Pretraining, autoencoder_widths, operations, products

TITLE = "Pre-training"
TARGETS = {"keras_fit": 2.3, "keras_step": None, "torch_eager": 1.0}  # least ratio of our speed to theirs
LIMIT_TARGET = 72  # per cent of the machine's fastest matrix product
Answers = dict[str, list[Answer]]


def measure(quick: bool) -> Section:
    """Time pre-training with masking and with Gaussian noise, and matrix products."""
    task = pretraining(quick)
    other = replace(task, corruption="gaussian")
    limit = Limit(task.units, task.batch_size, size=256 if quick else 3072, seconds=0.01 if quick else 0.5)
    with peers(*available()) as found:
        masking = {name: partial(peer.ask, "pretrain", task) for name, peer in found.items()}
        gaussian = {name: partial(peer.ask, "pretrain", other) for name, peer in found.items()}
        limits = {f"limit {name}": partial(peer.ask, "limit", limit) for name, peer in found.items()}
        answers = rounds(1 if quick else 5, masking | limits)
        other_answers = rounds(1 if quick else 2, gaussian)
    widths = autoencoder_widths(task.units)
    return [
        f"{task.epochs} epochs of {task.models} dAEs {'-'.join(map(str, widths))}, masking {task.noise}, batches of "
        f"{task.batch_size}, on 2 cores: ours side by side, one thread an operation; the others one after the other, 2 "
        "threads an operation. The loss of the last epoch shows that the work is the same; initial weights differ.",
        _masking_table(task, answers),
        _limit_text(task, answers),
        "The same with Gaussian noise, for which Keras has a layer of its own:",
        _gaussian_table(task, other_answers),
    ]


def _speeds(task: Pretraining, answers: list[Answer]) -> list[float]:
    """Images a second."""
    return [task.n * task.models * task.epochs / answer["seconds"] for answer in answers]


def _operations_an_image(task: Pretraining) -> float:
    return operations(products(autoencoder_widths(task.units), task.batch_size)) / task.batch_size


def _fastest(answers: Answers, kind: str) -> list[float]:
    """The rate of matrix products in the fastest library, for each round."""
    limits = [answers[name] for name in answers if name.startswith("limit ")]
    return [max(answer[kind] for answer in found) for found in zip(*limits, strict=True)]


def _masking_table(task: Pretraining, answers: Answers) -> Table:
    speeds = {name: _speeds(task, answers[name]) for name in available()}
    rows = []
    for name, speed in speeds.items():
        faster = ratios(speeds["ours"], speed)
        fraction = [100 * _operations_an_image(task) * r for r in ratios(speed, _fastest(answers, "large"))]
        last = answers[name][-1]
        rows.append(
            [
                NAMES[name],
                spread(faster),
                verdict(median(faster), TARGETS.get(name)),
                spread(speed, 0),
                f"{spread(fraction, 0)} %",
                verdict(median(fraction), LIMIT_TARGET if name == "ours" else None),
                f"{median(answer['large'] for answer in answers[f'limit {name}']) / 1e9:,.0f}",
                f"{last['loss']:.4f}",
                f"{last['peak_mib']:,.0f}",
            ]
        )
    header = ["contender", "ours is faster by a factor of", "target", "images/s", "of the limit", "target"]
    return Table([*header, "its library's large product, GFLOP/s", "loss", "peak MiB"], rows)


def _limit_text(task: Pretraining, answers: Answers) -> str:
    large, shapes = _fastest(answers, "large"), _fastest(answers, "shapes")
    alone = median(answer["shapes"] for answer in answers["limit ours"])
    return (
        f"The limit: a large float32 matrix product runs at {spread([x / 1e9 for x in large], 0)} GFLOP/s, in the "
        f"fastest library here; the {len(products(autoencoder_widths(task.units), task.batch_size))} products of a "
        f"step, back to back, at {spread([x / 1e9 for x in shapes], 0)} GFLOP/s. An image takes "
        f"{_operations_an_image(task) / 1e6:.2f} MFLOP. In our library on one thread, those run at {alone / 1e9:,.0f} "
        "GFLOP/s: two trainings side by side that did nothing else would reach "
        f"{100 * 2 * alone / median(large):.0f} % of the limit. *Where the time goes* shows what else a step does."
    )


def _gaussian_table(task: Pretraining, answers: Answers) -> Table:
    speeds = {name: _speeds(task, found) for name, found in answers.items()}
    rows = [[NAMES[name], spread(ratios(speeds["ours"], speed)), spread(speed, 0)] for name, speed in speeds.items()]
    return Table(["contender", "ours is faster by a factor of, Gaussian noise", "images/s, Gaussian noise"], rows)
