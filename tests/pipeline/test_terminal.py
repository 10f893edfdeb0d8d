"""A stage at a terminal: a debugger, Ctrl-Z, `stty tostop`, `--help`; and code that is saved while its stage runs.

A minute in all, and so left to CI: pytest -m slow
"""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import psutil
import pytest

pytestmark = pytest.mark.slow

# in place of a line's beginning: what the stage does takes two seconds more
SLOWLY = "    import time; print('began', flush=True); time.sleep(2)\n    labels = "


class Terminal:
    """A shell with job control at a terminal of its own, in a project's folder."""

    def __init__(self, project):
        self.pid, self.file = pty.fork()
        if not self.pid:
            os.chdir(project.folder)
            environment = project.environment | {"PS1": "$ ", "TERM": "dumb"}
            os.execvpe("bash", ["bash", "--norc", "--noediting", "-i"], environment)
        termios.tcsetwinsize(self.file, (40, 120))
        self.output = ""

    def type(self, text: str) -> None:
        os.write(self.file, text.encode())

    def wait_for(self, pattern: str, seconds: float = 60) -> re.Match:
        """Read until the pattern is there, in what came since the last call."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output)):
            ready, _, _ = select.select([self.file], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"waited in vain for {pattern!r} in {self.output!r}"
            self.output += os.read(self.file, 10_000).decode(errors="replace")
        self.output = self.output[found.end() :]
        return found

    def jobs(self) -> list[psutil.Process]:
        """What runs in the shell."""
        return psutil.Process(self.pid).children(recursive=True)

    def close(self) -> None:
        for process in [*self.jobs(), psutil.Process(self.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        os.close(self.file)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(project):
    terminal = Terminal(project)
    yield terminal
    terminal.close()


@pytest.fixture
def edit(project):
    """Change a file of the project; it is set back after the test."""
    before = {}

    def edit(path: str, old: str, new: str) -> None:
        file = project.folder / path
        before.setdefault(file, file.read_text())
        assert old in before[file]
        file.write_text(before[file].replace(old, new, 1))

    yield edit
    for file, text in before.items():
        file.write_text(text)
    project.call("git", "checkout", "--quiet", "--force", "main")
    project.dvc("checkout")


@pytest.mark.parametrize("command", ["python -m stages.split", "dvc repro --single-item split"])
def test_a_breakpoint_in_a_stage_opens_the_debugger(terminal, edit, command):
    edit("stages/split.py", "    labels = ", "    breakpoint()\n    labels = ")
    terminal.type(f"{command}; echo END=$?\n")
    terminal.wait_for(r"\(Pdb\) ")
    terminal.type("p params.n_labels\n")
    terminal.wait_for(r"\n100\r")
    terminal.type("c\n")
    terminal.wait_for(r"END=0\r")


TRACED = (  # as a debugger runs a module
    "import runpy, sys; sys.settrace(lambda *call: None); "
    "runpy.run_module('stages.split', run_name='__main__', alter_sys=True)"
)


@pytest.mark.parametrize("command", ["DAE_DEBUG=1 python -m stages.split", f'python -c "{TRACED}"'])
def test_under_a_debugger_one_process_does_the_work(project, edit, command):
    edit("stages/split.py", "    labels = ", "    import os; print('PARENT', os.getppid())\n    labels = ")
    output = project.call("bash", "-c", f"{command} < /dev/null; echo SHELL $$", ok=True)
    assert re.search(r"PARENT (\d+)", output)[1] == re.search(r"SHELL (\d+)", output)[1]


def test_ctrl_z_pauses_a_stage_and_its_workers(terminal, project):
    terminal.type("python -m stages.baseline; echo END=$?\n")
    terminal.wait_for(r" 1/3 ")
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    paused = terminal.jobs()
    assert len(paused) >= 4  # the stage and its child, two workers
    deadline = time.monotonic() + 5
    while {process.status() for process in paused} != {psutil.STATUS_STOPPED}:
        assert time.monotonic() < deadline, [(process.cmdline(), process.status()) for process in paused]
        time.sleep(0.1)
    terminal.type("fg; echo END=$?\n")
    terminal.wait_for(r"END=0\r")
    _, alive = psutil.wait_procs(paused, timeout=60)
    assert not alive
    assert project.call("git", "status", "--porcelain") == ""


def test_ctrl_c_at_a_terminal_ends_a_stage_and_its_workers(terminal):
    terminal.type("python -m stages.baseline; echo END=$?\n")
    terminal.wait_for(r" 1/3 ")
    running = terminal.jobs()
    terminal.type("\x03")
    assert terminal.wait_for(r"interrupted\r\n")
    _, alive = psutil.wait_procs(running, timeout=5)
    assert not alive
    assert "Traceback" not in terminal.wait_for(r"(?s)(.*)END=1\r")[1]


def test_a_terminal_that_stops_background_output_hangs_no_stage(terminal):
    terminal.type("stty tostop; python -m stages.split; echo END=$?\n")
    terminal.wait_for(r"END=0\r", seconds=30)
    terminal.type("python -m stages.baseline; echo END=$?\n")
    terminal.wait_for(r" 3/3 ", seconds=60)
    terminal.wait_for(r"END=0\r", seconds=30)


@pytest.mark.parametrize("module", ["stages.split", "studies.tune"])
def test_help_is_shown_and_nothing_runs(project, module):
    output = project.call(sys.executable, "-m", module, "--help")
    assert output.startswith(f"usage: python -m {module} [-h]")
    output = project.call(sys.executable, "-m", module, "--what", ok=False)
    assert "unrecognized arguments: --what" in output
    assert "Traceback" not in output
    assert project.call("git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("dae/sampling.py", "import numpy", "import  numpy", "dae/sampling.py"),
        ("stages/common/progress.py", "import time", "import  time", "stages/common/progress.py"),
        ("params.yaml", "n_labels: 100", "n_labels: 101", "params.yaml: n_labels"),
    ],
    ids=["a module", "a module of a package declared as a whole", "a parameter"],
)
def test_a_stage_fails_if_what_it_depends_on_is_saved_while_it_runs(project, edit, path, old, new, told):
    """Else DVC would take the outputs for those of the new code."""
    edit("stages/split.py", "    labels = ", SLOWLY)
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "split"]
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            if line == "began\n":
                break
        edit(path, old, new)
        output = process.stdout.read()
    assert process.returncode != 0
    assert f"ERROR: {told}: saved while the stage ran" in output
    assert "Traceback" not in output


def test_a_stage_does_not_fail_for_what_it_does_not_depend_on(project, edit):
    edit("stages/split.py", "    labels = ", SLOWLY)
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.split"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "began\n"
    edit("dae/statistics.py", "import numpy", "import  numpy")
    edit("dae/core/networks.py", "import numpy", "import  numpy")  # of that package it declares the seeds alone
    edit("params.yaml", "noise: 0.5", "noise: 0.4")
    assert process.wait(timeout=30) == 0


def test_workers_end_with_the_script_that_started_them(root, project):
    """Also with one that is no stage, and that is killed."""
    script = (
        "import time\nfrom joblib import delayed\nfrom dae.processes import workers\n"
        "results = workers(2)(delayed(time.sleep)(0.1) for _ in range(4))\n"
        "list(results)\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    process = psutil.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    started = process.children(recursive=True)
    assert len(started) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert not alive
