"""tools.verify on a toy pipeline under the real DVC, whose result can be shifted from outside.

The toy's dvc.yaml has the form of the project's own, which a test compares.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from dae import ARITHMETICS as KNOWN_ARITHMETICS
from reporting.pages.provenance import names
from tools.verify import AGREES, ARITHMETICS, DIFFERENT, difference, disagreements, tolerance

CODE = """
import json, os, time
import numpy as np
shift = {"AVX2": 0.001, "SSE41": -0.002}.get(os.environ.get("DAE_ARITHMETIC"), 0)
numbers = np.arange(4) + float(os.environ["SHIFT"]) + shift
np.save("data/numbers.npy", numbers)
with open("reports/metrics.json", "w") as file:
    json.dump({"verdict": "better" if numbers[0] < 5 else "worse", "mean": round(numbers[0], 4)}, file)
umask = os.umask(0)
conditions = {name: os.environ.get(name) for name in ("PYTHONHASHSEED", "DAE_JOBS", "KERAS_BACKEND", "MATPLOTLIBRC")}
conditions |= {"zone": time.tzname[0], "user": os.getuid(), "umask": umask, "folder": os.getcwd()}
print("CONDITIONS", json.dumps(conditions))
"""
PIPELINE = """
stages:
  make:
    cmd: python make.py
    deps:
      - make.py
    outs:
      - data/numbers.npy
      - reports/metrics.json:
          cache: false
  copy:
    cmd: cp data/numbers.npy data/copy.npy
    deps:
      - data/numbers.npy
    outs:
      - data/copy.npy

metrics:
  - reports/metrics.json
