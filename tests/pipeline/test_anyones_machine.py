"""What a user has set, and where a stage runs, changes no byte and stops no stage; what will not do has one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dae import SETTINGS, settings
from stages.common.surroundings import numeric_versions
from tools.small import change

STAGES = ("split", "pretrain", "reconstruct", "finetune", "baseline", "evaluate")
STAGES += ("theory", "theory_figures", "plain", "report", "demo")


@pytest.mark.slow
def test_a_hostile_environment_changes_no_byte_of_what_processes_train(project, hostile):
    """Nor do they say anything. test_hermetic.py does the same with each stage, in one process."""
    done = subprocess.run(
        [sys.executable, "-m", "stages.baseline"],
        cwd=project.folder,
        env=project.environment | hostile,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert json.loads(project.dvc("status", "--json", "baseline")) == {}


@pytest.mark.slow
def test_a_hostile_environment_changes_no_network(project, hostile):
    """Not even a convolutional one, whose kernels depend on the order of the axes."""
    code = (
        "import dae, numpy as np\n"
        "from dae.core.networks import build_convolutional_classifier, initial_weights\n"
        "from dae.core.backend import keras\n"
        "model = build_convolutional_classifier(784, [4, 8, 16], 0.1)\n"
        "model.set_weights(initial_weights(model, 1))\n"
        "images = np.random.default_rng(0).random((3, 784), np.float32)\n"
        "print(model.dtype, [w.shape for w in model.get_weights()], np.asarray(model(images)).tobytes().hex())\n"
    )
    environments = [{}, {key: value for key, value in hostile.items() if key != "PYTHONPATH"}]
    command = [sys.executable, "-c", code]
    one, other = (
        subprocess.run(
            command, cwd=project.folder, env=os.environ | more, capture_output=True, text=True, check=True
        ).stdout
        for more in environments
    )
    assert one == other
    assert one.startswith("float32 [(3, 3, 1, 4), ")


def test_blas_takes_the_kernel_that_most_processors_have():
    old, new = "fpu sse4_1 ssse3", "fpu sse4_1 avx avx2 fma avx512f"
    assert "OPENBLAS_CORETYPE" not in settings(old, None)
    assert settings(new, None) == SETTINGS | {"OPENBLAS_CORETYPE": "Haswell"}
    assert settings(new, "SSE41")["OPENBLAS_CORETYPE"] == "Nehalem"
    assert settings(new, "AVX2")["ONEDNN_MAX_CPU_ISA"] == "AVX2"


def test_blas_runs_on_one_thread_with_that_kernel(project):
    code = (
        "import stages, json, scipy.linalg, threadpoolctl\n"
        "found = [i for i in threadpoolctl.threadpool_info() if i['user_api'] == 'blas']\n"
        "print(json.dumps([[i['num_threads'], i.get('architecture')] for i in found]))"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Nehalem"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project.folder, env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert len(found) == 2  # NumPy's and SciPy's
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    for threads, architecture in found:
        assert threads == 1
        assert architecture == "Haswell" or " avx2 " not in flags


DEV_LOCK = "requirements-dev.lock"


def pinned(lock: Path) -> dict[str, str]:
    """The packages of a lock file, each of which stands in it once, with their versions."""
    lines = [line.split(" ")[0] for line in lock.read_text().splitlines() if "==" in line]
    found = dict(line.split("==") for line in lines)
    assert len(found) == len(lines)
    return found


def test_every_package_that_computes_is_in_the_numeric_lock(root):
    """And has the version that the other locks have, one for all Pythons."""
    numeric, pipeline, everything = numeric_versions(), pinned(root / "requirements.lock"), pinned(root / DEV_LOCK)
    assert numeric.items() <= pipeline.items() <= everything.items()
    assert {"pytest", "ruff", "mypy", "distributed", "moto", "playwright"} <= everything.keys() - pipeline.keys()
    computing = {
        "numpy",
        "scipy",
        "scikit-learn",
        "scikit-image",
        "tensorflow",
        "keras",
        "matplotlib",
        "pandas",
        "pillow",
    }
    assert computing <= numeric.keys()
    assert "ruff" not in numeric


def test_a_new_version_of_a_package_that_computes_runs_all_that_computes_again(project):
    lock = project.folder / "requirements-numeric.lock"
    before = lock.read_text()
    lock.write_text(before.replace("tensorflow==", "tensorflow==9"))
    status = json.loads(project.dvc("status", "--json", "dvc.yaml"))
    output = project.call(sys.executable, "-m", "stages.split", ok=False)
    lock.write_text(before)
    assert set(status) == {*STAGES}
    assert output.startswith("ERROR: tensorflow 2.")
    assert "requirements-numeric.lock has 9" in output
    assert len(output.splitlines()) == 1
    full = project.folder / DEV_LOCK
    full.write_text(full.read_text().replace("ruff==", "ruff==9"))
    status = project.dvc("status", "--json", "dvc.yaml")
    project.call("git", "checkout", DEV_LOCK)
    assert json.loads(status) == {}


def test_a_python_without_the_packages_has_one_line(project, tmp_path):
    """As when `.venv/bin/dvc repro` is run, and `python` is another."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    path = f"{tmp_path}/bare/bin:{project.environment['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", "--force", "--single-item", "split"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment | {"PATH": path}, capture_output=True, text=True
    )
    project.call("git", "checkout", "--quiet", "--force", "main")
    project.dvc("checkout")
    assert "has no package h5py. `make report` makes the environment; `. .venv/bin/activate` enters it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "told"),
    [("os.name = 'nt'", "on Windows, run it in WSL"), ("sys.version_info = (3, 10)", "Python 3.11, 3.12 or 3.13")],
)
def test_a_system_that_will_not_do_has_one_line(root, setting, told):
    """Told by the first module that a stage imports, with what each such system has for `os.name` or its version."""
    code = f"import os, sys, pathlib; {setting}; import stages.split"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: ") and told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_temporary_folder_that_is_too_small_has_one_line(project, tmp_path):
    """Where processes share arrays of over a megabyte."""
    if os.geteuid() != 0:
        pytest.skip("it takes root to mount a file system")
    script = (
        "mount -t tmpfs -o size=1m tmpfs {0} && mount -t tmpfs -o size=1m tmpfs /dev/shm && "
        "TMPDIR={0} {1} -m stages.theory"
    )
    change(project.folder / "params.yaml", {"theory.images": 3000})
    command = ["unshare", "--mount", "bash", "-c", script.format(tmp_path, sys.executable)]
    done = subprocess.run(command, cwd=project.folder, env=project.environment, capture_output=True, text=True)
    project.call("git", "checkout", "--quiet", "--force", "main")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "TMPDIR" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
