"""The machine, the versions and the times of the last runs: `make environment` writes reports/environment.md.

They differ each time, so they are not an output of the pipeline, and the reports only link to them.
"""

import platform
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import joblib
import yaml

from stages.common.files import load_json, save_text


def main() -> None:
    """Write and print the page, from the facts in data/runs/."""
    lines = ["# The run whose results are committed", "", f"{processor()}; {versions()}.", ""]
    lines += ["| stage | seconds | peak memory (MiB) |", "|---|---:|---:|"]
    for pipeline in ("dvc.yaml", "studies/dvc.yaml"):
        for stage in yaml.safe_load(Path(pipeline).read_text(encoding="utf-8"))["stages"]:
            if (path := Path(f"data/runs/{stage}.json")).is_file():
                facts = load_json(str(path))
                lines.append(f"| {stage} | {facts.pop('seconds'):.1f} | {facts.pop('peak_mib'):,} |")
                lines += [f"| {stage}: {name} | {value} | |" for name, value in facts.items()]
    lines += [
        "",
        "For a stage that trains in several processes, the memory is that of the process that starts them.",
    ]
    lines += ["Studies keep finished work, so their time is that of the last run only.", ""]
    save_text("reports/environment.md", "\n".join(lines))
    print("\n".join(lines))


def processor() -> str:
    """The processor's model and the number of its cores."""
    cpu = Path("/proc/cpuinfo")
    models = [line.split(": ")[1] for line in cpu.read_text().splitlines() if line.startswith("model name")] or [
        platform.processor()
    ]
    return f"{models[0]}, {joblib.cpu_count()} cores"


def versions() -> str:
    """The system, and the versions of Python and of the packages that pyproject.toml requires."""
    requirements = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [requirement.split(">")[0] for requirement in requirements]
    system = f"{sys.platform} {platform.machine()}; Python {platform.python_version()}"
    return f"{system}; {', '.join(f'{name} {version(name)}' for name in names)}"


if __name__ == "__main__":
    main()
