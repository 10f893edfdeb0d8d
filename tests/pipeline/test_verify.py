"""`verify.py` on a toy pipeline under the real DVC, whose result can be shifted from outside."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave

from verify import AGREES, DIFFERENT, agree, difference

CODE = """
import json, os, time
import numpy as np
numbers = np.arange(4) + float(os.environ["SHIFT"])
np.save("data/numbers.npy", numbers)
with open("reports/metrics.json", "w") as file:
    json.dump({"verdict": "better" if numbers[0] < 5 else "worse", "mean": numbers[0]}, file)
umask = os.umask(0)
conditions = [time.tzname[0], os.environ["PYTHONHASHSEED"], os.environ["DAE_JOBS"], os.getuid(), umask, os.getcwd()]
print("CONDITIONS", json.dumps(conditions))
"""
PIPELINE = """
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    outs: [data/numbers.npy]
    metrics: [{reports/metrics.json: {cache: false}}]
  copy:
    cmd: cp data/numbers.npy data/copy.npy
    deps: [data/numbers.npy]
    outs: [data/copy.npy]
"""


@pytest.fixture(scope="module")
def verify(root, tmp_path_factory):
    """Run `verify.py` in the toy project, with a shift; returns exit status, output and the conditions met."""
    folder = tmp_path_factory.mktemp("toy")
    project = folder / "project"
    (project / "data").mkdir(parents=True)
    (project / "reports").mkdir()
    (project / "data" / ".gitignore").write_text("*.npy\n")
    (project / "make.py").write_text(CODE)
    (project / "dvc.yaml").write_text(PIPELINE)
    (project / "verify.py").write_bytes((root / "verify.py").read_bytes())
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{"SHIFT": "0", "PYTHONHASHSEED": "0", "DAE_JOBS": "1", "DVC_NO_ANALYTICS": "1"},
        **{f"GIT_{role}_{key}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
    }
    for command in ("git init -q", "dvc init -q", "dvc repro -q", "git add .", "git commit -q -m toy"):
        subprocess.run(command.split(), cwd=project, env=environment, check=True)

    def run(*options, **changed):
        command = [sys.executable, "verify.py", *options]
        done = subprocess.run(
            command, cwd=project, env=environment | changed, capture_output=True, text=True, timeout=60
        )
        output = done.stdout + done.stderr
        return done.returncode, output, json.loads(re.search(r"CONDITIONS (.*)", output)[1])

    run.project, run.environment = project, environment
    return run


def test_equal_outputs_are_verified_in_a_fresh_folder(verify):
    status, output, (*_, folder) = verify()
    assert status == 0, output
    assert "VERIFIED: all 3 outputs of 2 stages are the same bytes" in output
    assert "Running stage 'make'" in output and "Running stage 'copy'" in output
    assert folder != str(verify.project)


def test_a_small_difference_is_told_with_its_stage_and_size_and_agrees(verify):
    status, output, _ = verify(SHIFT="0.005")
    assert status == AGREES, output
    first, *_, last = output[output.index("DIFFERENT") :].splitlines()[1:]
    assert first == "  make: data/numbers.npy: largest difference 0.005"
    assert "  copy: data/copy.npy: largest difference 0.005" in output
    assert last.startswith("The verdict is the same, and all metrics agree")


def test_a_large_difference_does_not_agree(verify):
    status, output, _ = verify(SHIFT="7")
    assert status == DIFFERENT
    assert "reports/metrics.json: verdict was better, is worse" in output
    assert "reports/metrics.json: mean was 0.0, is 7.0" in output


def test_elsewhere_is_elsewhere(verify):
    status, output, (zone, hash_seed, jobs, user, umask, _) = verify("--elsewhere")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        assert user != 0
    else:
        assert "Not as another user" in output
    assert status == 0, output
    assert (zone, hash_seed, jobs, umask) == ("+1245", "1", str(os.cpu_count() + 1), 0o077)


def test_a_lock_of_other_code_is_told(verify):
    def commit(text):
        (verify.project / "make.py").write_text(text)
        subprocess.run(
            ["git", "commit", "-q", "-a", "-m", "code"], cwd=verify.project, env=verify.environment, check=True
        )

    commit(CODE + "\n")
    status, output, _ = verify()
    commit(CODE)
    assert status == DIFFERENT
    assert "dvc.lock is not of this commit's code and parameters: make" in output


def test_differences_are_found_in_every_kind_of_file(tmp_path):
    writers = {
        "a.npz": lambda path, x: np.savez(path, one=np.zeros(3), two=np.array([1.0, x])),
        "a.csv": lambda path, x: path.write_text(f"name,two\nn,{x}\n"),
        "a.json": lambda path, x: path.write_text(json.dumps({"one": [{"two": x}], "text": "t", "none": None})),
        "a.png": lambda path, x: imsave(path, np.full((2, 2), x), cmap="gray", vmin=0, vmax=1),
    }
    for name, write in writers.items():
        one, other = tmp_path / name, tmp_path / f"other-{name}"
        write(one, 0.25)
        write(other, 0.5)
        assert float(difference(one, other).split()[2]) == pytest.approx(0.25, abs=0.01), name
        assert difference(one, one) == "the same content in other bytes"
    (tmp_path / "a.md").write_text("one\ntwo\n")
    (tmp_path / "b.md").write_text("one\n2\nthree\n")
    assert difference(tmp_path / "a.md", tmp_path / "b.md") == "2 unequal: line 3, line 2"
    (tmp_path / "c.npy").write_bytes(b"no array")
    assert "cannot be compared" in difference(tmp_path / "c.npy", tmp_path / "c.npy")


def test_what_cannot_be_a_number_must_be_equal():
    assert agree(0.91, 0.915) and agree(20.0, 20.9) and agree(None, None)
    assert not (agree(0.0, 0.02) or agree(20.0, 21.5) or agree("better", "worse") or agree(None, 1.0))
