"""The speed table: `make bench`, or one part of it, as `make bench PART=pretrain`. Writes benchmarks/results.md.

Contenders take turns in one run, each in a process of its own, so that a machine that drifts decides nothing. Ratios
are of the same round, and told as their median with the lowest and the highest.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from statistics import median

import numpy as np
import yaml

from benchmarks.contenders import CONTENDERS as ALL
from benchmarks.contenders import RAW, mirrored, products
from stages._environment import machine

CONTENDERS = [name for name in ALL if name != "torch" or find_spec("torch")]
RESULTS = Path(__file__).with_name("results.md")
NAMES = {"ours": "ours", "keras": "(b) Keras `fit`", "torch": "(c) PyTorch eager"}
SETTINGS = {"units": [512, 256, 128], "learning_rate": 0.003}
PRETRAIN = {**SETTINGS, "n": 60_000, "batch_size": 256, "epochs": 2, "noise": 0.5, "models": 3}
REPLICATES = {
    **SETTINGS,
    "n_labels": 500,
    "batch_size": 50,
    "masking": 0.5,
    "dropout": 0.3,
    "n_test": 10_000,
    "n_jobs": 2,
}
DVC = [sys.executable, "-m", "dvc"]
CHANGES = {"finetune": "finetune.dropout=0.2", "noise": "noise=0.4", "report": "evaluate.margin=0.006"}


class BenchError(Exception):
    """Something that the user can mend; the message says how."""


class Peer:
    """A contender in a process of its own."""

    def __init__(self, name: str):
        command = [sys.executable, "-m", "benchmarks.contenders", name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, task: str, **arguments) -> dict:
        self.process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"{self.process.args} ended without an answer to {task}")
        return json.loads(line)


@contextlib.contextmanager
def peers(*names: str) -> Iterator[dict[str, Peer]]:
    found = {name: Peer(name) for name in names}
    try:
        yield found
    finally:
        for peer in found.values():
            peer.process.stdin.close()
            peer.process.wait()


def rounds(n: int, calls: dict[str, Callable[[], dict]], warm: bool = True) -> dict[str, list[dict]]:
    """The answers of n rounds, in which the calls take turns; if `warm`, after a round that is not counted."""
    answers = {name: [] for name in calls}
    for call in calls.values() if warm else ():
        call()
    for _ in range(n):
        for name, call in calls.items():
            answers[name].append(call())
    return answers


def spread(values: list[float], digits: int = 2) -> str:
    """The median, with the lowest and the highest value."""
    low, high = (f"{f(values):,.{digits}f}" for f in (min, max))
    return f"{median(values):,.{digits}f} ({low} to {high})"


def verdict(value: float, target: float, most: bool = False) -> str:
    """A target and whether it is reached: at least, or at most, so much."""
    reached = value <= target if most else value >= target
    return f"{'≤' if most else '≥'} {target:g}: {'reached' if reached else '**missed**'}"


def table(header: str, rows: list[list]) -> list[str]:
    count = header.count("|") + 1
    lines = [f"| {header} |", f"|{'---|' * count}", *(f"| {' | '.join(map(str, row))} |" for row in rows), ""]
    return lines


def ratios(answers: dict[str, list[dict]], name: str, per_second: Callable[[str], float]) -> list[float]:
    """Of each round, how many times as fast as `name` ours is."""
    pairs = zip(answers["ours"], answers[name], strict=True)
    return [per_second("ours") / a["seconds"] / (per_second(name) / b["seconds"]) for a, b in pairs]


def pretrain(quick: bool) -> list[str]:
    settings = PRETRAIN | ({"n": 2000, "units": [32, 16], "models": 2} if quick else {})
    limit = {"units": settings["units"], "batch_size": 256}
    limit |= {"size": 256, "seconds": 0.01} if quick else {"size": 3072, "seconds": 0.5}
    n_images = settings["n"] * settings["models"] * settings["epochs"]
    flops = n_images * sum(2 * m * k * n for m, k, n in products(mirrored(settings["units"]), 256)) / 256
    with peers(*CONTENDERS) as found:
        masking, gaussian = (
            {n: lambda p=p, c=c: p.ask("pretrain", corruption=c, **settings) for n, p in found.items()}
            for c in ("masking", "gaussian")
        )
        limits = {f"limit {name}": lambda p=peer: p.ask("limit", **limit) for name, peer in found.items()}
        answers = rounds(1 if quick else 5, masking | limits)
        others = rounds(1 if quick else 2, gaussian)
    large, shapes = (
        [max(answers[name][i][kind] for name in limits) for i in range(len(answers["ours"]))]
        for kind in ("large", "shapes")
    )
    alone = median(answer["shapes"] for answer in answers["limit ours"])
    n_products = len(products(mirrored(settings["units"]), 256))
    targets, rows = {"keras": 2.3, "torch": 1.0}, []
    for name in CONTENDERS:
        times = [answer["seconds"] for answer in answers[name]]
        fraction = [flops / s / rate for s, rate in zip(times, large, strict=True)]
        ratio = ratios(answers, name, lambda _: 1.0)
        own = median(answer["large"] for answer in answers[f"limit {name}"]) / 1e9
        last = answers[name][-1]
        rows.append(
            [
                NAMES[name],
                spread(ratio),
                verdict(median(ratio), targets[name]) if name in targets else "",
                spread([n_images / s for s in times], 0),
                f"{spread([100 * f for f in fraction], 0)} %",
                verdict(100 * median(fraction), 70) if name == "ours" else "",
                f"{own:,.0f}",
                f"{last['loss']:.4f}",
                f"{last['peak_mib']:,.0f}",
            ]
        )
    header = "contender | ours is so many times as fast | target | images/s | of the limit | target"
    header += " | its library's large product, GFLOP/s | loss | peak MiB"
    gaussian_rows = [
        [
            NAMES[name],
            spread(ratios(others, name, lambda _: 1.0)),
            spread([n_images / answer["seconds"] for answer in others[name]], 0),
        ]
        for name in CONTENDERS
    ]
    return [
        f"{settings['epochs']} epochs of {settings['models']} dAEs 784-512-256-128-256-512-784, masking "
        f"{settings['noise']}, batches of 256, on 2 cores: ours side by side, one thread an operation; the others one "
        "after the other, 2 threads an operation. The loss of the last epoch shows that the work is the same; initial "
        "weights differ.",
        "",
        *table(header, rows),
        f"The limit: a large float32 matrix product runs at {spread([x / 1e9 for x in large], 0)} GFLOP/s, in the "
        f"fastest library here; the {n_products} products of a step, back to back, at "
        f"{spread([x / 1e9 for x in shapes], 0)} GFLOP/s. An image takes {flops / n_images / 1e6:.2f} MFLOP. "
        f"In our library on one thread, those run at {alone / 1e9:,.0f} GFLOP/s: two trainings side by side that "
        f"did nothing else would reach {100 * 2 * alone / median(large):.0f} % of the limit. What else a step does is "
        "told under *Where the time goes*.",
        "",
        "The same with Gaussian noise, for which Keras has a layer of its own:",
        "",
        *table("contender | ours is so many times as fast | images/s", gaussian_rows),
    ]


def replicates(quick: bool) -> list[str]:
    settings = REPLICATES | (
        {"units": [16, 8], "steps": 20, "n_labels": 100, "n_test": 200, "n_jobs": 1} if quick else {}
    )
    settings = {"steps": 1000} | settings
    pairs = {"ours": 2, "keras": 1, "torch": 1}
    with peers(*CONTENDERS) as found:
        calls = {n: lambda n=n, p=p: p.ask("replicates", pairs=pairs[n], **settings) for n, p in found.items()}
        for name, peer in found.items():
            peer.ask("replicates", pairs=pairs[name], **settings | {"steps": 20})
        answers = rounds(1 if quick else 3, calls, warm=False)
    rows, targets = [], {"keras": 6.0, "torch": 1.8}
    for name in CONTENDERS:
        ratio = ratios(answers, name, pairs.get)
        speed = [60 * pairs[name] / answer["seconds"] for answer in answers[name]]
        target = verdict(median(ratio), targets[name]) if name in targets else ""
        accuracy = np.mean([answer["accuracy"] for answer in answers[name]])
        rows.append([NAMES[name], spread(ratio) if name in targets else "1", target, spread(speed)])
        rows[-1] += [f"{100 * accuracy:.1f} %", f"{answers[name][-1]['peak_mib']:,.0f}"]
    return [
        "A replicate is a classifier of either arm (784-512-256-128-10, 500 labels, batches of 50, "
        f"{settings['steps']:,} steps), and both predict the 10,000 test images. Ours trains in 2 processes of one "
        "thread, that run already; the others one after the other. The memory is of all processes, added up.",
        "",
        *table(
            "contender | ours is so many times as fast | target | replicates/minute | accuracy | peak MiB",
            rows,
        ),
    ]


def call(*command: str, cwd: Path, environment: dict) -> tuple[float, str]:
    """Run a command: its seconds and its output."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stdout[-2000:]}")
    return time.perf_counter() - start, done.stdout