"""
OF_VERIFY = (  # tools.verify, and what it imports of ours
    "tools/__init__.py",
    "tools/verify.py",
    "reporting/__init__.py",
    "reporting/pages/__init__.py",
    "reporting/pages/provenance.py",
)


def form(pipeline: dict) -> set[str]:
    """The keys of a dvc.yaml and of its stages, and the forms of its outputs and metrics."""
    found = {"metrics of " + type(item).__name__ for item in pipeline["metrics"]}
    for stage in pipeline["stages"].values():
        found |= {f"stages.{key}" for key in stage}
        for item in stage["outs"]:
            found.add(f"out with {next(iter(item.values()))}" if isinstance(item, dict) else "plain out")
    return found


def test_the_toy_has_the_form_of_the_projects_own_pipeline(root):
    real, toy = yaml.safe_load((root / "dvc.yaml").read_text()), yaml.safe_load(PIPELINE)
    assert form(real) - form(toy) == {"stages.params"}
    assert form(toy) <= form(real)
    items = [item for stage in real["stages"].values() for item in stage["outs"]]
    assert set(names(real["metrics"])) <= set(names(items))


@pytest.fixture(scope="module")
def verify(root, tmp_path_factory):
    """Run tools.verify in the toy project, with a shift; returns exit status, output and the conditions met."""
    folder = tmp_path_factory.mktemp("toy")
    project = folder / "project"
    (project / "data").mkdir(parents=True)
    (project / "reports").mkdir()
    (project / "data" / ".gitignore").write_text("*.npy\n")
    (project / "make.py").write_text(CODE)
    (project / "dvc.yaml").write_text(PIPELINE)
    for module in OF_VERIFY:
        (project / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / module, project / module)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{"SHIFT": "0", "PYTHONHASHSEED": "0", "DAE_JOBS": "1", "DVC_NO_ANALYTICS": "1"},
        **{f"GIT_{role}_{key}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
    }
    (project / "tolerances.json").write_text(json.dumps({"reports/metrics.json: mean": {"tolerance": 0.01}}))
    for command in ("git init -q", "dvc init -q", "dvc repro -q", "git add .", "git commit -q -m toy"):
        subprocess.run(command.split(), cwd=project, env=environment, check=True)

    def run(*options, **changed):
        command = [sys.executable, "-m", "tools.verify", *options]
        done = subprocess.run(
            command, cwd=project, env=environment | changed, capture_output=True, text=True, timeout=60
        )
        output = done.stdout + done.stderr
        assert "Traceback" not in output
        found = re.search(r"CONDITIONS (.*)", output)
        return done.returncode, output, found and json.loads(found[1])

    def commit(file, text):
        (project / file).write_text(text)
        subprocess.run(["git", "commit", "-q", "-a", "-m", "change"], cwd=project, env=environment, check=True)

    run.project, run.environment, run.commit = project, environment, commit
    return run


def test_equal_outputs_are_verified_in_a_fresh_folder(verify):
    status, output, conditions = verify()
    assert status == 0, output
    assert "VERIFIED: all 3 outputs of 2 stages are the same bytes" in output
    assert "Running stage 'make'" in output and "Running stage 'copy'" in output
    assert conditions["folder"] != str(verify.project)


def test_a_small_difference_is_told_with_its_stage_and_size_and_agrees(verify):
    status, output, _ = verify(SHIFT="0.005")
    assert status == AGREES, output
    first, *_, last = output[output.index("DIFFERENT") :].splitlines()[1:]
    assert first == "  make: data/numbers.npy: largest difference 0.005"
    assert "  copy: data/copy.npy: largest difference 0.005" in output
    assert last.startswith("The verdict is the same, and every metric agrees")


def test_a_changed_verdict_does_not_agree(verify):
    status, output, _ = verify(SHIFT="7")
    assert status == DIFFERENT
    assert "reports/metrics.json: verdict was better, is worse" in output
    assert "reports/metrics.json: mean was 0.0, is 7.0; allowed is 0.01 more or less" in output
    assert "The verdict is the same" not in output


def test_a_metric_outside_its_tolerance_does_not_agree(verify):
    status, output, _ = verify(SHIFT="0.02")
    assert status == DIFFERENT
    assert "verdict was" not in output
    assert "mean was 0.0, is 0.02; allowed is 0.01 more or less" in output


def test_elsewhere_is_elsewhere(verify):
    status, output, met = verify("--elsewhere")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        assert met["user"] != 0
    else:
        assert "Not as another user" in output
    assert status == 0, output
    assert (met["zone"], met["PYTHONHASHSEED"], met["umask"]) == ("+1245", "1", 0o077)
    assert (met["DAE_JOBS"], met["KERAS_BACKEND"]) == (str(os.cpu_count() + 1), "torch")
    assert met["MATPLOTLIBRC"].endswith("matplotlibrc")


def test_tolerances_are_measured_with_other_arithmetics(verify):
    """0.002 below and 0.001 above: 0.003 apart, of which the tolerance is three times."""
    file = verify.project / "tolerances.json"
    before = file.read_text()
    status, output, _ = verify("--arithmetic")
    written = json.loads(file.read_text())
    file.write_text(before)
    assert status == 0, output
    assert written == {
        "reports/metrics.json: verdict": {
            "committed": "better",
            "AVX2": "better",
            "SSE41": "better",
            "tolerance": None,
        },
        "reports/metrics.json: mean": {"committed": 0.0, "AVX2": 0.001, "SSE41": -0.002, "tolerance": 0.009},
    }
    status, output, _ = verify("--arithmetic", SHIFT="4.999")
    file.write_text(before)
    assert status == DIFFERENT
    assert "reports/metrics.json: verdict changes with the arithmetic" in output


def test_the_arithmetics_are_known_to_the_stages():
    assert set(ARITHMETICS) == set(KNOWN_ARITHMETICS)


def test_a_pipeline_without_metrics_cannot_be_verified(verify):
    pipeline = verify.project / "dvc.yaml"
    before = pipeline.read_text()
    verify.commit("dvc.yaml", before[: before.index("metrics:")])
    status, output, _ = verify()
    verify.commit("dvc.yaml", before)
    assert status == DIFFERENT
    assert output == "FAILED: dvc.yaml names no metrics, so that a verdict could not be compared\n"


@pytest.mark.parametrize("where", ["an unpacked archive", "a folder of another repository"])
def test_what_is_no_repository_of_its_own_cannot_be_verified(verify, tmp_path, where):
    folder = tmp_path / "unpacked"
    shutil.copytree(verify.project, folder, ignore=shutil.ignore_patterns(".git"))
    if where == "a folder of another repository":
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tools.verify"],
        cwd=folder,
        env=verify.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == DIFFERENT
    assert done.stdout == ""
    assert re.fullmatch(r"FAILED: .* must be a git repository of its own\n", done.stderr)


def test_a_lock_of_other_code_is_told(verify):
    verify.commit("make.py", CODE + "\n")
    status, output, _ = verify()
    verify.commit("make.py", CODE)
    assert status == DIFFERENT
    assert "dvc.lock is not of this commit's code and parameters: make" in output


def test_differences_are_found_in_every_kind_of_file(tmp_path):
    writers = {
        "a.npz": lambda path, x: np.savez(path, one=np.zeros(3), two=np.array([1.0, x])),
        "a.csv": lambda path, x: path.write_text(f"name,two\nn,{x}\n"),
        "a.json": lambda path, x: path.write_text(json.dumps({"one": [{"two": x}], "text": "t", "none": None})),
        "a.svg": lambda path, x: path.write_text(f'<path d="M1 -{x}"/><image href="data:a1"/>'),
    }
    for name, write in writers.items():
        one, other = tmp_path / name, tmp_path / f"other-{name}"
        write(one, 0.25)
        write(other, 0.5)
        assert float(difference(one, other).split()[2]) == pytest.approx(0.25, abs=0.01), name
        assert difference(one, one) == "the same content in other bytes"
    for name, grey in (("a.webp", 3), ("b.webp", 5)):
        Image.new("L", (2, 2), grey).save(tmp_path / name, lossless=True)
    assert difference(tmp_path / "a.webp", tmp_path / "b.webp") == "largest difference 2 (pixels of 0 to 255)"
    (tmp_path / "b.svg").write_text('<path d="M1 -0.25"/><image href="data:a2"/>')
    assert difference(tmp_path / "a.svg", tmp_path / "b.svg") == "1 unequal: pictures"
    (tmp_path / "a.md").write_text("one\ntwo\n")
    (tmp_path / "b.md").write_text("one\n2\nthree\n")
    assert difference(tmp_path / "a.md", tmp_path / "b.md") == "2 unequal: line 3, line 2"
    (tmp_path / "c.npy").write_bytes(b"no array")
    assert "cannot be compared" in difference(tmp_path / "c.npy", tmp_path / "c.npy")


def test_what_has_no_tolerance_must_be_equal():
    one = {"a": 1.0, "verdict": "better", "none": None, "exact": 3}
    assert disagreements(one, one, {}) == []
    assert disagreements(one, one | {"a": 1.1}, {"a": 0.1}) == []
    assert disagreements(one, one | {"a": 1.11}, {"a": 0.1}) == ["a was 1.0, is 1.11; allowed is 0.1 more or less"]
    assert disagreements(one, one | {"exact": 4, "none": 1.0}, {"a": 0.1}) == [
        "none was None, is 1.0",
        "exact was 3, is 4",
    ]
    assert disagreements(one, {"a": 1.0, "verdict": "worse", "none": None, "exact": 3}, {"verdict": None}) == [
        "verdict was better, is worse"
    ]


def test_a_tolerance_is_three_times_the_largest_distance_and_never_below_the_last_digit():
    assert tolerance([0.5, 0.51, 0.48]) == 0.09
    assert tolerance([20.25, 20.25, 20.25]) == 0.03
    assert tolerance([46, 46, 48]) == 6
    assert tolerance(["better", "better"]) is None
    assert tolerance([None, 0.5]) is None
