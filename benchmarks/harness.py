"""How the benchmark measures, and how it writes what it measured.

Contenders take turns in rounds, each in its own process, so that changes in the machine's speed affect all of them.
Ratios compare times of the same round; the tables show their median, minimum and maximum.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.tasks import Answer, Task
from stages.common.errors import StageError

T = TypeVar("T")


class Peer:
    """A contender in its own process, see benchmarks/contenders/__main__.py."""

    def __init__(self, name: str):
        command = [sys.executable, "-m", "benchmarks.contenders", name]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin and self.process.stdout  # noqa: S101 - for the type checker: they are pipes
        self.questions, self.answers = self.process.stdin, self.process.stdout

    def ask(self, name: str, task: Task) -> Answer:
        """Send a task and return the answer; `name` is a key of `benchmarks.tasks.TASKS`.

        Raises:
            StageError: the process has ended.
        """
        self.questions.write(json.dumps({"task": name, **asdict(task)}) + "\n")
        self.questions.flush()
        line = self.answers.readline()
        if not line:
            raise StageError(f"{self.name} ended without an answer to {name}")
        return json.loads(line)

    def end(self) -> None:
        """End the process and wait for it."""
        self.questions.close()
        self.process.wait()


@contextlib.contextmanager
def peers(*names: str) -> Iterator[dict[str, Peer]]:
    """Start the contenders with these names; their processes end with the block."""
    found = {name: Peer(name) for name in names}
    try:
        yield found
    finally:
        for peer in found.values():
            peer.end()


@dataclass(frozen=True)
class Run:
    """A command that has run: its seconds, and the lines that it printed, each with the seconds since the start."""

    seconds: float
    lines: list[tuple[float, str]]


def run(*command: str, cwd: Path, environment: Mapping[str, str]) -> Run:
    """Run a command.

    Raises:
        StageError: the command failed; the message has the end of its output.
    """
    start, lines = time.perf_counter(), []
    with subprocess.Popen(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            lines.append((time.perf_counter() - start, line))
    seconds = time.perf_counter() - start
    if process.returncode:
        raise StageError(f"{' '.join(command)}: {''.join(line for _, line in lines)[-2000:]}")
    return Run(seconds, lines)


def rounds(n: int, calls: Mapping[str, Callable[[], T]], warm: bool = True) -> dict[str, list[T]]:
    """Make each call once a round, for n rounds; returns n results for each. `warm` adds a first, uncounted round."""
    results: dict[str, list[T]] = {name: [] for name in calls}
    for call in calls.values() if warm else ():
        call()
    for _ in range(n):
        for name, call in calls.items():
            results[name].append(call())
    return results


@dataclass(frozen=True)
class Table:
    """A table in the results; its cells are Markdown."""

    header: list[str]
    rows: list[list[str]]


Section = list[str | Table]  # what a part returns: paragraphs and tables


def ratios(above: list[float], below: list[float]) -> list[float]:
    """The ratio in each round, above / below."""
    return [a / b for a, b in zip(above, below, strict=True)]


def spread(values: list[float], digits: int = 2) -> str:
    """The median, minimum and maximum as text."""
    middle, low, high = (f"{f(values):,.{digits}f}" for f in (median, min, max))
    return f"{middle} ({low} to {high})"


def verdict(value: float, target: float | None, most: bool = False) -> str:
    """Whether `value` is at least `target`, or at most if `most`, as text; empty if there is no target."""
    if target is None:
        return ""
    reached = value <= target if most else value >= target
    return f"{'≤' if most else '≥'} {target:g}: {'reached' if reached else '**missed**'}"