def stage_seconds(command: list[str], folder: Path, environment: dict) -> tuple[float, dict[str, float]]:
    """Seconds of `dvc repro` in all, and from the start of each stage to that of the next."""
    marks, start, log = [], time.perf_counter(), ""
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout:
            log += line
            if found := re.search(r"Running stage '(\w+)'", line):
                marks.append((found[1], time.perf_counter()))
    if process.returncode:
        raise BenchError(log[-2000:])
    end = time.perf_counter()
    ends = [when for _, when in marks[1:]] + [end]
    return end - start, {name: e - s for (name, s), e in zip(marks, ends, strict=True)}


@contextlib.contextmanager
def clone() -> Iterator[tuple[Path, dict]]:
    """A fresh clone, and the environment for commands in it, where the data are in a file."""
    root = RESULTS.parents[1]
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    environment |= {f"GIT_{r}_{k}": "bench@localhost" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "clone")
        call("git", "clone", "--quiet", str(root), str(folder), cwd=root, environment=environment)
        names = {f"{p}_{k}": f"{a}_{p}" for p in ("train", "test") for k, a in (("images", "x"), ("labels", "y"))}
        np.savez(Path(work, "mnist.npz"), **{key: np.load(RAW / f"{name}.npy") for name, key in names.items()})
        environment["DAE_DATA"] = str(Path(work, "mnist.npz"))
        yield folder, environment


