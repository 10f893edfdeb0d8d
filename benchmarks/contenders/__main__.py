"""Run one contender: `python -m benchmarks.contenders NAME`.

It reads tasks from standard input, one a line: JSON with the name of the task and its attributes. It answers each task
with a line of JSON: what the contender's function returns, and `peak_mib`, see below.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import psutil

from benchmarks.tasks import TASKS


def serve(name: str) -> None:
    """Answer tasks for the contender `name` until standard input ends."""
    contender = import_module(f"benchmarks.contenders.{name}")
    for line in sys.stdin:
        attributes = json.loads(line)
        task = attributes.pop("task")
        answer = getattr(contender, task)(TASKS[task](**attributes))
        print(json.dumps(answer | {"peak_mib": peak_mib()}), flush=True)


def peak_mib() -> float:
    """Sum of the peak resident memory of this process and of those that it started, in MiB; only on Linux."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        status = Path(f"/proc/{process.pid}/status").read_text()
        total += int(status.split("VmHWM:")[1].split()[0])
    return total / 1024


if __name__ == "__main__":
    serve(sys.argv[1])
