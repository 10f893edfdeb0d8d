"""A clone has the bytes of the commit, and the Makefile finds its programs, whatever git or make do elsewhere."""

import re
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_clone_where_git_converts_ends_of_lines_has_equal_bytes(tmp_path):
    """As git does for Windows; converted files would be stale for DVC, and .ci/comment could not be run."""
    for name, converts in (("plain", "false"), ("converting", "true")):
        command = ["git", "clone", "--quiet", "--config", f"core.autocrlf={converts}", str(ROOT), str(tmp_path / name)]
        subprocess.run(command, check=True)
    files = [path for path in (tmp_path / "plain").rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 100
    for path in files:
        clone = tmp_path / "converting" / path.relative_to(tmp_path / "plain")
        assert clone.read_bytes() == path.read_bytes(), path


def test_the_makefile_names_the_programs_of_its_environment_by_their_path():
    """Make 3.81, that of macOS, looks for a recipe's program in the PATH that it was started with, not in its own."""
    recipes = re.findall(r"(?m)^\t(.*(?:\\\n.*)*)", (ROOT / "Makefile").read_text())
    words = [re.split(r"\s", part.strip().lstrip("@-+"))[0] for line in recipes for part in re.split("&&|[;|]", line)]
    assert "$(BIN)/dvc" in words
    programs = entry_points(group="console_scripts").names | {"python", "python3", "pip"}
    assert not programs & set(words)