def cold(quick: bool) -> list[str]:
    targets = ["split"] if quick else []
    with clone() as (folder, environment):
        # by force, as the reports that come with a clone would spare it the stages that write them
        command = [*DVC, "repro", "--force", *targets]
        runs = [stage_seconds(command, folder, environment) for _ in range(1 if quick else 3)]
        peaks = {name: json.loads((folder / f"data/runs/{name}.json").read_text())["peak_mib"] for name in runs[0][1]}
    minutes = [total / 60 for total, _ in runs]
    main = [(total - stages.get("theory", 0)) / 60 for total, stages in runs]
    rows = [
        [what, spread(values), verdict(median(values), target, most=True)]
        for what, values, target in (("the eight stages of the main question", main, 5), ("and `theory`", minutes, 7))
    ]
    stages = [[n, spread([found[n] for _, found in runs], 1), f"{peak:,}"] for n, peak in peaks.items()]
    return [
        f"`dvc repro --force` in a fresh clone, the data in a file; {len(runs)} runs.",
        "",
        *table("what | minutes | target", rows),
        "Each stage, with its start; peak memory of its process, without those of the workers that train replicates:",
        "",
        *table("stage | seconds | peak MiB", stages),
    ]


def pipeline(quick: bool) -> list[str]:
    changes, targets = ({"split": "n_labels=100"}, ["split"]) if quick else (CHANGES, [])
    with clone() as (folder, environment):
        call(*DVC, "repro", *targets, cwd=folder, environment=environment)
        call("git", "add", ".", cwd=folder, environment=environment)
        call("git", "commit", "--quiet", "--allow-empty", "--message=bench", cwd=folder, environment=environment)
        bare = folder.with_name("bare")
        bare_project(bare, 1 if quick else 9, environment)
        hollow = folder.with_name("hollow")
        hollow_project(hollow, folder, environment)
        here, there = (sum(map(paths_in, project.rglob("dvc.lock"))) for project in (folder, bare))
        repro = {
            "ours": lambda: {"seconds": call(*DVC, "repro", *targets, cwd=folder, environment=environment)[0]},
            "bare": lambda: {"seconds": call(*DVC, "repro", cwd=bare, environment=environment)[0]},
            "hollow": lambda: {"seconds": call(*DVC, "repro", *targets, cwd=hollow, environment=environment)[0]},
        }
        idle = rounds(1 if quick else 15, repro)
        changed = {}
        for name, setting in changes.items():
            seconds, output = call(*DVC, "exp", "run", "-S", setting, *targets, cwd=folder, environment=environment)
            changed[name] = (setting, seconds, re.findall(r"Running stage '(\w+)'", output))
            call("git", "checkout", "--quiet", "--force", "HEAD", cwd=folder, environment=environment)
            call(*DVC, "checkout", "--quiet", "--allow-missing", cwd=folder, environment=environment)
    idling, names, rows = "`dvc repro`, nothing to do,", {"bare": "a bare", "hollow": "the hollow"}, []
    for name, target in {"bare": 1.3, "hollow": None}.items():
        ratio = [a["seconds"] / b["seconds"] for a, b in zip(idle["ours"], idle[name], strict=True)]
        what = f"{idling} against {names[name]} project of as many stages"
        rows.append([what, f"{spread(ratio)} times", verdict(median(ratio), target, most=True) if target else ""])
    for name, answers in idle.items():
        where = f"in {names[name]} project" if name in names else "here"
        rows.append([f"{idling} {where}", f"{spread([answer['seconds'] for answer in answers])} s", ""])
    for setting, seconds, ran in changed.values():
        rows.append([f"`dvc exp run -S {setting}`: {', '.join(ran)}", f"{seconds:.1f} s", ""])
    return [
        f"One run each in a fresh clone, the data in a file; nothing to do: {len(idle['ours'])} runs each, in turns. "
        f"With nothing to do, DVC reads and compares {here} paths of two `dvc.lock` here, and {there} in the bare "
        "project. The hollow project has our stages with all their paths, and nothing in them: what it takes, DVC "
        "needs for any project that names what its stages depend on as closely.",
        "",
        *table("what | measured | target", rows),
    ]


