"""What can go wrong around a stage: each case ends in a line that tells what to do, or is healed by the next run."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tools.small import change

SECONDS = 5  # within which an interrupted stage has ended


@pytest.fixture
def start(project):
    """Start a command in a session of its own in the project; what is left of it is killed after the test."""
    started = []

    def run(*command, **environment):
        started.append(
            psutil.Popen(
                command,
                cwd=project.folder,
                env=project.environment | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        for left in session(process.pid):
            left.kill()


def session(leader: int) -> list[psutil.Process]:
    """The processes of a session that still run."""

    def of_it(process):
        try:
            return os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE
        except (ProcessLookupError, psutil.NoSuchProcess):
            return False

    return [process for process in psutil.process_iter() if of_it(process)]


def workers(process: psutil.Process) -> list[psutil.Process]:
    return [p for p in process.children(recursive=True) if "popen_loky" in " ".join(p.cmdline())]


def wait_until(condition, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


def assert_ends(process, start_of_wait: float) -> str:
    """The process ends in time, and so does all that it started; returns its output."""
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - start_of_wait < SECONDS
    wait_until(lambda: not session(process.pid), SECONDS)
    return output


@pytest.mark.parametrize(
    ("stage", "seconds"), [("pretrain", 0.5), ("pretrain", None), ("finetune", 2), ("report", 0)], ids=str
)
def test_ctrl_c_ends_a_stage_with_one_line_and_leaves_no_process(start, project, stage, seconds):
    """While TensorFlow is imported, while it trains, while workers run, and while Python starts."""
    change(project.folder / "params.yaml", {"pretrain.epochs": 1000, "finetune.steps": 100_000})  # it would not end
    process = start(sys.executable, "-m", f"stages.{stage}", PYTHONUNBUFFERED="1")
    wait_until(lambda: process.children())  # the stage has begun
    if stage == "finetune":
        wait_until(lambda: len(workers(process)) == 2)
    if seconds is None:
        assert process.stdout.readline().startswith("epoch 1/")
    else:
        time.sleep(seconds)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    output = assert_ends(process, begin)
    assert [line for line in output.splitlines() if not re.match(r"(epoch|run) \d", line)] == ["interrupted"]
    assert process.returncode == 1
    project.call("git", "checkout", "--quiet", "--force", "main")
    assert project.call("git", "status", "--porcelain") == ""


def test_ctrl_c_ends_dvc_repro(start, project):
    process = start(sys.executable, "-m", "dvc", "repro", "--force", "--single-item", "baseline")
    wait_until(lambda: len(workers(process)) == 2)
    time.sleep(1)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    output = assert_ends(process, begin)
    assert output.count("interrupted\n") == 1
    assert "ERROR: failed to reproduce 'baseline'" in output
    assert "Traceback" not in output
    assert project.ran(project.dvc("repro")) == ["baseline"]  # which Ctrl-C had left without its outputs
    assert project.call("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("victim", ["worker", "stage", "the stage's child"])
def test_a_process_that_is_killed_takes_the_others_with_it_and_is_told(start, project, victim):
    """As the kernel does when memory runs out."""
    process = start(sys.executable, "-m", "stages.finetune")
    (first, _) = wait_until(lambda: len(workers(process)) == 2 and workers(process))
    time.sleep(1)
    begin = time.monotonic()
    {"worker": first, "stage": process, "the stage's child": process.children()[0]}[victim].kill()
    output = assert_ends(process, begin)
    told = {
        "worker": ["ERROR: a process that trained was killed, perhaps for want of memory; fewer at once"],
        "stage": [],
        "the stage's child": ["ERROR: killed by SIGKILL, perhaps for want of memory"],
    }[victim]
    lines = output.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(expected) for line, expected in zip(lines, told, strict=True))
    assert process.returncode == (-signal.SIGKILL if victim == "stage" else 1)


@pytest.fixture
def mount(tmp_path):
    """Mount a small file system of 30 MB, and copy the project's inputs of the stages download and split there."""
    if os.geteuid() != 0:
        pytest.skip("it takes root to mount a file system")
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def run_stage(project, name: str, folder: Path, **environment) -> tuple[int, str]:
    for part in ("stages", "dae", "data/sources", "params.yaml", "requirements-numeric.lock"):
        source = project.folder / part
        if not (folder / part).exists():
            (folder / part).parent.mkdir(exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{name}"],
        cwd=folder,
        env=project.environment | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_a_full_disk_is_told_and_leaves_no_part_of_a_file(project, mount):
    status, output = run_stage(project, "download", mount)
    assert status == 1
    assert re.fullmatch(
        r"ERROR: data/raw/train_images.npy cannot be written \(\d+\.\d MB are free there\): .*\n", output
    )
    assert list((mount / "data" / "raw").iterdir()) == []


def test_a_full_disk_is_told_of_every_kind_of_file(project, mount):
    """The writers of arrays, archives, models, tables and figures each have errors of their own."""
    for part in ("stages", "dae", "reporting"):
        shutil.copytree(project.folder / part, mount / part)
    shutil.copy(project.folder / "requirements-numeric.lock", mount)
    code = (
        "from pathlib import Path\n"
        "import numpy as np, pandas as pd\n"
        "from matplotlib.figure import Figure\n"
        "from stages._figures import save_figure\n"
        "from stages.common.errors import StageError\n"
        "from stages.common.files import save_array, save_arrays, save_json, save_model, save_table\n"
        "from dae.core.networks import build_autoencoder\n"
        "big = np.random.default_rng(0).random(10**6)\n"
        "def draw(figure):\n"
        "    figure.subplots().plot(big[:20_000])\n"
        "    return figure\n"
        "writers = {'a.npy': lambda p: save_array(p, big), 'a.npz': lambda p: save_arrays(p, big),\n"
        "    'a.keras': lambda p: save_model(p, build_autoencoder(784, [600])),\n"
        "    'a.csv': lambda p: save_table(p, pd.DataFrame(big)),\n"
        "    'a.json': lambda p: save_json(p, {'a': 'b' * 10**7}),\n"
        "    'a': lambda p: save_figure(p, lambda language: draw(Figure()))}\n"
        "for path, write in writers.items():\n"
        "    try:\n"
        "        write('out/' + path)\n"
        "    except StageError as error:\n"
        "        print(error, list(Path('out').iterdir()))\n"
    )
    filler = mount / "filler"
    filler.write_bytes(b"x" * (shutil.disk_usage(mount).free - 50_000))
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=mount, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = [f"out/a.{kind}" for kind in ("npy", "npz", "keras", "csv", "json", "en.svg")]
    assert [line.split(" cannot be written (0.")[0] for line in lines] == names, done.stdout
    assert all(line.endswith("[]") for line in lines)


def test_a_read_only_folder_is_told(project, mount):
    run_stage(project, "split", mount)
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    status, output = run_stage(project, "download", mount)
    assert status == 1
    assert re.fullmatch(r"ERROR: data/raw/.* cannot be written \(.* free there\): Read-only file system\n", output)


def test_what_a_killed_stage_left_half_written_is_cleared(project, tmp_path):
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / ".partial-train_images.npy").write_bytes(b"half")
    assert run_stage(project, "download", tmp_path)[0] == 0
    made = {path.name: path.read_bytes() for path in raw.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (project.folder / "data" / "raw").iterdir()}


def test_a_missing_input_is_told(project, tmp_path):
    status, output = run_stage(project, "split", tmp_path)
    assert status == 1
    assert re.fullmatch(r"ERROR: .*No such file or directory: 'data/raw/train_labels.npy'\n", output)


@pytest.mark.parametrize("damage", ["other bytes", "truncated"])
def test_a_file_damaged_in_the_cache_is_made_again(project, damage):
    """And not handed out: DVC checks what it takes from its cache."""
    path = "data/split/draws.npy"
    lock = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
    (md5,) = (out["md5"] for stage in lock.values() for out in stage["outs"] if out["path"] == path)
    cached = project.folder / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    before = cached.read_bytes()
    cached.chmod(0o644)
    cached.write_bytes(before[:-1] + (b"?" if damage == "other bytes" else b""))
    (project.folder / path).unlink()
    assert "split" in project.ran(project.dvc("repro"))
    assert (project.folder / path).read_bytes() == cached.read_bytes() == before
    assert "up to date" in project.dvc("status", "dvc.yaml")
    assert project.call("git", "status", "--porcelain") == ""
