"""Each path that the code, its messages and the documents name exists, or is made by a run."""

import ast
import fnmatch
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from reporting.pages.provenance import names

ROOT = Path(__file__).parent.parent
FOLDERS = r"benchmarks|dae|data|docs|dvc_plots|reporting|reports|stages|studies|tests|tools|\.(?:ci|dvc|github)"
FILES = r"\w+\.(?:yaml|lock|toml)|README\.md|Makefile"
PATH = re.compile(rf"(?<![\w./:-])(?:(?:{FOLDERS})/[\w./*-]*(?<!\.)|(?:{FILES})(?![\w/]))")
AT_RUN_TIME = [  # what is neither in git nor an output
    "data/runs/*",
    "data/studies/kept/*",
    "dvc_plots/*",
    ".dvc/cache/*",
    ".dvc/config.local/",
    ".dvc/tmp/rwlock/",
    "data/sources/own/*",
    "data/sources/own.dvc/",
    "data/sources/*/images.npz/",
    "data/own.png/",
    "dataset.yaml/",
]


def tracked() -> list[str]:
    """Files in git, and those that are to be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()


def outputs() -> list[str]:
    pipelines = [yaml.safe_load((ROOT / file).read_text()) for file in ("dvc.yaml", "studies/dvc.yaml")]
    return names([out for pipeline in pipelines for stage in pipeline["stages"].values() for out in stage["outs"]])


MADE = {*tracked(), *outputs()}
THERE = MADE | {str(folder) for path in MADE for folder in Path(path).parents}


def exists(path: str) -> bool:
    """Whether a path is there. `*` stands for anything; figures are named without their ends, pages from reports/."""
    path = path.rstrip("/")
    candidates = [path, f"{path}.en.svg", f"{path}.a.en.svg", f"reports/{path}"]
    return any(fnmatch.filter(THERE, name) for name in candidates) or any(
        fnmatch.fnmatch(f"{path}/", made) for made in AT_RUN_TIME
    )


def strings(source: str) -> list[str]:
    """All strings of Python code, with `*` for each value that is put into one."""
    nodes = list(ast.walk(ast.parse(source)))
    formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    pieces = {id(part) for node in formatted for part in ast.walk(node)}
    return [
        "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values) for node in formatted
    ] + [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces
    ]


CODE = r"(?:stages|studies|dae|reporting|tools|benchmarks)/[\w/]+\.py|\.ci/comment"
TEXTS = (
    r"Makefile|README\.md|docs/.*\.(?:md|py)|\.ci/run|(?:.*/)?(?:params|dvc)\.yaml|tools/.*\.(?:sh|yaml)|.*\.j2"
    r"|CONTRIBUTING\.md|CHANGELOG\.md"
)


@pytest.mark.parametrize("file", [path for path in tracked() if re.fullmatch(f"{CODE}|{TEXTS}", path)])
def test_each_path_that_a_file_names_exists(file):
    text = re.sub(r"(?ms)^```sh$.*?^```$", "", (ROOT / file).read_text())  # commands that make files
    texts = strings(text) if re.fullmatch(CODE, file) else [text]
    new = {*re.findall("(?m)^`(.+)`, new:", text), *re.findall(r"(?m)^\+ +- ([\w./]+):?$", text)}  # by a recipe
    assert not {path for part in texts for path in PATH.findall(part) if not exists(path)} - new


def test_a_path_that_does_not_exist_is_found():
    assert not exists("reports/figures/reconstruction.svg")
    assert PATH.findall("Look at reports/nowhere.svg; then run") == ["reports/nowhere.svg"]
    assert strings("print(f'see data/{name}.npy', 'x')") == ["see data/*.npy", "x"]