def paths_in(lock: Path) -> int:
    """How many files and folders a dvc.lock tells of."""
    stages = yaml.safe_load(lock.read_text())["stages"].values()
    return sum(len(stage.get(kind, [])) for stage in stages for kind in ("deps", "outs"))


def bare_project(folder: Path, n: int, environment: dict) -> None:
    """A DVC project of n stages, each of which copies one small file to the next."""
    folder.mkdir()
    stages = {f"s{i}": {"cmd": f"cp {i} {i + 1}", "deps": [f"{i}"], "outs": [f"{i + 1}"]} for i in range(n)}
    (folder / "0").write_text("0")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    for command in (["git", "init", "--quiet"], *([sys.executable, "-m", "dvc", a, "-q"] for a in ("init", "repro"))):
        call(*command, cwd=folder, environment=environment)


def hollow_project(folder: Path, root: Path, environment: dict) -> None:
    """A DVC project with the stages, paths and parameters of that at `root`, but tiny files and commands that do none.

    It is left as after a `dvc repro`.
    """
    call("git", "init", "--quiet", str(folder), cwd=root, environment=environment)
    call(*DVC, "init", "--quiet", cwd=folder, environment=environment)
    for pipeline in ("dvc.yaml", "studies/dvc.yaml"):
        stages = yaml.safe_load((root / pipeline).read_text())["stages"]
        for stage in stages.values():
            stage["cmd"] = "true"
            for entry in chain(stage.get("deps", []), stage.get("outs", [])):
                path = folder / (entry if isinstance(entry, str) else next(iter(entry)))
                path = path / "0" if (root / path.relative_to(folder)).is_dir() else path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("0")
        (folder / pipeline).write_text(yaml.safe_dump({"stages": stages}))
        params = pipeline.replace("dvc", "params")
        shutil.copy(root / params, folder / params)
    call(*DVC, "commit", "--force", "--quiet", cwd=folder, environment=environment)


def startup(quick: bool) -> list[str]:
    stages = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    heavy = [name for name, stage in stages.items() if "dae/backend.py" in stage["deps"]]
    code = {name: f"import stages.{name}" for name in (["split"] if quick else stages)}
    code |= {"nothing": "pass"} | ({} if quick else {"TensorFlow, which they train with": "import dae.backend"})
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}

    def start(text: str) -> dict:
        return {"seconds": call(sys.executable, "-c", text, cwd=Path.cwd(), environment=environment)[0]}

    answers = rounds(1 if quick else 3, {name: lambda text=text: start(text) for name, text in code.items()})
    rows = []
    for name, found in answers.items():
        seconds = [answer["seconds"] for answer in found]
        light = name in stages and name not in heavy
        rows.append([name, spread(seconds), verdict(median(seconds), 2, most=True) if light else ""])
    return [
        "From nothing to all modules imported that the stage names at its head; those that train import TensorFlow "
        "after that, themselves or in their workers.",
        "",
        *table("stage | seconds | target", rows),
    ]


