"""The extremes that params.yaml allows run through all stages to a report that says something: pytest -m slow"""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tools.small import change

FEWEST = {"n_labels": 10, "replicates": 1, "split.repeats": 0, "pretrain.models": 1, "network.units": [1]}
QUICK = {"pretrain.batch_size": 4096, "finetune.steps": 20, "baseline.steps": 20, "reconstruct.min_psnr_gain": -100.0}
EXTREMES = {
    "no noise, the fewest of all": FEWEST | {"noise": 0},
    "all pixels masked": {"noise": 1, "corruption": "masking", "n_labels": 10, "network.units": [1]},
    "the strongest normal noise": FEWEST | {"noise": 1.0, "corruption": "gaussian", "pretrain.tied": True},
}

pytestmark = pytest.mark.slow

# all stages of all projects in one process, which imports TensorFlow once
RUN = """
import importlib, os, sys
from stages.common.params import load_params

stages, projects = sys.argv[1].split(","), sys.argv[2:]
for project in projects:
    os.chdir(project)
    for stage in stages:
        importlib.import_module(f"stages.{stage}").main(load_params())
"""

# what stages read besides each other's outputs; and what the stage plain makes, which depends on no parameter
FILES = ["dvc.yaml", "pyproject.toml", "tolerances.json", "studies/published.csv", "docs/plain_keras.py"]
FILES += ["reports/methods.csv", "reports/departures.csv", "reports/plain.json"]


@pytest.fixture(scope="module")
def projects(small, root, tmp_path_factory):
    folders = {}
    for name, changes in EXTREMES.items():
        folders[name] = tmp_path_factory.mktemp("extreme")
        shutil.copy(small.folder / "params.yaml", folders[name])
        change(folders[name] / "params.yaml", QUICK | changes)
        for file in FILES:
            (folders[name] / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(small.folder / file, folders[name] / file)
    stages = [name for name in yaml.safe_load((root / "dvc.yaml").read_text())["stages"] if name != "plain"]
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", RUN, ",".join(stages), *map(str, folders.values())],
        cwd=root,
        env=small.environment | {"PYTHONPATH": str(root), "DAE_JOBS": "1"},  # TensorFlow is set up once a process
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout
    return folders


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_runs_through_to_a_sensible_report(projects, name):
    folder = projects[name]
    metrics = json.loads((folder / "reports" / "metrics.json").read_text())
    replicates = yaml.safe_load((folder / "params.yaml").read_text())["replicates"]
    assert metrics["verdict"] == "inconclusive" or replicates > 1
    for report in ("report.md", "relatorio.md"):
        text = (folder / "reports" / report).read_text()
        assert len(re.findall("(?m)^> ", text)) == 1
        assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b|infinity", text)