def growth(quick: bool) -> list[str]:
    base = {"steps": 10 if quick else 200, "n_test": 200 if quick else 10_000, "pairs": 1}
    base = {**REPLICATES, **base} | ({"units": [16, 8], "n_jobs": 1} if quick else {})
    cases = [("replicates", str(n), {"pairs": n}) for n in ((2,) if quick else (1, 4, 16, 64))]
    if not quick:
        cases += [("labels", f"{n:,}", {"n_labels": n}) for n in (100, 1000, 60_000)]
        widths = [(128, 64, 32), (512, 256, 128), (2048, 1024, 512)]
        cases += [("width", "-".join(map(str, w)), {"units": w}) for w in widths]
    rows = []
    for kind, value, changes in cases:
        with peers("ours") as found:
            found["ours"].ask("replicates", **{**base, **changes, "pairs": 1, "steps": 10})
            answer = found["ours"].ask("replicates", **{**base, **changes})
        pairs = changes.get("pairs", 1)
        seconds = answer["seconds"]
        rows.append([kind, value, f"{seconds:.2f}", f"{seconds / pairs:.2f}", f"{answer['peak_mib']:,.0f}"])
    return [
        f"Replicates of both arms, {base['steps']} steps each, 500 labels and 784-512-256-128-10 unless said "
        "otherwise, in 2 processes that run already; one run each, compiling included. The memory is of the three "
        "processes, added up.",
        "",
        *table("what grows | to | seconds | seconds/replicate | peak MiB", rows),
    ]


def profile(quick: bool) -> list[str]:
    units = [16, 8] if quick else SETTINGS["units"]
    steps = {"steps": 20 if quick else 300, "n": 1000 if quick else 60_000}
    shared = {"units": units, "noise": 0.5, "dropout": 0.3}
    cases = {
        "pre-training": {**shared, **steps, "batch_size": 256, "classify": False},
        "classifier": {**shared, **steps, "n": 500, "batch_size": 50, "classify": True},
    }
    found = {}
    for name, settings in cases.items():
        with peers("ours") as peer:
            found[name] = peer["ours"].ask("parts", **settings)
    names = ["whole", "rows, scaled", "corruption", "gradients", "products", "Adam"]
    shown = {
        "whole": "the whole step",
        "gradients": "network and loss, both ways",
        "products": "of that, matrix products",
    }
    rows = [
        [shown.get(n, n), *(f"{f[n]:.3f} ({100 * f[n] / f['whole']:.0f} %)" for f in found.values())] for n in names
    ]

    def without(*parts: str) -> float:
        of = found["pre-training"]
        return of["whole"] / (of["whole"] - sum(of[part] for part in parts))

    return [
        "Milliseconds a step of one of our trainings on one core, and of what it is made of, each measured alone.",
        "",
        *table(" | ".join(["part", *cases]), rows),
        f"Pre-training would be {without('corruption'):.2f} times as fast if corruption took no time, and "
        f"{without('corruption', 'Adam'):.2f} times if Adam took none either.",
    ]


PARTS = {
    "pretrain": ("Pre-training", pretrain),
    "replicates": ("Paired replicates", replicates),
    "profile": ("Where the time goes", profile),
    "cold": ("The whole pipeline, cold", cold),
    "pipeline": ("The whole pipeline, with little or nothing to do", pipeline),
    "startup": ("Start-up of each stage", startup),
    "growth": ("Growth", growth),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="tiny, to see whether it runs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    try:
        check(options.parts, options.quick)
        for part in options.parts or PARTS:
            title, measure = PARTS[part]
            load, lines = os.getloadavg()[0], measure(options.quick)
            note = f"{date.today()}; load average before: {load:.1f}"
            section = [f"## {title}", "", *lines, "", f"<sub>Measured {note}; `make bench PART={part}`.</sub>", ""]
            print("\n".join(section), flush=True)
            write(options.results, title, "\n".join(section))
    except BenchError as error:
        sys.exit(f"ERROR: {error}")


def check(parts: list[str], quick: bool) -> None:
    if unknown := [part for part in parts if part not in PARTS]:
        raise BenchError(f"{unknown[0]} is no part of the benchmark; parts are {', '.join(PARTS)}")
    if "torch" not in CONTENDERS and not quick:
        raise BenchError("PyTorch is missing, a contender: python -m pip install 'torch>=2.13' in this environment")
    if not (RAW / "test_labels.npy").is_file():
        raise BenchError("the data are missing: dvc repro download")
    if not shutil.which("git"):
        raise BenchError("git is missing")


def head() -> list[str]:
    torch = f", torch {version('torch')}" if "torch" in CONTENDERS else ""
    return ["# How fast it is", "", f"{machine()[0][:-1]}{torch}.", ""]


def write(path: Path, title: str, section: str) -> None:
    """Put a section in its place among those that are there, under a head that describes the machine."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = {found.split("\n")[0]: f"## {found}" for found in old.split("\n## ")[1:]} | {title: section}
    known = [sections[name].rstrip() + "\n" for name, _ in PARTS.values() if name in sections]
    path.write_text("\n".join(head() + known), encoding="utf-8")


if __name__ == "__main__":
    main()
